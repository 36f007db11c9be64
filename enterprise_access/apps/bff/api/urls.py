"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.bff.api.not_yet import (
    CouponCodeRequestsView,
    CreditsAvailableView,
    CustomerConfigurationView,
    LearnerCreditRequestsView,
    LicenseRequestsView,
)
from enterprise_access.apps.bff.api.views import AcademyView, DashboardView, SearchView, SkillsQuizView

PREFIX = "bffs/learner"

urlpatterns = [
    path(f"{PREFIX}/dashboard/", DashboardView.as_view(), name="portal-dashboard"),
    path(f"{PREFIX}/search/", SearchView.as_view(), name="portal-search"),
    path(f"{PREFIX}/academy/", AcademyView.as_view(), name="portal-academy"),
    path(f"{PREFIX}/skills-quiz/", SkillsQuizView.as_view(), name="portal-skills-quiz"),
    path("learner-credit-requests/", LearnerCreditRequestsView.as_view(), name="learner-credit-requests"),
    path("license-requests/", LicenseRequestsView.as_view(), name="license-requests"),
    path("coupon-code-requests/", CouponCodeRequestsView.as_view(), name="coupon-code-requests"),
    path(
        "customer-configurations/<uuid:customer_uuid>/",
        CustomerConfigurationView.as_view(),
        name="customer-configuration",
    ),
    path("policy-redemption/credits_available/", CreditsAvailableView.as_view(), name="credits-available"),
]
