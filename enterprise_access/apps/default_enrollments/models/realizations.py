"""Enrollments that were made for an intention.

==========  ============================================  ================================================
State       Columns                                       What comes next
==========  ============================================  ================================================
enrolled    `left_at` and `downgraded_at` empty           an event or a comparison sees a change
downgraded  `downgraded_at` set                           upgraded again, where something pays: enrolled
left        `left_at` and `left_reason` set               stays, unless staff grant an override: enrolled
==========  ============================================  ================================================
"""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.default_enrollments.models.intentions import DefaultEnterpriseEnrollmentIntention


class DefaultEnterpriseEnrollmentRealization(TimeStampedModel):
    """An intention that became an enrollment of one learner. Says nothing of what paid for it.

    The LMS's own enrollment is the one of (enterprise_customer_user_id, course_run_key).
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    intention = models.ForeignKey(
        DefaultEnterpriseEnrollmentIntention, on_delete=models.PROTECT, related_name="realizations"
    )
    lms_user_id = models.PositiveBigIntegerField()
    enterprise_customer_user_id = models.PositiveBigIntegerField()
    course_key = models.CharField(max_length=255)
    course_uuid = models.UUIDField(
        null=True, blank=True, editable=False, help_text="The catalog's id of the course, which outlives a rename."
    )
    course_run_key = models.CharField(max_length=255)
    predicted_mode = models.CharField(max_length=100, help_text="The mode that we expected the LMS to choose.")
    seen_mode = models.CharField(
        max_length=100, blank=True, help_text="The mode seen at the last read. Empty: not yet."
    )
    realized_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True, help_text="When it was first seen that the learner had left.")
    left_reason = models.CharField(max_length=50, blank=True)
    downgraded_at = models.DateTimeField(null=True, blank=True, help_text="When it was first seen to be audit again.")
    compared_at = models.DateTimeField(
        help_text="When it was last compared with the platform.", db_index=True, editable=False
    )

    history = HistoricalRecords(excluded_fields=["compared_at"])

    class Meta:
        ordering = ["-realized_at", "uuid"]
        constraints = [
            models.UniqueConstraint(
                fields=["intention", "lms_user_id"], name="one_realization_per_intention_and_learner"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None, left_reason="") | (Q(left_at__isnull=False) & ~Q(left_reason="")),
                name="left_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["lms_user_id"], name="realization_by_learner"),
            # The order of lists: a page of 100,000 rows is read off it instead of being sorted.
            models.Index(fields=["realized_at", "uuid"], name="realization_by_time"),
            # Who left for a reason that is still to be found out.
            models.Index(fields=["left_reason", "compared_at"], name="realization_by_left_reason"),
        ]
        verbose_name = "default enrollment realization"

    def __str__(self) -> str:
        return f"{self.course_run_key} of learner {self.lms_user_id}"
