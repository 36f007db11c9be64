"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.redemption.api.views import (
    CanRedeemView,
    CanRequestView,
    CreditsAvailableView,
    ExplainCreditView,
    RedeemView,
    RedemptionAttemptView,
)

PREFIX = "policy-redemption"

urlpatterns = [
    path(f"{PREFIX}/credits_available/", CreditsAvailableView.as_view(), name="credits-available"),
    path(f"{PREFIX}/enterprise-customer/<uuid:customer_uuid>/can-redeem/", CanRedeemView.as_view(), name="can-redeem"),
    path(
        f"{PREFIX}/enterprise-customer/<uuid:customer_uuid>/can-request/", CanRequestView.as_view(), name="can-request"
    ),
    path(
        f"{PREFIX}/enterprise-customer/<uuid:customer_uuid>/explain/",
        ExplainCreditView.as_view(),
        name="explain-credit",
    ),
    path(
        f"{PREFIX}/redemption-attempts/<uuid:attempt_uuid>/", RedemptionAttemptView.as_view(), name="redemption-attempt"
    ),
    path(f"{PREFIX}/<uuid:policy_uuid>/redeem/", RedeemView.as_view(), name="policy-redeem"),
]
