"""Seeing what became of realized enrollments: left, downgraded, or in another mode than expected."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from enterprise_access.apps.course_types.domain.modes import Modes, is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Realization
from enterprise_access.apps.default_enrollments.selectors.endings import list_modes_of_ended, reason_of_ending
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks

NOTICED = ("seen_mode", "left_at", "left_reason", "downgraded_at")


def notice_changes(
    realizations: Iterable[tuple[Realization, ...]],
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]],
    enterprise_enrollments: Mapping[tuple[int, str], EnterpriseEnrollmentCopy],
    *,
    now: datetime,
) -> None:
    """Write down what a read of the platform shows of realized enrollments, in their rows and on the given objects.

    That a learner left is written once, and only staff can take it back. The reason is the one that fits the facts; as
    long as more than one of them does, it is open, and is corrected by what is learned later.
    """
    seen = {(lms_user_id, fold(row.course_run_key)): row for lms_user_id, rows in enrollments.items() for row in rows}
    modes = _modes_of(enrollments, realized := [row for rows in realizations for row in rows])
    for realization in realized:
        key = (realization.lms_user_id, fold(realization.course_run_key))
        if key not in seen or _was_read_before(seen[key], realization):
            continue
        notice_change(realization, seen[key], enterprise_enrollments.get(key), modes=modes, now=now)


def _modes_of(
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]], realizations: Iterable[Realization]
) -> Mapping[str, Modes]:
    """Return the modes of the runs of which it is still to be said why they were left; mostly there are none."""
    runs = {(row.lms_user_id, fold(row.course_run_key)) for row in realizations if _is_reason_open(row)}
    rows = (row for of_learner in enrollments.values() for row in of_learner)
    return list_modes_of_ended(row for row in rows if (row.lms_user_id, fold(row.course_run_key)) in runs)


def _is_reason_open(realization: Realization) -> bool:
    return realization.left_at is None or realization.left_reason == Reason.ENROLLMENT_ENDED


def notice_change(
    realization: Realization,
    seen: EnrollmentCopy,
    enterprise: EnterpriseEnrollmentCopy | None,
    *,
    modes: Mapping[str, Modes],
    now: datetime,
) -> None:
    """Write down what was seen of one realized enrollment. It must have been so after our call, as the caller knows.

    `modes` are those of the runs that were left, by folded run key.
    """
    if changed := _take_over(realization, seen, enterprise, modes, now):
        _save(realization, changed)


@retry_deadlocks
def _save(realization: Realization, changed: list[str]) -> None:
    # Only these: what an event wrote since the row was read must not be taken back.
    realization.save(update_fields=[*changed, "modified"])


def _was_read_before(seen: EnrollmentCopy, realization: Realization) -> bool:
    """Say whether this is how it looked before we wrote the realization: a reader may have asked the platform just
    before a worker enrolled, and would take the learner for one who has left."""
    return max(seen.fetched_at, seen.changed_at or seen.fetched_at) < realization.modified


def _take_over(
    realization: Realization,
    seen: EnrollmentCopy,
    enterprise: EnterpriseEnrollmentCopy | None,
    modes: Mapping[str, Modes],
    now: datetime,
) -> list[str]:
    """Change the realization as the platform shows it; return the names of the fields that changed."""
    before = {name: getattr(realization, name) for name in NOTICED}
    realization.seen_mode = seen.mode
    if not seen.is_active and _is_reason_open(realization):
        realization.left_at = realization.left_at or now
        realization.left_reason = reason_of_ending(seen, enterprise, modes)
    if seen.is_active and is_paid(realization.predicted_mode):
        realization.downgraded_at = None if is_paid(seen.mode) else realization.downgraded_at or now
    return [name for name in NOTICED if getattr(realization, name) != before[name]]
