"""Which enrollment mode a run has for a learner: what the LMS will pick, what we want, until when, and what is left.

`modes` is what the LMS knows of one run: mode slug to expiry (aware UTC; None = never expires). Empty means that it
knows none, which counts as audit only. "Could not be asked" is None, and never reaches these functions.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

Modes = Mapping[str, datetime | None]

AUDIT: Final = "audit"
HONOR: Final = "honor"
VERIFIED: Final = "verified"
PROFESSIONAL: Final = "professional"
NO_ID_PROFESSIONAL: Final = "no-id-professional"
UNPAID_EXECUTIVE_EDUCATION: Final = "unpaid-executive-education"

# A learner in one of these has not been given what a subsidy pays for.
AUDIT_LIKE: Final = frozenset({AUDIT, HONOR})

# The behaviour of another system (edx-enterprise, get_best_mode_from_course_key), not ours to configure: bulk
# enrollment accepts no mode, the LMS takes the first of these that the run has, expired or not.
LMS_BEST_MODE_ORDER: Final = (
    VERIFIED,
    PROFESSIONAL,
    NO_ID_PROFESSIONAL,
    AUDIT,
    HONOR,
    UNPAID_EXECUTIVE_EDUCATION,
)

# Ours: what a learner should get, best first. A mode that is not listed is never enrolled in automatically.
WANTED_MODE_ORDER: Final = (
    VERIFIED,
    PROFESSIONAL,
    NO_ID_PROFESSIONAL,
    UNPAID_EXECUTIVE_EDUCATION,
    AUDIT,
    HONOR,
)

# The behaviour of another system (enterprise-catalog): the deadline of the first of these seats that a run has is the
# one that is announced. A seat of another type is taken only when there is none of these.
ANNOUNCED_SEAT_ORDER: Final = (VERIFIED, PROFESSIONAL, NO_ID_PROFESSIONAL, UNPAID_EXECUTIVE_EDUCATION, AUDIT)


class PayingSubsidy(StrEnum):
    """What pays for an enrollment."""

    LICENSE = "license"
    LEARNER_CREDIT = "learner_credit"


class DowngradeTarget(StrEnum):
    """What losing the subsidy makes of an enrollment."""

    AUDIT = "audit"
    UNENROLL = "unenroll"
    NONE = "none"


def is_paid(mode: str) -> bool:
    """Say whether somebody has to pay for the mode: everything but audit and honor."""
    return mode not in AUDIT_LIKE


def effective(modes: Modes) -> Modes:
    """Return the modes that count: a run of which the LMS knows none is audit only."""
    return modes or {AUDIT: None}


def is_expired(expires_at: datetime | None, *, now: datetime) -> bool:
    """Say whether a mode with this expiry is over; its last second still counts."""
    return expires_at is not None and now > expires_at


def pick(modes: Modes) -> str:
    """Return the mode that the LMS will enroll in. It looks at expired modes too, and falls back on audit."""
    return next((slug for slug in LMS_BEST_MODE_ORDER if slug in modes), AUDIT)


def want(modes: Modes, *, now: datetime) -> str | None:
    """Return the mode that we want at `now`: the first unexpired one of our order, or None when there is none."""
    known = effective(modes)
    wanted = (slug for slug in WANTED_MODE_ORDER if slug in known and not is_expired(known[slug], now=now))
    return next(wanted, None)


def seat_deadline(*, stored: datetime | None, override: datetime | None) -> datetime | None:
    """Return until when a seat can be had: the override wins over the stored deadline; None = no limit."""
    return stored if override is None else override


def deadline(mode: str, *, upgrade_deadlines: Mapping[str, datetime | None]) -> datetime | None:
    """Return until when the mode can be had, by the effective deadlines of the run's seats; None = no limit.

    Nothing is derived from the end of the run: that is what the catalog stores, not what the decision asks.
    """
    return upgrade_deadlines.get(mode)


@frozen(kw_only=True)
class SeatDeadline:
    """A seat of a run, and until when it can be had; None = no limit."""

    seat_type: str
    stored: datetime | None = None
    override: datetime | None = None

    @property
    def effective(self) -> datetime | None:
        """The deadline that counts."""
        return seat_deadline(stored=self.stored, override=self.override)


def enroll_by(
    seats: Collection[SeatDeadline], *, enrollment_ends_at: datetime | None, is_executive_education: bool = False
) -> datetime | None:
    """Return until when one can enroll, as the catalog announces it; None = no limit.

    The earlier of the deadline of the best seat and the end of enrollment; of executive education only the latter.
    """
    best = None if is_executive_education else min(seats, key=_place_of_announced_seat, default=None)
    limits = (best.effective if best else None, enrollment_ends_at)
    return min((limit for limit in limits if limit is not None), default=None)


def _place_of_announced_seat(seat: SeatDeadline) -> int:
    if seat.seat_type not in ANNOUNCED_SEAT_ORDER:
        return len(ANNOUNCED_SEAT_ORDER)
    return ANNOUNCED_SEAT_ORDER.index(seat.seat_type)


def downgrade_target(
    modes: Modes, *, is_run_completed: bool = False, subsidy: PayingSubsidy = PayingSubsidy.LICENSE
) -> DowngradeTarget:
    """Return what becomes of a paid enrollment whose subsidy is taken back: a license revoked or expired, or a credit.

    With a license only audit is a target, honor is not, and a run that the learner completed stays as it is. Learner
    credit always un-enrolls.
    """
    if subsidy is PayingSubsidy.LEARNER_CREDIT:
        return DowngradeTarget.UNENROLL
    if is_run_completed:
        return DowngradeTarget.NONE
    return DowngradeTarget.AUDIT if AUDIT in effective(modes) else DowngradeTarget.UNENROLL
