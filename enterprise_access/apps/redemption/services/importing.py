"""Taking over forced redemptions from another installation, as attempts that have ended. Nothing is called for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.subsidy_access_policies.services.allocations import list_budgets
from enterprise_access.lib.importing import RowFate, RowOutcome, outcome_of, refused
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class ArrivingRedemption:
    """A redemption that staff forced, and that the ledger committed."""

    uuid: UUID
    policy_uuid: UUID
    lms_user_id: int
    run_key: str
    amount_cents: int
    transaction_uuid: UUID
    redeemed_at: datetime
    created: datetime
    modified: datetime


@retry_deadlocks
def import_redemptions(arriving: Sequence[ArrivingRedemption]) -> list[RowOutcome]:
    """Take over redemptions; return what became of each. One that is here is never changed: it has ended."""
    budgets = list_budgets({one.policy_uuid for one in arriving})
    stored = RedemptionAttempt.objects.in_bulk([one.uuid for one in arriving])
    outcomes: list[RowOutcome] = []
    new: list[RedemptionAttempt] = []
    for one in arriving:
        budget, known = budgets.get(one.policy_uuid), stored.get(one.uuid)
        if budget is None:
            outcomes.append(refused(one.uuid, f"Its budget {one.policy_uuid} is not here."))
        elif known is not None:
            is_same = known.transaction_uuid == one.transaction_uuid and known.policy_id == one.policy_uuid
            fate = RowFate.SAME if is_same else RowFate.CONFLICT
            outcomes.append(outcome_of(one.uuid, fate))
        else:
            new.append(_attempt(one, subsidy_uuid=budget.subsidy_id, customer_uuid=budget.customer_uuid))
            outcomes.append(outcome_of(one.uuid, RowFate.ADDED))
    RedemptionAttempt.objects.bulk_create(new)
    return outcomes


def _attempt(one: ArrivingRedemption, *, subsidy_uuid: UUID, customer_uuid: UUID) -> RedemptionAttempt:
    return RedemptionAttempt(
        uuid=one.uuid,
        policy_id=one.policy_uuid,
        subsidy_uuid=subsidy_uuid,
        customer_uuid=customer_uuid,
        lms_user_id=one.lms_user_id,
        content_key=one.run_key,
        content_key_folded=fold(one.run_key),
        trigger=RedemptionTrigger.FORCED.value,
        state=AttemptState.COMMITTED.value,
        amount=one.amount_cents,
        allow_late=True,
        transaction_uuid=one.transaction_uuid,
        ended_at=one.redeemed_at,
        created=one.created,
        modified=one.modified,
    )
