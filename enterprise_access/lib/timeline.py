"""The timeline of one learner of one customer: what happened, told by every app that knows something.

An app registers a source in its `ready`. A source reads its own tables, in a fixed number of statements.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import field, frozen

log = logging.getLogger(__name__)

MAX_EVENTS: Final = 100


@frozen(kw_only=True)
class Explained:
    """One thing that happened to the learner, with the reason.

    `kind` is a stable code. `text` is a sentence for support agents; it names no person. `reason` is a reason code, if
    there is one. `about` names objects by id: an intention, a course run, an assignment.
    """

    at: datetime
    kind: str
    text: str
    reason: str = ""
    about: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Timeline:
    """What happened, newest first. `unknown` names the sources that could not be read."""

    events: tuple[Explained, ...]
    unknown: tuple[str, ...] = ()


# Is given customer, learner (LMS user id), and how many of its newest events are wanted.
Source = Callable[[UUID, int, int], Iterable[Explained]]

_sources: Final[dict[str, Source]] = {}


def register(name: str, source: Source) -> None:
    """Have this source asked whenever a timeline is shown. `name` is what people call its part of the service."""
    _sources[name] = source


def get_timeline(*, customer_uuid: UUID, lms_user_id: int, limit: int = MAX_EVENTS) -> Timeline:
    """Return the newest events of all sources. A source that fails is named, and the others are shown."""
    events: list[Explained] = []
    unknown = []
    for name, source in _sources.items():
        try:
            events += source(customer_uuid, lms_user_id, limit)
        except Exception:
            log.exception("A source of the timeline could not be read. source=%s", name)
            unknown.append(name)
    events.sort(key=lambda event: event.at, reverse=True)
    return Timeline(events=tuple(events[:limit]), unknown=tuple(unknown))
