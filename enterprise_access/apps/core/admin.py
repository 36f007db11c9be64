"""Users in the admin, and how the neighbours are."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse

from enterprise_access.apps.core.models import User
from enterprise_access.lib.breaker import neighbour_states


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """People who have called us, and what staff may do in the admin."""

    list_display = ["username", "lms_user_id", "is_staff", "is_active", "last_login"]
    search_fields = ["username", "lms_user_id"]
    readonly_fields = ["lms_user_id", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "lms_user_id"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]


def neighbours(request: HttpRequest) -> TemplateResponse:
    """Show which neighbours are left alone because they do not answer, as any process has noticed."""
    context = admin.site.each_context(request) | {"title": "Neighbours", "states": neighbour_states()}
    return TemplateResponse(request, "core/neighbours.html", context)
