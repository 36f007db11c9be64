"""Which enrollments a page shows: stored copies, and on top of them what is newer than these."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, Protocol

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.lib.keys import fold

# What an enrollment is taken for whose mode no one names.
_LEAST: Final = "audit"


@frozen(kw_only=True)
class OwnEnrollment:
    """An active enrollment as the LMS has just told the learner. `mode` None: it did not say."""

    course_run_key: str
    mode: str | None


@frozen(kw_only=True)
class ShownEnrollments:
    """What is shown. `are_confirmed`: the learner's own answer says the same of everything that we enrolled and of
    everything that it names; `are_contradicted`: it says something else."""

    enrollments: tuple[EnrollmentCopy, ...]
    are_confirmed: bool
    are_contradicted: bool


class _Realized(Protocol):
    """What is used of a realization."""

    lms_user_id: int
    course_run_key: str
    predicted_mode: str
    seen_mode: str
    left_at: datetime | None
    modified: datetime


def shown_enrollments(
    copies: Iterable[EnrollmentCopy],
    realized: Iterable[_Realized],
    *,
    read_at: datetime | None,
    own: Collection[OwnEnrollment] | None,
    lms_user_id: int,
    now: datetime,
) -> ShownEnrollments:
    """Return the copies with our own later realizations and the learner's `own` answer (None: there is none)."""
    rows = {fold(row.course_run_key): row for row in copies}
    kept = [row for row in realized if row.left_at is None]
    for row in kept:
        known_at = _known_at(rows.get(fold(row.course_run_key)), read_at)
        if known_at is None or row.modified > known_at:
            rows[fold(row.course_run_key)] = _enrolled(row.lms_user_id, row.course_run_key, _mode(row), now)
    if own is None:
        return ShownEnrollments(enrollments=tuple(rows.values()), are_confirmed=False, are_contradicted=False)
    told = {fold(row.course_run_key): row for row in own}
    differing = {key for key, row in told.items() if not _agrees(rows.get(key), row)}
    missing = {fold(row.course_run_key) for row in kept} & {key for key, row in rows.items() if row.is_active}
    is_contradicted = bool(differing or missing - told.keys())
    for key in differing:
        rows[key] = _enrolled(lms_user_id, told[key].course_run_key, told[key].mode or _LEAST, now)
    return ShownEnrollments(
        enrollments=tuple(rows.values()), are_confirmed=not is_contradicted, are_contradicted=is_contradicted
    )


def _known_at(copy: EnrollmentCopy | None, read_at: datetime | None) -> datetime | None:
    """Return since when we know what is stored of a run; of one without a copy, that there is no enrollment."""
    return read_at if copy is None else max(copy.fetched_at, copy.changed_at or copy.fetched_at)


def _agrees(copy: EnrollmentCopy | None, own: OwnEnrollment) -> bool:
    if copy is None or not copy.is_active:
        return False
    return own.mode is None or is_paid(copy.mode) == is_paid(own.mode)


def _mode(realized: _Realized) -> str:
    return realized.seen_mode or realized.predicted_mode


def _enrolled(lms_user_id: int, course_run_key: str, mode: str, now: datetime) -> EnrollmentCopy:
    return EnrollmentCopy(
        lms_user_id=lms_user_id, course_run_key=course_run_key, mode=mode, is_active=True, fetched_at=now
    )
