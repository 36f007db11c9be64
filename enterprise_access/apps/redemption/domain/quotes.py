"""What learner credit would do for one learner and run. Promises nothing."""

from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason


@frozen(kw_only=True)
class CreditQuote:
    """The budget that pays, its price, and what it has left before anything else of the same plan.

    `policy_uuid` None: nothing pays, for this reason.
    """

    policy_uuid: UUID | None = None
    cents: int = 0
    available_cents: int = 0
    reason: CreditReason | None = None
