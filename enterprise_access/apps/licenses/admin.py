"""Claims in the admin: why a learner's license is not activated yet."""

from django.contrib import admin

from enterprise_access.apps.licenses.models import LicenseClaim
from enterprise_access.lib.admin import LearnerRowsAdmin


@admin.register(LicenseClaim)
class LicenseClaimAdmin(LearnerRowsAdmin):
    """What the last page load that had something to do for a learner's licenses came to."""

    list_display = ["lms_user_id", "customer_uuid", "problem", "held_until", "ended_at"]
    list_filter = ["problem"]
    uuid_paths = ("customer_uuid",)
    search_fields = ["problem"]
    search_help_text = "An LMS user id, the UUID of a customer, or a part of a problem's code."
