"""Admin pages that show and do not change, and pages that ask a neighbour before they save."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from simple_history.admin import SimpleHistoryAdmin


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list and pages to look at. What may be done has an action, which calls a service."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyHistoryAdmin(SimpleHistoryAdmin):
    """Shows earlier states. None can be brought back by a button, which would go around every rule (and which the
    library offers to everybody who may look)."""

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def history_form_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        answer: HttpResponse = super().history_form_view(request, *args, **kwargs)
        return answer


class AsksBeforeAddingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adds without Django's transaction around the whole page: a neighbour is asked while the form is checked, and no
    lock may be held for so long. What is added is one row, which a service writes."""

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        page = super().changeform_view if object_id else self._changeform_view  # type: ignore[attr-defined]
        return page(request, object_id, form_url, extra_context)
