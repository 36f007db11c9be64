"""Refusals that clients know as 422: of allocating a list, of everything else the project's own error."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.response import Response

from enterprise_access.apps.content_assignments.errors import AllocationRefused
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy
from enterprise_access.lib.errors import Conflict
from enterprise_access.lib.middleware import error_body

_NO_FUNDS: Final = _("You can't enroll right now because your organization doesn't have enough funds.")
_LATER: Final = _("This could not be checked at the moment. Try again in a few minutes.")
_MESSAGES: Final = {
    CreditReason.POLICY_EXPIRED: _("This budget is not active."),
    CreditReason.POLICY_NOT_ASSIGNABLE: _("Courses cannot be assigned from this budget."),
    CreditReason.SUBSIDY_EXPIRED: _("The learner credit of your organization has expired or has not started yet."),
    CreditReason.CONTENT_NOT_IN_CATALOG: _("The course is not in the catalog of this budget."),
    CreditReason.CONTENT_PRICE_UNKNOWN: _("The price of the course is not known."),
    CreditReason.BEYOND_ENROLLMENT_DEADLINE: _("The enrollment deadline of the course has passed."),
    CreditReason.PRICE_OUT_OF_BOUNDS: _("An error occurred while validating the provided price."),
    CreditReason.NOT_ENOUGH_VALUE: _NO_FUNDS,
    CreditReason.POLICY_SPEND_LIMIT: _NO_FUNDS,
    CreditReason.LEARNER_SPEND_LIMIT: _("The learner has reached the spend limit of this budget."),
    CreditReason.LEARNER_ENROLLMENT_LIMIT: _("The learner has reached the enrollment limit of this budget."),
}


def refused_allocation(error: AllocationRefused, policy: SubsidyAccessPolicy) -> Response:
    """Answer with the list that the admin portal reads. It names no person: portals report errors elsewhere."""
    reason = CreditReason(error.reason.value)
    body: dict[str, Any] = {
        "reason": reason.value,
        "user_message": str(_MESSAGES.get(reason, _LATER)),
        "metadata": {"enterprise_administrators": []},
        "policy_uuids": [str(policy.pk)],
    }
    if reason is CreditReason.PRICE_OUT_OF_BOUNDS:
        body["error_message"] = str(_("The price is too far from the one in the catalog."))
    return Response([body], status=status.HTTP_422_UNPROCESSABLE_ENTITY)


def unprocessable(error: Conflict) -> Response:
    """Answer with 422, which clients of these addresses know, in place of 409."""
    body = error_body(code=error.code, detail=error.detail, extra=error.extra)
    return Response(body, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
