"""Health and metrics, beside the versioned API."""

from django.urls import path

from enterprise_access.apps.core.api.health import live, metrics, ready

urlpatterns = [
    path("health/live/", live, name="health-live"),
    path("health/ready/", ready, name="health-ready"),
    path("metrics", metrics, name="metrics"),
]
