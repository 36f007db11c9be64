"""What tells one queue from another."""

import random
from datetime import timedelta
from typing import Generic, TypeVar

from attrs import field, frozen
from django.db import connection
from django.db.models import Model, QuerySet

from enterprise_access.lib.work.models import WorkItem

W = TypeVar("W", bound=WorkItem)
M = TypeVar("M", bound=Model)

UNEXPECTED_ERROR = "unexpected_error"


@frozen(kw_only=True)
class BackOff:
    """Pauses that double from `first` to `last`, each with a random part so that rows do not come back together."""

    first: timedelta = timedelta(minutes=1)
    last: timedelta = timedelta(hours=1)

    def pause(self, failures: int) -> timedelta:
        """Return the pause after so many failures in a row: between one doubling of `first` and the next."""
        shortest = min(self.first * (1 << min(max(failures, 1) - 1, 20)), self.last)
        return shortest + (min(shortest * 2, self.last) - shortest) * random.random()  # noqa: S311


@frozen(kw_only=True)
class Exclusive:
    """A unique column that repeats `key` while the row is leased, so that no two rows with one key are leased at once.

    The database itself enforces it, whatever the groups of the rows.
    """

    column: str
    key: str


@frozen(kw_only=True)
class Queue(Generic[W]):
    """A table of pending work.

    `group`: the column by which rows are claimed together and served in turn. `lease_seconds`: how long a worker may
    take until its next sign of life. `max_failures`: after so many failures of its own a row is marked failed.
    `newest_share`: the part of a claim that goes to the newest rows, so that a backlog does not delay them.
    """

    name: str
    model: type[W]
    job: str
    group: str = ""
    lease_seconds: int = 120
    back_off: BackOff = field(factory=BackOff)
    exclusive: Exclusive | None = None
    max_failures: int = 10
    newest_share: float = 0.0

    def rows(self) -> QuerySet[W]:
        return self.model._default_manager.all()

    @property
    def freed(self) -> dict[str, None]:
        """The columns of a lease, empty."""
        columns = {"lease_token": None, "leased_until": None}
        return columns | ({self.exclusive.column: None} if self.exclusive else {})


def lock(rows: QuerySet[M], *, skip_locked: bool = False) -> QuerySet[M]:
    """Lock rows of one table where the database can, without those of tables that are joined."""
    if skip_locked and not connection.features.has_select_for_update_skip_locked:
        # Nothing is locked then: a conditional update decides.
        return rows
    of = ("self",) if connection.features.has_select_for_update_of else ()
    return rows.select_for_update(skip_locked=skip_locked, of=of)


def lock_in_order(rows: QuerySet[M]) -> list[M]:
    """Lock rows in the one order in which all of us lock, and return them: so no one waits in a circle."""
    return list(lock(rows.order_by("pk")))
