"""The project's addresses, and the floor. Used by benchmarks/api_settings.py alone."""

from django.urls import include, path

from benchmarks.api_floor import FloorView

urlpatterns = [path("floor/<slug:name>/", FloorView.as_view()), path("", include("enterprise_access.urls"))]
