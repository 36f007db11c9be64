"""The admin's site: every page of a table is refused to whoever may do nothing with that table."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Where an app stands that names no place: after those that do.
LAST: Final = 100

View = Callable[..., Any]


class GuardedAdminSite(AdminSite):
    """Django looks for a row before it looks for a permission, which tells everybody on staff which rows there are."""

    def admin_view(self, view: View, cacheable: bool = False) -> Any:
        """Wrap a page, as Django does; one of a table asks for any permission on it before anything else."""
        owner = getattr(view, "__self__", None)
        return super().admin_view(_guarded(view, owner) if isinstance(owner, ModelAdmin) else view, cacheable)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the apps by how often staff need them (`admin_order` of an app's configuration), and not by name."""
        return sorted(super().get_app_list(request, app_label), key=lambda app: _order_of(app["app_label"]))


def _order_of(app_label: str) -> int:
    return getattr(apps.get_app_config(app_label), "admin_order", LAST)


def _guarded(view: View, owner: "ModelAdmin[Any]") -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not any(owner.get_model_perms(request).values()):
            raise PermissionDenied
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response

    return guarded
