"""What is requested when a learner-credit budget is created. Money is in cents."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen


class RevenueCategory(StrEnum):
    """How enterprise-subsidy books the first deposit."""

    PREPAY = "bulk-enrollment-prepay"
    PARTNER = "partner-no-rev-prepay"


@frozen(kw_only=True)
class AskedBudget:
    """An account at enterprise-subsidy and a budget that spends it. `reference_id`: of the Salesforce line item."""

    customer_uuid: UUID
    title: str
    reference_id: str
    starts_at: datetime
    expires_at: datetime
    starting_balance_cents: int
    revenue_category: str
    is_internal: bool
    catalog_uuid: UUID
    policy_type: str
    access_method: str
    display_name: str
    description: str
    spend_limit_cents: int | None
    learner_spend_limit_cents: int | None
