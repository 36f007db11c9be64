"""Mails in the admin: what became of each, and how the mails of each kind look."""

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from enterprise_access.apps.notifications.errors import NotificationSettled
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services.asking import note_bounce, send_again
from enterprise_access.apps.notifications.services.composing import Sender, language_for, render
from enterprise_access.apps.notifications.services.kinds import KINDS
from enterprise_access.apps.notifications.services.queue import QUEUE
from enterprise_access.lib import clock
from enterprise_access.lib.work.admin import WorkAdmin, chosen

_SAMPLE_SENDER = Sender(name="Acme Learning", portal_url="https://portal.example.com/acme")


@admin.register(Notification)
class NotificationAdmin(WorkAdmin):
    """Mails of all customers. No address and no text is kept, so none is shown."""

    queue = QUEUE
    list_display = [
        "kind",
        "subject",
        "lms_user_id",
        "outcome",
        "state",
        "created",
        "settled_at",
        "waiting_for",
        "error",
    ]
    list_filter = ["outcome", "kind", "waiting_for"]
    search_fields = ["=subject", "=uuid", "=lms_user_id"]
    search_help_text = "The UUID of what the mail is about, or an LMS user id."
    actions = ["retry", "send_again", "bounced"]

    @admin.action(permissions=["retry"], description="Send again (refused, or of unknown outcome)")
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        self._do(request, queryset, send_again, noted="Sent again.", told="will be sent again in a moment")

    @admin.action(permissions=["retry"], description="Record a bounce (sent, and came back)")
    def bounced(self, request: HttpRequest, queryset: Any) -> None:
        note = partial(note_bounce, now=clock.now())
        self._do(request, queryset, note, noted="Recorded a bounce.", told="were recorded as bounced")

    def _do(self, request: HttpRequest, queryset: Any, do: Callable[..., None], *, noted: str, told: str) -> None:
        """Do it to each mail that was chosen and is in a state for it."""
        rows = chosen(request, queryset)
        if rows is None:
            return
        done = []
        for row in rows:
            try:
                do(notification_uuid=row.pk)
                done.append(row)
            except NotificationSettled:
                continue
        LogEntry.objects.log_actions(
            user_id=request.user.pk or 0, queryset=done, action_flag=CHANGE, change_message=noted
        )
        messages.success(request, f"{len(done)} of {len(rows)} {told}.")

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview)
        return [path("preview/<slug:kind>/", preview, name="notifications_preview"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"kinds": sorted(KINDS.values(), key=lambda kind: kind.name)})

    def preview(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Show a mail of a kind with sample data, in one of the languages that there are."""
        if not self.has_view_permission(request) or kind not in KINDS:
            raise Http404
        sender = evolve(_SAMPLE_SENDER, language=request.GET.get("language", ""))
        context = {
            **self.admin_site.each_context(request),
            "title": KINDS[kind].title,
            "text": render(KINDS[kind], KINDS[kind].sample, sender=sender),
            "languages": settings.LANGUAGES,
            "language": language_for(sender.language),
        }
        return TemplateResponse(request, "notifications/preview.html", context)
