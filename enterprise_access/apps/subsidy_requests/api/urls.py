"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.subsidy_requests.api.views.configurations import ConfigurationsView, ConfigurationView
from enterprise_access.apps.subsidy_requests.api.views.credit import (
    ApproveAllLearnerCreditRequestsView,
    ApproveLearnerCreditRequestsView,
    CancelLearnerCreditRequestView,
    DeclineAllLearnerCreditRequestsView,
    DeclineLearnerCreditRequestView,
    LearnerCreditRequestsOverviewView,
    LearnerCreditRequestsView,
    LearnerCreditRequestView,
    RemindOfLearnerCreditRequestView,
)
from enterprise_access.apps.subsidy_requests.api.views.licenses import (
    ApproveCouponCodeRequestsView,
    ApproveLicenseRequestsView,
    CouponCodeRequestsOverviewView,
    CouponCodeRequestsView,
    CouponCodeRequestView,
    DeclineCouponCodeRequestsView,
    DeclineLicenseRequestsView,
    LicenseRequestsOverviewView,
    LicenseRequestsView,
    LicenseRequestView,
)

LICENSES = "license-requests"
CODES = "coupon-code-requests"
CREDIT = "learner-credit-requests"
CONFIGURATIONS = "customer-configurations"

urlpatterns = [
    path(f"{CONFIGURATIONS}/", ConfigurationsView.as_view(), name="customer-configurations"),
    path(f"{CONFIGURATIONS}/<uuid:customer_uuid>/", ConfigurationView.as_view(), name="customer-configuration"),
    path(f"{LICENSES}/", LicenseRequestsView.as_view(), name="license-requests"),
    path(f"{LICENSES}/overview/", LicenseRequestsOverviewView.as_view(), name="license-requests-overview"),
    path(f"{LICENSES}/approve/", ApproveLicenseRequestsView.as_view(), name="license-requests-approve"),
    path(f"{LICENSES}/decline/", DeclineLicenseRequestsView.as_view(), name="license-requests-decline"),
    path(f"{LICENSES}/<uuid:request_uuid>/", LicenseRequestView.as_view(), name="license-request"),
    path(f"{CODES}/", CouponCodeRequestsView.as_view(), name="coupon-code-requests"),
    path(f"{CODES}/overview/", CouponCodeRequestsOverviewView.as_view(), name="coupon-code-requests-overview"),
    path(f"{CODES}/approve/", ApproveCouponCodeRequestsView.as_view(), name="coupon-code-requests-approve"),
    path(f"{CODES}/decline/", DeclineCouponCodeRequestsView.as_view(), name="coupon-code-requests-decline"),
    path(f"{CODES}/<uuid:request_uuid>/", CouponCodeRequestView.as_view(), name="coupon-code-request"),
    path(f"{CREDIT}/", LearnerCreditRequestsView.as_view(), name="learner-credit-requests"),
    path(f"{CREDIT}/overview/", LearnerCreditRequestsOverviewView.as_view(), name="learner-credit-requests-overview"),
    path(f"{CREDIT}/approve/", ApproveLearnerCreditRequestsView.as_view(), name="learner-credit-requests-approve"),
    path(
        f"{CREDIT}/approve-all/",
        ApproveAllLearnerCreditRequestsView.as_view(),
        name="learner-credit-requests-approve-all",
    ),
    path(f"{CREDIT}/decline/", DeclineLearnerCreditRequestView.as_view(), name="learner-credit-requests-decline"),
    path(
        f"{CREDIT}/decline-all/",
        DeclineAllLearnerCreditRequestsView.as_view(),
        name="learner-credit-requests-decline-all",
    ),
    path(f"{CREDIT}/cancel/", CancelLearnerCreditRequestView.as_view(), name="learner-credit-requests-cancel"),
    path(f"{CREDIT}/remind/", RemindOfLearnerCreditRequestView.as_view(), name="learner-credit-requests-remind"),
    path(f"{CREDIT}/<uuid:request_uuid>/", LearnerCreditRequestView.as_view(), name="learner-credit-request"),
]
