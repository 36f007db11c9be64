"""Mounts every app's API; the only file that knows all apps."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from enterprise_access.apps.core.admin import neighbours

admin.site.site_header = admin.site.site_title = "enterprise-access"
admin.site.index_title = "Default enrollments of enterprise customers"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("", include("enterprise_access.apps.core.api.urls")),
    path("admin/neighbours/", admin.site.admin_view(neighbours), name="neighbours"),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("enterprise_access.apps.default_enrollments.api.urls")),
]
