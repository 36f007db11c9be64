"""Mounted under the API's version by the project's urls."""

from django.urls import path

from enterprise_access.apps.subsidy_access_policies.api.groups import (
    GroupAssociationView,
    GroupMembersView,
    PolicyGroupsView,
    PolicyGroupView,
)
from enterprise_access.apps.subsidy_access_policies.api.views import PoliciesView, PolicyView

PREFIX = "subsidy-access-policies"

urlpatterns = [
    path(f"{PREFIX}/", PoliciesView.as_view(), name="policies"),
    path(f"{PREFIX}/<uuid:policy_uuid>/", PolicyView.as_view(), name="policy"),
    path(f"{PREFIX}/<uuid:policy_uuid>/group-associations/", PolicyGroupsView.as_view(), name="policy-groups"),
    path(
        f"{PREFIX}/<uuid:policy_uuid>/group-associations/<uuid:group_uuid>/",
        PolicyGroupView.as_view(),
        name="policy-group",
    ),
    # The admin portal calls these two without a slash at the end.
    path(f"{PREFIX}/<uuid:policy_uuid>/group-members", GroupMembersView.as_view(), name="policy-group-members"),
    path(
        "<uuid:customer_uuid>/delete-group-association/<uuid:group_uuid>",
        GroupAssociationView.as_view(),
        name="delete-group-association",
    ),
]
