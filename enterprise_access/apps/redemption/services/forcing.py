"""Staff redeem for a learner. Only the enrollment deadline is waived; every other rule holds."""

from uuid import UUID

from enterprise_access.apps.redemption.errors import RedemptionAttemptUnknown
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.redemption.selectors import find_redemption
from enterprise_access.apps.redemption.services.assignments import note_learner
from enterprise_access.apps.redemption.services.links import ask_links
from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
from enterprise_access.lib import clock
from enterprise_access.lib.errors import NotFound, UpstreamError


def force_redemption(*, policy_uuid: UUID, lms_user_id: int, run_key: str) -> RedemptionAttempt:
    """Begin a redemption for a learner, and return its attempt: open, or refused with the reason. A worker calls.

    Where the budget is assigned and the learner has no assignment for the run, one is allocated at the catalog's price.
    Raises PolicyUnknown, and RedemptionAttemptUnknown when another tool has redeemed the run for the learner already.
    """
    policy = get_policy(policy_uuid)
    email = None
    if TYPE_RULES[PolicyType(policy.policy_type)].is_assignable:
        email = _fetch_email(customer_uuid=policy.customer_uuid, lms_user_id=lms_user_id)
        # An assignment to the address pays, too.
        note_learner(lms_user_id=lms_user_id, email=email, now=clock.now())
    redeemed = redeem(
        RedemptionOrder(
            policy=policy, lms_user_id=lms_user_id, run_key=run_key, trigger=RedemptionTrigger.FORCED, email=email
        )
    )
    if redeemed.attempt is not None:
        return redeemed.attempt
    found = find_redemption(redeemed.transaction.uuid).attempt if redeemed.transaction else None
    if found is None:
        raise RedemptionAttemptUnknown("The learner has redeemed this run already, by another tool.")
    return found


def _fetch_email(*, customer_uuid: UUID, lms_user_id: int) -> str | None:
    """Ask the LMS for the learner's address; None: it could not be asked, or the learner is not linked."""
    try:
        learner = ask_links(customer_uuid, [lms_user_id]).get(lms_user_id)
    except (UpstreamError, NotFound):
        return None
    return None if learner is None else learner.email
