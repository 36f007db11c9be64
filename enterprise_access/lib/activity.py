"""What people did for one customer: who, what, when and why, told by every app that keeps such records.

An app registers its sources in its `ready`. A source reads its own tables, in a fixed number of statements.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db.models import Count

log = logging.getLogger(__name__)

PAGE_SIZE: Final = 50
# How far a page may skip events of one instant. Nothing writes more separate events simultaneously.
MAX_SKIP: Final = 1000


@frozen(kw_only=True)
class Done:
    """One thing that was done. `who` empty: not recorded, or this service itself. `why` holds a reason or a ticket.

    `key` tells it from others of its source, which returns the larger key of simultaneous events first. `url`
    leads to what it was done to (empty: nowhere).
    """

    at: datetime
    what: str
    key: str
    who: str = ""
    why: str = ""
    url: str = ""


@frozen(kw_only=True)
class Position:
    """Where a page begins: at the events of `at`, of which the first `skip` were shown already."""

    at: datetime
    skip: int = 0


@frozen(kw_only=True)
class Activity:
    """Events, newest first. `next`: where the next page begins, None: this is the last one. `unknown` names the sources
    that could not be read."""

    events: tuple[Done, ...]
    next: Position | None
    unknown: tuple[str, ...] = ()


# Is given the customer, the latest instant that counts (None: any), and how many of its newest events are wanted.
Source = Callable[[UUID, datetime | None, int], Iterable[Done]]


@frozen
class _Registered:
    permission: str
    source: Source


_sources: Final[dict[str, _Registered]] = {}


def register(name: str, source: Source, *, permission: str) -> None:
    """Have this source asked whenever the activity of a customer is shown to a person with the permission."""
    _sources[name] = _Registered(permission, source)


def get_activity(
    *,
    customer_uuid: UUID,
    may: Callable[[str], bool],
    start: Position | None = None,
    limit: int = PAGE_SIZE,
) -> Activity:
    """Return the newest events at and before `start` of all sources whose permission the reader has.

    Events of one instant are in the order of sources and keys, the last first: pages neither repeat an event nor lose
    one. A source that fails is named, and the others are shown.
    """
    before, skip = (start.at, min(start.skip, MAX_SKIP)) if start else (None, 0)
    found: list[tuple[Done, str]] = []
    unknown = []
    for name, registered in _sources.items():
        if not may(registered.permission):
            continue
        try:
            found += [(done, name) for done in registered.source(customer_uuid, before, skip + limit + 1)]
        except Exception:
            log.exception("A source of the activity could not be read. source=%s", name)
            unknown.append(name)
    found.sort(key=lambda each: (each[0].at, each[1], each[0].key), reverse=True)
    events = [done for done, _ in found]
    shown = events[skip : skip + limit]
    is_last = len(events) <= skip + limit
    return Activity(
        events=tuple(shown), next=None if is_last or not shown else _after(shown, start), unknown=tuple(unknown)
    )


def _after(shown: list[Done], start: Position | None) -> Position:
    """Return where the page after these events begins."""
    last = shown[-1].at
    same = sum(event.at == last for event in shown)
    return Position(at=last, skip=same + (start.skip if start is not None and start.at == last else 0))


def names_of_sources(may: Callable[[str], bool]) -> Collection[str]:
    """Return the names of the sources that a reader sees."""
    return [name for name, registered in _sources.items() if may(registered.permission)]


# --- For sources -------------------------------------------------------------------------------------------------


def until(rows: Any, field: str, before: datetime | None) -> Any:
    """Return the rows whose instant `field` counts."""
    return rows if before is None else rows.filter(**{f"{field}__lte": before})


def list_actions_together(
    actions: Any, before: datetime | None, limit: int, *, kind: str, verbs: Mapping[str, str], noun: str
) -> list[Done]:
    """Return what people did to rows: what one person did at one time is one event.

    `kind`: the field of an action that `verbs` puts into words.
    """
    known = until(actions.filter(**{f"{kind}__in": verbs}, actor_lms_user_id__isnull=False), "created", before)
    groups = known.order_by().values_list(kind, "created", "actor_lms_user_id").annotate(rows=Count("pk"))
    return [
        Done(
            at=at,
            what=f"{verbs[action]} {rows} {noun}{'' if rows == 1 else 's'}",
            key=f"{action} {actor:020}",
            who=f"LMS user {actor}",
        )
        for action, at, actor, rows in groups.order_by("-created", f"-{kind}", "-actor_lms_user_id")[:limit]
    ]
