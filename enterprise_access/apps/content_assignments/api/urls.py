"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.content_assignments.api.admin_views import (
    AdminAssignmentsView,
    AdminAssignmentView,
    CancelAllView,
    CancelView,
    NudgeView,
    RemindAllView,
    RemindView,
)
from enterprise_access.apps.content_assignments.api.configuration_views import (
    AssignmentConfigurationsView,
    AssignmentConfigurationView,
)
from enterprise_access.apps.content_assignments.api.views import (
    AcknowledgeView,
    AllocateView,
    OwnAssignmentsView,
    OwnAssignmentView,
)

ONE = "assignment-configurations/<uuid:configuration_uuid>/"
ADMIN = f"{ONE}admin/assignments/"

urlpatterns = [
    path("policy-allocation/<uuid:policy_uuid>/allocate/", AllocateView.as_view(), name="allocate"),
    path("assignment-configurations/", AssignmentConfigurationsView.as_view(), name="assignment-configurations"),
    path(ONE, AssignmentConfigurationView.as_view(), name="assignment-configuration"),
    path(f"{ONE}assignments/", OwnAssignmentsView.as_view(), name="assignments"),
    path(f"{ONE}assignments/<uuid:assignment_uuid>/", OwnAssignmentView.as_view(), name="assignment"),
    path(f"{ONE}acknowledge-assignments/", AcknowledgeView.as_view(), name="acknowledge-assignments"),
    path(ADMIN, AdminAssignmentsView.as_view(), name="admin-assignments"),
    path(f"{ADMIN}cancel/", CancelView.as_view(), name="cancel-assignments"),
    path(f"{ADMIN}cancel-all/", CancelAllView.as_view(), name="cancel-all-assignments"),
    path(f"{ADMIN}remind/", RemindView.as_view(), name="remind-assignments"),
    path(f"{ADMIN}remind-all/", RemindAllView.as_view(), name="remind-all-assignments"),
    path(f"{ADMIN}nudge/", NudgeView.as_view(), name="nudge-assignments"),
    path(f"{ADMIN}<uuid:assignment_uuid>/", AdminAssignmentView.as_view(), name="admin-assignment"),
]
