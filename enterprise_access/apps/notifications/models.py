"""Mails that are due: one row for each fact that a person is told, whatever happens to the worker that sends it."""

from uuid import uuid4

from django.db import models

from enterprise_access.apps.notifications.domain import NotificationOutcome
from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


class Notification(WorkItem):
    """A mail about one thing (`subject`) that happened once (`occurrence`). It holds no text and no address.

    An address is read from the subject when the mail is sent, and nowhere kept.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=64)
    subject = models.UUIDField(help_text="The row that the mail is about, and that leads to the address.")
    occurrence = models.CharField(max_length=64, help_text="Which time it happened to the subject.")
    customer_uuid = models.UUIDField()
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    created = models.DateTimeField()
    attempted_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last handed to the provider. Set before the call."
    )
    outcome = models.CharField(
        max_length=16,
        blank=True,
        choices=[(outcome.value, outcome.value) for outcome in NotificationOutcome],
        help_text="Empty: still to be sent.",
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=100, blank=True)

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "uuid"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "kind", "occurrence"], name="one_mail_per_fact"),
            lease_complete(name="notification_lease_complete"),
        ]
        indexes = [
            models.Index(fields=["priority", "due_at"], name="notification_by_due"),
            models.Index(fields=["outcome", "settled_at"], name="notification_by_outcome"),
            models.Index(fields=["due_at"], name="notification_by_due_time"),
            models.Index(fields=["leased_until"], name="notification_by_lease"),
            models.Index(fields=["failed_at"], name="notification_by_failure"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uuid}"
