"""Default enrollments that customers intend.

========  =====================================  =====================================================
State     Columns                                What comes next
========  =====================================  =====================================================
living    `deleted_at` empty                     staff delete it
deleted   `deleted_at` set                       adding the same key again restores this row
========  =====================================  =====================================================
"""

from typing import Any
from uuid import UUID, uuid4

from django.db import models
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.content_metadata.domain import ContentType, content_type_of
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.lib.keys import fold


class IntentionQuerySet(models.QuerySet["DefaultEnterpriseEnrollmentIntention"]):
    """Filters of intentions."""

    def living(self) -> "IntentionQuerySet":
        return self.filter(deleted_at=None)

    def of_customer(self, customer_uuid: UUID) -> "IntentionQuerySet":
        return self.filter(customer_id=customer_uuid)


class DefaultEnterpriseEnrollmentIntention(TimeStampedModel):
    """ "Every learner of this customer starts with this course, or with this very run." """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    customer = models.ForeignKey(EnterpriseCustomer, on_delete=models.PROTECT, related_name="intentions")
    content_key = models.CharField(
        max_length=255, help_text="A course key (edX+DemoX) or a run key (course-v1:edX+DemoX+2026_T1)."
    )
    content_key_folded = models.CharField(max_length=255, editable=False)
    content_type = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind in ContentType], editable=False
    )
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = IntentionQuerySet.as_manager()
    history = HistoricalRecords()

    class Meta:
        ordering = ["customer_id", "created", "uuid"]
        constraints = [
            # Deleted rows count too: a deleted twin is restored, not made again.
            models.UniqueConstraint(fields=["customer", "content_key_folded"], name="one_intention_per_key"),
        ]
        verbose_name = "default enrollment intention"

    def __str__(self) -> str:
        return self.content_key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fill the columns that follow from the key. Raises MalformedContentKey when it is neither course nor run."""
        self.content_key = self.content_key.strip()
        self.content_key_folded = fold(self.content_key)
        self.content_type = content_type_of(self.content_key).value
        if fields := kwargs.get("update_fields"):
            kwargs["update_fields"] = {*fields, "content_key_folded", "content_type"}
        super().save(*args, **kwargs)

    @property
    def content_kind(self) -> ContentType:
        """Whether the key names a course, or a very run."""
        return ContentType(self.content_type)

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None
