"""Health, beside the versioned API."""

from django.urls import path

from enterprise_access.apps.core.api.views import live

urlpatterns = [path("health/live/", live, name="health-live")]
