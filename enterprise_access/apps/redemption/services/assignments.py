"""The one place where redeeming meets assignments and requests.

A function that locks an assignment is called before anything else of a redemption is locked.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.content_assignments.domain.emails import fold_email
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused, AssignmentUnknown
from enterprise_access.apps.content_assignments.selectors.people import AssignmentRow as AssignmentRow
from enterprise_access.apps.content_assignments.selectors.people import list_assignments_of as list_assignments_of
from enterprise_access.apps.content_assignments.selectors.people import read_of_assignments as read_of_assignments
from enterprise_access.apps.content_assignments.selectors.people import read_of_waiting
from enterprise_access.apps.content_assignments.services import allocate_for_request, redeeming, see_learner
from enterprise_access.apps.content_assignments.services.shown import show_assignments
from enterprise_access.apps.redemption.domain.assignments import REASONS_OF_ENDED, Assignment
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.services import Offer
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.selectors.rendering import render_credit_request
from enterprise_access.apps.subsidy_requests.selectors.requests import (
    configurations_of,
    latest_actions,
    list_credit_requests,
)
from enterprise_access.lib.prepared import Read

# Of ended assignments the learner sees these until they are acknowledged. (The portal has no card for the others.)
_SHOWN: Final = frozenset(
    {AssignmentState.ALLOCATED, AssignmentState.ACCEPTED, AssignmentState.CANCELLED, AssignmentState.EXPIRED}
)
# The portal has a card for these, and crashes on others (contract, section 1).
_SHOWN_REQUESTS: Final = (RequestState.REQUESTED, RequestState.APPROVED)


def note_learner(*, lms_user_id: int, email: str | None, now: datetime) -> None:
    """Make assignments to this address the learner's. The address is that of the learner's own token, and not kept."""
    if email:
        see_learner(lms_user_id, email, now)


def reads_of_note(email: str | None) -> tuple[Read, ...]:
    """Return the statement of `note_learner` in the usual case, for `read_together`."""
    return (read_of_waiting(fold_email(email)),) if email else ()


def assignments_by_policy(rows: Iterable[AssignmentRow]) -> Mapping[UUID, tuple[Assignment, ...]]:
    """Return what the rules ask about assignments, by policy."""
    found: dict[UUID, list[Assignment]] = defaultdict(list)
    for row in rows:
        found[row.policy_uuid].append(
            Assignment(
                uuid=row.pk,
                content_key=row.content_key,
                is_assigned_course_run=row.is_assigned_course_run,
                state=AssignmentState(row.state),
                allocated_at=row.allocated_at,
                amount_cents=-row.content_quantity,
            )
        )
    return {policy_uuid: tuple(rows) for policy_uuid, rows in found.items()}


@frozen(kw_only=True)
class Shown:
    """What a learner still has to see of a budget, as clients read it."""

    assignments: tuple[Mapping[str, Any], ...] = ()
    requests: tuple[Mapping[str, Any], ...] = ()


NOTHING_SHOWN: Final = Shown()


def list_shown(
    rows: Iterable[AssignmentRow], *, customer_uuid: UUID, lms_user_id: int, policy_uuids: Collection[UUID]
) -> Mapping[UUID, Shown]:
    """Return, by policy, what the learner still has to see.

    Of `rows`, the learner's assignments, those that are not acknowledged; and requests that are open or approved.
    """
    given = _shown_assignments(rows)
    asked = _shown_requests(customer_uuid, lms_user_id)
    return {
        policy_uuid: Shown(assignments=tuple(given.get(policy_uuid, ())), requests=tuple(asked.get(policy_uuid, ())))
        for policy_uuid in {*given, *asked} & set(policy_uuids)
    }


def _shown_assignments(every: Iterable[AssignmentRow]) -> Mapping[UUID, list[Mapping[str, Any]]]:
    rows = [row for row in every if row.state in _SHOWN and row.acknowledged_at is None]
    described = show_assignments(rows)
    return _by_policy((row.policy_uuid, one) for row, one in zip(rows, described, strict=True))


def _shown_requests(customer_uuid: UUID, lms_user_id: int) -> Mapping[UUID, list[Mapping[str, Any]]]:
    rows = list_credit_requests(customer_uuid=customer_uuid, lms_user_id=lms_user_id, states=_SHOWN_REQUESTS)
    actions, configurations = latest_actions(rows), configurations_of(rows)
    return _by_policy(
        (
            row.policy_uuid,
            render_credit_request(row, action=actions.get(row.pk), configuration=configurations.get(row.policy_uuid)),
        )
        for row in rows
        if row.policy_uuid is not None
    )


def _by_policy(rows: Iterable[tuple[UUID, Mapping[str, Any]]]) -> Mapping[UUID, list[Mapping[str, Any]]]:
    found: dict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for policy_uuid, row in rows:
        found[policy_uuid].append(row)
    return found


def lock_for_redemption(*, assignment_uuid: UUID | None) -> None:
    """Lock the assignment that is about to be redeemed; a redemption without one locks nothing.

    Raises BudgetRefused where it has ended since it was chosen.
    """
    if assignment_uuid is None:
        return
    try:
        redeeming.lock_for_redemption(assignment_uuid=assignment_uuid)
    except AssignmentUnknown:
        raise BudgetRefused(CreditReason.NOT_ASSIGNED) from None
    except AssignmentTransitionRefused as error:
        ended = error.state and REASONS_OF_ENDED.get(AssignmentState(error.state))
        raise BudgetRefused(ended or CreditReason.NOT_ASSIGNED) from None


@frozen(kw_only=True)
class NewAssignment:
    """An assignment that is allocated with its redemption: to whom, and what the catalog says of the run."""

    email: str = field(repr=False)
    offer: Offer


def allocate_for_redemption(
    allocation: NewAssignment, *, policy_uuid: UUID, lms_user_id: int, run_key: str, amount_cents: int, now: datetime
) -> UUID:
    """Allocate a run to the learner who is about to redeem it, in the caller's transaction; return the assignment.

    Raises BudgetRefused where a limit does not allow it, and where the learner has an assignment that has not ended.
    """
    try:
        assignment = allocate_for_request(
            policy_uuid=policy_uuid,
            lms_user_id=lms_user_id,
            email=allocation.email,
            content_key=run_key,
            amount_cents=amount_cents,
            actor=None,
            offer=allocation.offer,
            now=now,
        )
    except AssignmentTransitionRefused:
        raise BudgetRefused(CreditReason.NOT_ASSIGNED) from None
    return assignment.pk


def note_accepted(
    *, assignment_uuid: UUID | None, transaction_uuid: UUID, lms_user_id: int | None, now: datetime
) -> None:
    """Tell an assignment that it was redeemed; a redemption without one changes nothing."""
    if assignment_uuid is not None and lms_user_id is not None:
        redeeming.accept(
            assignment_uuid=assignment_uuid, transaction_uuid=transaction_uuid, lms_user_id=lms_user_id, now=now
        )


def note_failed(*, assignment_uuid: UUID | None, reason: str, now: datetime) -> None:
    """Tell an assignment that its redemption failed. It stays allocated."""
    if assignment_uuid is not None:
        redeeming.note_failed_redemption(assignment_uuid=assignment_uuid, reason=reason, now=now)
