"""Requests for learner credit follow their assignments, in the transaction that changes the assignment."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from enterprise_access.apps.content_assignments.domain.states import AssignmentAction
from enterprise_access.apps.content_assignments.services.signals import assignment_changed
from enterprise_access.apps.subsidy_requests.domain.granting import GrantProblem
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.transitions import can_move, lock_requests, move

_ACTIONS: Final[Mapping[AssignmentAction, RequestAction]] = {
    AssignmentAction.ACCEPT: RequestAction.REDEEMED,
    AssignmentAction.CANCEL: RequestAction.CANCELLED,
    AssignmentAction.EXPIRE: RequestAction.EXPIRED,
    AssignmentAction.REVERSE: RequestAction.REVERSED,
    AssignmentAction.ERROR: RequestAction.GRANT_FAILED,
}


def connect() -> None:
    """Hear of assignments that change."""
    assignment_changed.connect(follow_assignments, dispatch_uid="subsidy_requests.follow_assignments")


def follow_assignments(*, assignments: Sequence[Any], action: AssignmentAction, now: datetime, **_: object) -> None:
    """Take the requests behind these assignments to the same end. Others, and those decided otherwise, stay."""
    wanted = _ACTIONS.get(action)
    if wanted is None:
        return
    rows = lock_requests(SubsidyRequest.objects.filter(assignment_uuid__in=[row.pk for row in assignments]))
    failure = GrantProblem.ASSIGNMENT_FAILED.value if wanted is RequestAction.GRANT_FAILED else ""
    move([row for row in rows if can_move(row, wanted)], wanted, now=now, error_reason=failure)
