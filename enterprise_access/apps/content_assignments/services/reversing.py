"""Money that the ledger gave back: the assignment that it paid for is reversed."""

from typing import Any

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.subsidy_access_policies.services.signals import transaction_reversed
from enterprise_access.lib import clock


def connect() -> None:
    """Hear which transactions the ledger reversed."""
    transaction_reversed.connect(note_reversal, dispatch_uid="content_assignments.note_reversal")


def note_reversal(*, transaction: Any, **_about: object) -> None:
    """Reverse the assignment that a transaction paid for; again, or without an assignment, nothing changes."""
    paid = Assignment.objects.filter(transaction_uuid=transaction.pk, state=AssignmentState.ACCEPTED.value)
    for assignment_uuid in paid.values_list("pk", flat=True):
        transitions.reverse(assignment_uuid, now=clock.now())
