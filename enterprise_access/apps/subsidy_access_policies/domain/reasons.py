"""Why money is not given out. The values are the codes that clients know."""

from enum import StrEnum


class CreditReason(StrEnum):
    """Why a budget does not pay. A code that ends in `unknown` or `unavailable` says "try again shortly"."""

    POLICY_EXPIRED = "policy_expired"
    LEARNER_NOT_IN_ENTERPRISE = "learner_not_in_enterprise"
    LEARNER_NOT_IN_GROUP = "learner_not_in_enterprise_group"
    LEARNER_STATE_UNKNOWN = "learner_state_unknown"
    CONTENT_NOT_IN_CATALOG = "content_not_in_catalog"
    CONTENT_PRICE_UNKNOWN = "content_price_unknown"
    CATALOG_UNAVAILABLE = "catalog_unavailable"
    BEYOND_ENROLLMENT_DEADLINE = "beyond_enrollment_deadline"
    SUBSIDY_EXPIRED = "subsidy_expired"
    SUBSIDY_UNAVAILABLE = "subsidy_unavailable"
    ALREADY_ENROLLED = "already_enrolled"
    REDEMPTION_IN_PROGRESS = "redemption_in_progress"
    NOT_ASSIGNED = "reason_learner_not_assigned_content"
    ASSIGNMENT_CANCELLED = "reason_learner_assignment_cancelled"
    ASSIGNMENT_FAILED = "reason_learner_assignment_failed"
    ASSIGNMENT_EXPIRED = "reason_learner_assignment_expired"
    ASSIGNMENT_REVERSED = "reason_learner_assignment_reversed"
    NOT_ENOUGH_VALUE = "not_enough_value_in_subsidy"
    POLICY_SPEND_LIMIT = "policy_spend_limit_reached"
    LEARNER_SPEND_LIMIT = "learner_max_spend_reached"
    LEARNER_ENROLLMENT_LIMIT = "learner_max_enrollments_reached"
    PRICE_CHANGED = "price_changed"
    ENROLLMENT_FAILED = "enrollment_failed"
    POLICY_NOT_ASSIGNABLE = "policy_not_assignable"
    PRICE_OUT_OF_BOUNDS = "PriceValidationError"

    @property
    def is_unknown(self) -> bool:
        """Whether something could not be asked. Unknown is not no."""
        return self.value.endswith(("_unknown", "_unavailable"))
