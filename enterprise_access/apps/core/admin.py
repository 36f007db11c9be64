"""Users and roles in the admin, and how the upstream services are."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from waffle.models import Flag, Sample

from enterprise_access.apps.core.models import AccessRoleAssignment, User
from enterprise_access.apps.core.services import list_neighbours
from enterprise_access.lib.admin import BoundedActionsAdmin, BoundedPaginator
from enterprise_access.lib.neighbour_checks import last_neighbour_checks

# Of waffle we use switches only; nothing asks for a flag or a sample.
admin.site.unregister([Flag, Sample])


@admin.register(User)
class UserAdmin(BoundedActionsAdmin, DjangoUserAdmin):
    """People who have called us, every learner among them, and what staff may do in the admin."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_display = ["username", "lms_user_id", "is_staff", "is_active", "last_login"]
    search_fields = ["username", "lms_user_id"]
    readonly_fields = ["lms_user_id", "last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "lms_user_id"]}),
        ("Permissions", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]


@admin.register(AccessRoleAssignment)
class AccessRoleAssignmentAdmin(BoundedActionsAdmin):
    """Roles that staff give here, beside those in the LMS's token."""

    list_display = ["user", "lms_user_id", "role", "context", "created"]
    list_select_related = ["user", "role"]
    list_filter = ["role"]
    search_fields = ["user__username", "lms_user_id", "context"]
    readonly_fields = ["lms_user_id"]
    autocomplete_fields = ["user"]


# What staff look at besides lists of rows; linked from the start page of the admin.
admin.site.index_template = "core/admin_index.html"


def neighbours(request: HttpRequest) -> TemplateResponse:
    """Show the upstream services: whether a circuit is open, how fast they answer, and what we may do there."""
    services = list_neighbours()
    context = admin.site.each_context(request) | {
        "title": "Upstream services",
        "has_said": any(service["said"] for service in services),
        "services": services,
        "checks": last_neighbour_checks(),
        "has_canary": settings.LMS_CANARY_USER_ID is not None,
    }
    return TemplateResponse(request, "core/neighbours.html", context)


def view_on_site(request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponseBase:
    """Lead to the page of a row, as Django does, whoever may see it; what cannot be a key of that table leads nowhere
    (Django crashes)."""
    kind = ContentType.objects.filter(pk=content_type_id).first() if content_type_id.isdecimal() else None
    if kind is None or not request.user.has_perm(f"{kind.app_label}.view_{kind.model}"):
        raise PermissionDenied
    try:
        return shortcut(request, content_type_id, object_id)
    except ValidationError:
        raise Http404 from None
