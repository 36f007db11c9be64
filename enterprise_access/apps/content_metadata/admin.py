"""Modes of runs in the admin."""

from django.contrib import admin

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.lib.admin import ReadOnlyAdmin


@admin.register(RunModes)
class RunModesAdmin(ReadOnlyAdmin):
    """The modes that the LMS told us of."""

    list_display = ["course_run_key", "modes", "is_invitation_only", "fetched_at"]
    search_fields = ["course_run_key"]
