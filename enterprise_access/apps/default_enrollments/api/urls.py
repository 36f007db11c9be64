"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.default_enrollments.api.views.intentions import (
    IntentionHealthView,
    IntentionHistoryView,
    IntentionsView,
    IntentionView,
    PreviewView,
    RestoreIntentionView,
)
from enterprise_access.apps.default_enrollments.api.views.learners import (
    ExplainView,
    FindLearnersView,
    LearnerStatusView,
    RealizeView,
)
from enterprise_access.apps.default_enrollments.api.views.operations import (
    BulkAddView,
    CheckIntentionView,
    CustomersView,
    PauseView,
    QueueView,
    ResumeView,
)
from enterprise_access.apps.default_enrollments.api.views.overrides import CancelOverrideView, OverridesView
from enterprise_access.apps.default_enrollments.api.views.records import (
    AttemptsView,
    AttemptView,
    RealizationsView,
    RealizationView,
)

PREFIX = "default-enterprise-enrollment-intentions"
REALIZATIONS = "default-enterprise-enrollment-realizations"
OVERRIDES = "default-enterprise-enrollment-overrides"
PAUSES = "default-enterprise-enrollment-pauses"
REQUESTS = "default-enterprise-enrollment-requests"
ATTEMPTS = "default-enterprise-enrollment-attempts"

urlpatterns = [
    path(f"{PREFIX}/", IntentionsView.as_view(), name="intentions"),
    path(f"{PREFIX}/preview/", PreviewView.as_view(), name="intention-preview"),
    path(f"{PREFIX}/health/", IntentionHealthView.as_view(), name="intention-health"),
    path(f"{PREFIX}/<uuid:intention_uuid>/", IntentionView.as_view(), name="intention"),
    path(f"{PREFIX}/<uuid:intention_uuid>/restore/", RestoreIntentionView.as_view(), name="intention-restore"),
    path(f"{PREFIX}/<uuid:intention_uuid>/history/", IntentionHistoryView.as_view(), name="intention-history"),
    path(f"{REALIZATIONS}/", RealizationsView.as_view(), name="realizations"),
    path(f"{REALIZATIONS}/<uuid:realization_uuid>/", RealizationView.as_view(), name="realization"),
    path(f"{ATTEMPTS}/", AttemptsView.as_view(), name="attempts"),
    path(f"{ATTEMPTS}/<int:attempt_id>/", AttemptView.as_view(), name="attempt"),
    path(f"{PREFIX}/bulk/", BulkAddView.as_view(), name="intentions-bulk"),
    path(f"{PREFIX}/<uuid:intention_uuid>/check/", CheckIntentionView.as_view(), name="intention-check"),
    path(f"{OVERRIDES}/", OverridesView.as_view(), name="overrides"),
    path(f"{OVERRIDES}/<int:override_id>/cancel/", CancelOverrideView.as_view(), name="override-cancel"),
    path(f"{PAUSES}/pause/", PauseView.as_view(), name="pause"),
    path(f"{PAUSES}/resume/", ResumeView.as_view(), name="resume"),
    path(f"{REQUESTS}/", QueueView.as_view(), name="requests"),
    path("enterprise-customers/", CustomersView.as_view(), name="customers"),
    path("learners/find/", FindLearnersView.as_view(), name="find-learners"),
    path(f"{PREFIX}/learner-status/", LearnerStatusView.as_view(), name="learner-status"),
    path(f"{PREFIX}/explain/", ExplainView.as_view(), name="explain"),
    path(f"{PREFIX}/realize/", RealizeView.as_view(), name="realize"),
]
