"""The event bus in the admin: what waits to be sent, and what could not be handled."""

from django.contrib import admin

from enterprise_access.events.models import Outbox, SetAside
from enterprise_access.lib.admin import ReadOnlyAdmin


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    """Events that have not been sent."""

    list_display = ["event_type", "key", "occurred_at", "failures", "waiting_for", "due_at"]
    list_filter = ["event_type", "waiting_for"]
    search_fields = ["=key", "=event_id"]


@admin.register(SetAside)
class SetAsideAdmin(ReadOnlyAdmin):
    """Messages that could not be handled. `consume_topic --try-set-aside-again` tries them once more."""

    list_display = ["topic", "message_id", "event_type", "error", "tries", "set_aside_at"]
    list_filter = ["topic", "event_type"]
