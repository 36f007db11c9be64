"""What an import of existing rows needs, whatever they are: what became of each row, and whether it may be written.

A row that was imported says so in its history. As long as that is its latest entry, nobody has changed the row here,
and a later import may overwrite it; otherwise the two differ for a reason, and people decide.
"""

from collections.abc import Collection, Hashable, Iterable
from enum import StrEnum
from typing import Final

from attrs import fields, frozen
from django.db.models import Model

# The reason in the history of a row.
IMPORTED: Final = "Imported from openedx/enterprise-access"
CHANGED_HERE: Final = (
    "It was changed here since it was imported, and differs from the source now. It stays as it is here."
)
NOT_IMPORTED: Final = "It exists here, was not imported, and differs from the source. It stays as it is here."


class RowFate(StrEnum):
    """What became of a row of the source."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "the same"
    CONFLICT = "conflict"
    REFUSED = "refused"


@frozen(kw_only=True)
class RowOutcome:
    """What became of one row, and why, where it was not taken over."""

    name: str
    fate: RowFate
    why: str = ""

    @property
    def is_written(self) -> bool:
        return self.fate in (RowFate.ADDED, RowFate.CHANGED)


def refused(name: object, why: str) -> RowOutcome:
    """Return the outcome of a row that cannot be taken over."""
    return RowOutcome(name=str(name), fate=RowFate.REFUSED, why=why)


def outcome_of(name: object, fate: RowFate, *, was_imported: bool = True) -> RowOutcome:
    """Return the outcome of a row that is not refused."""
    why = (CHANGED_HERE if was_imported else NOT_IMPORTED) if fate is RowFate.CONFLICT else ""
    return RowOutcome(name=str(name), fate=fate, why=why)


@frozen(kw_only=True)
class PastImports:
    """Which rows were imported at all, and of these which nobody has changed since."""

    imported: frozenset[Hashable]
    untouched: frozenset[Hashable]


def past_of(model: type[Model], keys: Collection[Hashable]) -> PastImports:
    """Read from the histories of rows whether they were imported, and changed since."""
    key = model._meta.pk.attname
    history = model.history.filter(**{f"{key}__in": list(keys)})  # type: ignore[attr-defined]
    latest: dict[Hashable, str] = {}
    imported: set[Hashable] = set()
    for pk, reason in history.order_by("history_id").values_list(key, "history_change_reason"):
        latest[pk] = reason or ""
        if reason == IMPORTED:
            imported.add(pk)
    untouched = frozenset(pk for pk, reason in latest.items() if reason == IMPORTED)
    return PastImports(imported=frozenset(imported), untouched=untouched)


def columns_of(arriving: type, *, without: Collection[str] = ()) -> tuple[str, ...]:
    """Return what a row is compared by: all that the source says, except its key, its times and its actions."""
    left_out = {"uuid", "created", "modified", "actions", *without}
    return tuple(field.name for field in fields(arriving) if field.name not in left_out)


def judge(
    key: Hashable,
    stored: Model | None,
    wanted: Model,
    *,
    columns: Iterable[str],
    past: PastImports,
    has_news: bool = False,
    is_kept: bool = False,
) -> RowOutcome:
    """Say what to do with a row, which is `stored` here.

    `has_news`: what belongs to the row is not all here yet; `is_kept`: the row is never changed by an import.
    """
    is_same = stored is not None and all(getattr(stored, name) == getattr(wanted, name) for name in columns)
    if stored is None:
        fate = RowFate.ADDED
    elif is_same and not has_news:
        fate = RowFate.SAME
    else:
        fate = RowFate.CHANGED if key in past.untouched and not is_kept else RowFate.CONFLICT
    return outcome_of(key, fate, was_imported=key in past.imported)
