"""Which assignment of a learner pays for a run, and what to say when none does."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.lib.keys import same_key

REASONS_OF_ENDED: Final[Mapping[AssignmentState, CreditReason]] = {
    AssignmentState.CANCELLED: CreditReason.ASSIGNMENT_CANCELLED,
    AssignmentState.ERRORED: CreditReason.ASSIGNMENT_FAILED,
    AssignmentState.EXPIRED: CreditReason.ASSIGNMENT_EXPIRED,
    AssignmentState.REVERSED: CreditReason.ASSIGNMENT_REVERSED,
}


@frozen(kw_only=True)
class Assignment:
    """One assignment of the learner in one policy. `amount_cents`: what its allocation holds, which is its price.

    `is_being_redeemed`: an open attempt for another run has its money.
    """

    uuid: UUID
    content_key: str
    is_assigned_course_run: bool
    state: AssignmentState
    allocated_at: datetime
    amount_cents: int = 0
    is_being_redeemed: bool = False


@frozen(kw_only=True)
class PayingAssignment:
    """The assignment that pays, or why none does."""

    assignment: Assignment | None = None
    reason: CreditReason | None = None


NO_ASSIGNMENT_NEEDED: Final = PayingAssignment()
_NOT_ASSIGNED: Final = PayingAssignment(reason=CreditReason.NOT_ASSIGNED)


def paying_assignment(*, run_key: str, course_key: str, assignments: Collection[Assignment]) -> PayingAssignment:
    """Return the assignment that pays for a run: one for that very run before one for its course, oldest first.

    When none pays, one that is being redeemed for another run says why, else the last one that ended.
    """
    if not assignments:
        return _NOT_ASSIGNED
    # In this order everything of the run comes before everything of the course.
    of_run, of_course = _split(run_key, course_key, assignments)
    for rows in (of_run, of_course):
        allocated = [row for row in rows if row.state is AssignmentState.ALLOCATED and not row.is_being_redeemed]
        if allocated:
            return PayingAssignment(assignment=min(allocated, key=_oldest_first))
    if any(row.is_being_redeemed for row in (*of_run, *of_course)):
        return PayingAssignment(reason=CreditReason.REDEMPTION_IN_PROGRESS)
    for rows in (of_run, of_course):
        ended = [row for row in rows if row.state in REASONS_OF_ENDED]
        if ended:
            return PayingAssignment(reason=REASONS_OF_ENDED[min(ended, key=_latest_first).state])
    return _NOT_ASSIGNED


def _split(run_key: str, course_key: str, rows: Collection[Assignment]) -> tuple[list[Assignment], list[Assignment]]:
    of_run = [row for row in rows if same_key(row.content_key, run_key)]
    of_course = [row for row in rows if not row.is_assigned_course_run and same_key(row.content_key, course_key)]
    return of_run, of_course


def _oldest_first(row: Assignment) -> tuple[float, str]:
    return row.allocated_at.timestamp(), str(row.uuid)


def _latest_first(row: Assignment) -> tuple[float, str]:
    return -row.allocated_at.timestamp(), str(row.uuid)
