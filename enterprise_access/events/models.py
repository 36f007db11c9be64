"""What is not yet said on the bus, and what was heard there and could not be handled."""

from uuid import uuid1

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone

from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


class OutboxQuerySet(WorkItemQuerySet["Outbox"]):
    """Filters of the outbox."""

    def heads(self) -> "OutboxQuerySet":
        """Return the oldest event of every key: the only ones that may go now."""
        older = Outbox.objects.filter(key=OuterRef("key"), pk__lt=OuterRef("pk"))
        return self.filter(~Exists(older))


class Outbox(WorkItem):
    """An event of ours that is not on the bus yet. Written with the state that it reports; deleted once it is sent.

    Events with the same key are sent in the order of their ids. A relay holds a key by leasing its oldest event.
    """

    key = models.CharField(max_length=100, help_text="What the order is kept for, e.g. learner:1001.")
    event_id = models.UUIDField(default=uuid1, unique=True)
    event_type = models.CharField(max_length=150)
    data = models.JSONField()
    occurred_at = models.DateTimeField()
    due_at = models.DateTimeField(default=timezone.now, db_column="next_try_at")
    failures = models.PositiveIntegerField(default=0)
    waiting_for = models.CharField(max_length=100, blank=True, db_column="last_error")

    objects = OutboxQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            lease_complete(name="an_outbox_lease_is_whole"),
        ]
        indexes = [
            models.Index(fields=["key", "id"], name="outbox_by_key"),
            models.Index(fields=["waiting_for", "due_at"], name="outbox_by_error"),
            models.Index(fields=["leased_until"], name="outbox_by_lease"),
        ]
        verbose_name = "event to be sent"
        verbose_name_plural = "outbox"

    def __str__(self) -> str:
        return f"{self.event_type} of {self.key}"


class SetAside(models.Model):
    """A message that could not be read or handled, and was acknowledged so that others are not kept waiting.

    What was in it is deliberately not kept; as long as the bus still has the message, its id finds it there.
    """

    topic = models.CharField(max_length=200)
    message_id = models.CharField(max_length=50, help_text="Of the bus.")
    event_id = models.CharField(max_length=50, blank=True, help_text="Of the sender, if that could be read.")
    event_type = models.CharField(max_length=150, blank=True)
    error = models.CharField(max_length=500, help_text="What went wrong, and where. Never what was in the message.")
    tries = models.PositiveIntegerField()
    set_aside_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-set_aside_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["topic", "message_id"], name="one_row_per_message_set_aside"),
        ]
        verbose_name = "message set aside"
        verbose_name_plural = "messages set aside"

    def __str__(self) -> str:
        return f"{self.message_id} of {self.topic}"
