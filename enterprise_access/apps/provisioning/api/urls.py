"""Mounted under the API's version by the project's urls. The earlier service's routes have no slash at the end."""

from django.urls import path, re_path

from enterprise_access.apps.provisioning.api.views import LineItemView, ProvisioningView, RetryView, WorkflowView

WORKFLOW = "provisioning/workflows/<uuid:workflow_uuid>"

urlpatterns = [
    # A pattern that ends with a dollar sign is matched as a whole.
    re_path(r"provisioning/?$", ProvisioningView.as_view(), name="provisioning"),
    re_path(r"provisioning/subscription-plan-oli-update/?$", LineItemView.as_view(), name="provisioning-line-item"),
    path(f"{WORKFLOW}/", WorkflowView.as_view(), name="provisioning-workflow"),
    path(f"{WORKFLOW}/retry/", RetryView.as_view(), name="provisioning-retry"),
]
