"""Allocating to the learner of an approved request: in the approving transaction, without any call."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from enterprise_access.apps.content_assignments.domain.emails import fold_email
from enterprise_access.apps.content_assignments.domain.states import ENDED, AssignmentState
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.offered import placement_of
from enterprise_access.apps.content_assignments.services.placing import Person, announce, place
from enterprise_access.apps.content_assignments.services.transitions import WRONG_STATE
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.services import Offer, reserve
from enterprise_access.apps.subsidy_access_policies.services.allocations import check_learner_limits, get_budget
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order


@retry_deadlocks
def allocate_for_request(
    *,
    policy_uuid: UUID,
    lms_user_id: int,
    email: str,
    content_key: str,
    amount_cents: int,
    actor: int | None,
    now: datetime,
    offer: Offer | None = None,
) -> Assignment:
    """Allocate to the learner of an approved request, in the caller's transaction, without any call to another service.

    `offer`: what the caller has asked the catalog before (`fetch_offers`), for the title and the deadline. Money is
    checked under the locks, the learner's own limits included. Raises BudgetRefused; and
    AssignmentTransitionRefused where the learner has it already, allocated or redeemed, or another account has one of
    this address.
    """
    with transaction.atomic():
        query = Assignment.objects.filter(policy_uuid=policy_uuid, content_key_folded=fold(content_key))
        of_learner = Q(learner_email_folded=fold_email(email)) | Q(lms_user_id=lms_user_id)
        rows = lock_in_order(query.filter(of_learner))
        row = _of_learner(rows, lms_user_id, email)
        if row is not None and AssignmentState(row.state) not in ENDED:
            raise AssignmentTransitionRefused({row.pk: WRONG_STATE})
        _need_free_address(rows, row, email)
        placement = placement_of(
            get_budget(policy_uuid=policy_uuid),
            content_key=content_key,
            offer=offer,
            content=None,
            price=amount_cents,
            admin_lms_user_id=actor,
            batch_id=None,
            now=now,
        )
        placed = place(placement, {Person(email=email, lms_user_id=lms_user_id): row}, now=now)
        assignment = next(iter(placed.values()))
        reserve(
            policy_uuid=policy_uuid,
            lms_user_id=lms_user_id,
            content_key=content_key,
            amount_cents=amount_cents,
            kind=ReservationKind.ALLOCATION,
            assignment_uuid=assignment.pk,
            now=now,
        )
        check_learner_limits(policy_uuid=policy_uuid, lms_user_id=lms_user_id, amount_cents=amount_cents)
        announce([assignment], now=now)
        return assignment


def _need_free_address(rows: Sequence[Assignment], own: Assignment | None, email: str) -> None:
    """Raise AssignmentTransitionRefused where another account's assignment has the address: one row for each."""
    others = [row.pk for row in rows if row is not own and row.learner_email_folded == fold_email(email)]
    if others:
        raise AssignmentTransitionRefused(dict.fromkeys(others, WRONG_STATE))


def _of_learner(rows: Sequence[Assignment], lms_user_id: int, email: str) -> Assignment | None:
    """Return the learner's row: the one of this address, else one whose address was cleared."""
    own = [row for row in rows if row.lms_user_id in (None, lms_user_id)]
    by_email = [row for row in own if row.learner_email_folded == fold_email(email)]
    cleared = [row for row in own if row.email_cleared_at is not None]
    return next(iter([*by_email, *cleared]), None)
