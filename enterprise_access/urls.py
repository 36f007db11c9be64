"""Mounts every app's API; the only file that knows all apps."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerView

from enterprise_access.apps.core.admin import neighbours, view_on_site
from enterprise_access.apps.core.api.document import DocumentView
from enterprise_access.apps.default_enrollments.admin.overview import MAY_SEE as OVERVIEW

admin.site.site_header = admin.site.site_title = "enterprise-access"
admin.site.index_title = "Enrollments and learner credit of enterprise customers"

# The overview shows in short what this page shows.
_for_who_sees_the_overview = permission_required(OVERVIEW, raise_exception=True)

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("enterprise_access.apps.core.api.urls")),
    path("admin/neighbours/", admin.site.admin_view(_for_who_sees_the_overview(neighbours)), name="neighbours"),
    path("admin/", include("enterprise_access.apps.default_enrollments.admin.urls")),
    path("admin/r/<path:content_type_id>/<path:object_id>/", admin.site.admin_view(view_on_site)),
    path("admin/", admin.site.urls),
    path("api/schema/", DocumentView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("", include("csrf.urls")),
    path("api/v1/", include("enterprise_access.apps.default_enrollments.api.urls")),
    path("api/v1/", include("enterprise_access.apps.course_types.api.urls")),
    path("api/v1/", include("enterprise_access.apps.redemption.api.urls")),
    path("api/v1/", include("enterprise_access.apps.provisioning.api.urls")),
    path("api/v1/", include("enterprise_access.apps.content_assignments.api.urls")),
    path("api/v1/", include("enterprise_access.apps.subsidy_requests.api.urls")),
    path("api/v1/", include("enterprise_access.apps.subsidy_access_policies.api.urls")),
    path("api/v1/", include("enterprise_access.apps.bff.api.urls")),
]

if settings.SIGN_IN_THROUGH_LMS:
    # Before the rest: its way into the admin pages comes first.
    urlpatterns.insert(0, path("", include("enterprise_access.apps.core.api.sign_in")))
