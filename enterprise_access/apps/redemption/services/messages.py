"""What a learner is told when nothing pays. Every reason has a sentence, so that no button is disabled without one."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

_NO_FUNDS: Final = _("You can't enroll right now because your organization doesn't have enough funds.")
_LIMITS: Final = _("You can't enroll right now because of limits set by your organization.")
_NOT_ASSIGNED: Final = _("You can't enroll right now because this course is not assigned to you.")
_NOT_REQUESTED: Final = _("You can't enroll right now because you have no approved request for this course.")
_SHORTLY: Final = _("We can't check right now whether your organization pays for this course. Try again shortly.")

_MESSAGES: Final[Mapping[CreditReason, Promise]] = {
    CreditReason.POLICY_EXPIRED: _NO_FUNDS,
    CreditReason.LEARNER_NOT_IN_ENTERPRISE: _(
        "You can't enroll right now because your account is no longer associated with the organization."
    ),
    CreditReason.LEARNER_NOT_IN_GROUP: _(
        "You can't enroll right now because you are not a member of a group that this budget is for."
    ),
    CreditReason.LEARNER_STATE_UNKNOWN: _SHORTLY,
    CreditReason.CONTENT_NOT_IN_CATALOG: _(
        "You can't enroll right now because this course is no longer available in your organization's catalog."
    ),
    CreditReason.CONTENT_PRICE_UNKNOWN: _SHORTLY,
    CreditReason.CATALOG_UNAVAILABLE: _SHORTLY,
    CreditReason.BEYOND_ENROLLMENT_DEADLINE: _(
        "You can't enroll right now because the enrollment deadline for this course has passed."
    ),
    CreditReason.SUBSIDY_EXPIRED: _("You can't enroll right now because your funds expired."),
    CreditReason.SUBSIDY_UNAVAILABLE: _SHORTLY,
    CreditReason.ALREADY_ENROLLED: _("You are already enrolled in this course."),
    CreditReason.REDEMPTION_IN_PROGRESS: _("Your enrollment in this course is already on its way. Try again shortly."),
    CreditReason.NOT_ASSIGNED: _NOT_ASSIGNED,
    CreditReason.ASSIGNMENT_CANCELLED: _(
        "You can't enroll right now because your administrator canceled your course assignment."
    ),
    CreditReason.ASSIGNMENT_FAILED: _NOT_ASSIGNED,
    CreditReason.ASSIGNMENT_EXPIRED: _("You can't enroll right now because your course assignment expired."),
    CreditReason.ASSIGNMENT_REVERSED: _(
        "You can't enroll right now because you left this course and its price was refunded."
    ),
    CreditReason.NOT_ENOUGH_VALUE: _NO_FUNDS,
    CreditReason.POLICY_SPEND_LIMIT: _NO_FUNDS,
    CreditReason.LEARNER_SPEND_LIMIT: _LIMITS,
    CreditReason.LEARNER_ENROLLMENT_LIMIT: _LIMITS,
    CreditReason.PRICE_CHANGED: _("You can't enroll right now because the price of this course has changed."),
    CreditReason.ENROLLMENT_FAILED: _("Your enrollment in this course failed, and nothing was charged. Try again."),
    CreditReason.POLICY_NOT_ASSIGNABLE: _NOT_ASSIGNED,
    CreditReason.PRICE_OUT_OF_BOUNDS: _("You can't enroll right now because the price of this course has changed."),
}


def message_of(reason: CreditReason, *, by_request: bool = False) -> str:
    """Return the sentence for learners, in their language. `by_request`: the budget pays for approved requests."""
    if by_request and reason is CreditReason.NOT_ASSIGNED:
        return str(_NOT_REQUESTED)
    return str(_MESSAGES[reason])
