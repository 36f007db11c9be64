"""Decisions that need not be made again: the verdict on a case changes only where time passes an instant it names."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs
from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict


@frozen(kw_only=True)
class Decided:
    """A verdict, and from when on until when (exclusive; None: for good) it is what `decide` says of the case."""

    verdict: Verdict
    since: datetime
    until: datetime | None

    def holds_at(self, now: datetime) -> bool:
        """Say whether the case need not be decided again at `now`."""
        return self.since <= now and (self.until is None or now < self.until)


def decide_for_a_while(case: Case, *, now: datetime) -> Decided:
    """Decide, and say how long that holds.

    At the very instant that something begins or ends it holds for no longer than that: a moment later is another time.
    """
    until = min((instant for instant in _instants_in(case) if instant >= now), default=None)
    return Decided(verdict=decide(case, now=now), since=now, until=until)


def _instants_in(value: Any) -> Iterator[datetime]:
    """Yield every instant there is in a value, so that none is forgotten that a rule may ask for one day."""
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _instants_in(inner)
    elif isinstance(value, (tuple, list, frozenset)):
        for inner in value:
            yield from _instants_in(inner)
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _instants_in(getattr(value, field.name))
