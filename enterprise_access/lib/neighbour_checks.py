"""What came of the last look at our rights at the upstream services, remembered for everybody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from enterprise_access.lib import shared_cache

_REMEMBERED_SECONDS: Final = 24 * 60 * 60


@frozen(kw_only=True)
class NeighbourCheck:
    """What came of one check, `at` which time: `problem` "" means that we can work; `note` says what was left out."""

    name: str
    at: datetime
    took_seconds: float = 0
    problem: str = ""
    is_unavailable: bool = False
    note: str = ""


def remember_checks(checks: Sequence[NeighbourCheck]) -> None:
    """Keep what came of the checks for a day."""
    shared_cache.set_many({_address(): tuple(checks)}, seconds=_REMEMBERED_SECONDS)


def last_neighbour_checks() -> tuple[NeighbourCheck, ...]:
    """Return what came of the last checks, in whichever process; none when there were none for a day."""
    found: tuple[NeighbourCheck, ...] = shared_cache.get_many([_address()]).get(_address(), ())
    return found


def _address() -> str:
    return shared_cache.address_of(kind="neighbour checks", version=2)
