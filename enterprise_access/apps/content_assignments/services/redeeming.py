"""What redeeming makes of an assignment. Its money moves by the redemption's own calls of the budget.

Locks are taken in one order, so a redemption calls `lock_for_redemption` or `accept` before it touches its attempt, its
promise or any total.
"""

from datetime import datetime
from uuid import UUID

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.services.writing import add_actions
from enterprise_access.lib.transactions import retry_deadlocks

# The code that clients know for an enrollment that was refused.
ENROLLMENT_ERROR = "enrollment_error"


def lock_for_redemption(*, assignment_uuid: UUID) -> Assignment:
    """Lock an assignment that is about to be redeemed, in the caller's transaction.

    Raises AssignmentUnknown, and AssignmentTransitionRefused where it is not allocated any more.
    """
    row = transitions.lock([assignment_uuid])[0]
    if row.state != AssignmentState.ALLOCATED.value:
        raise AssignmentTransitionRefused({row.pk: transitions.WRONG_STATE}, state=AssignmentState(row.state))
    return row


@retry_deadlocks
def accept(*, assignment_uuid: UUID, transaction_uuid: UUID, lms_user_id: int, now: datetime) -> Assignment:
    """Mark an assignment as redeemed by a transaction of the ledger; again changes nothing."""
    transitions.accept(assignment_uuid, transaction_uuid=transaction_uuid, lms_user_id=lms_user_id, now=now)
    return Assignment.objects.get(pk=assignment_uuid)


@retry_deadlocks
def note_failed_redemption(*, assignment_uuid: UUID, now: datetime, reason: str = ENROLLMENT_ERROR) -> None:
    """Write down that a redemption was refused. The assignment stays allocated: a failure takes no promise away."""
    row = transitions.lock([assignment_uuid])[0]
    add_actions([row], "redeemed", now=now, error_reason=reason[:64])
