"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.default_enrollments.api.views import LearnerStatusView, RealizeView

PREFIX = "default-enterprise-enrollment-intentions"

urlpatterns = [
    path(f"{PREFIX}/learner-status/", LearnerStatusView.as_view(), name="learner-status"),
    path(f"{PREFIX}/realize/", RealizeView.as_view(), name="realize"),
]
