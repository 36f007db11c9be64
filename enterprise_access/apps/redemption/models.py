"""Tries to redeem learner credit: what was requested, what is known of it, and how it ended."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.lib.keys import fold
from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


class RedemptionTrigger(models.TextChoices):
    """Who asked for a redemption."""

    LEARNER = "learner"
    DEFAULT_ENROLLMENT = "default_enrollment"
    APPROVED_REQUEST = "approved_request"
    FORCED = "forced"


class RedemptionAttemptQuerySet(WorkItemQuerySet["RedemptionAttempt"]):
    """Filters of attempts."""

    def open(self) -> "RedemptionAttemptQuerySet":
        """Return those for which money is held."""
        return self.exclude(open_for=None)

    def of_run(self, *, lms_user_id: int, run_key: str) -> "RedemptionAttemptQuerySet":
        """Return the attempts of a learner for a run, however its key is spelled."""
        return self.filter(lms_user_id=lms_user_id, content_key_folded=fold(run_key))


class RedemptionAttempt(WorkItem, TimeStampedModel):
    """One try to redeem a run for a learner. Its uuid is the idempotency key of every call to the ledger.

    While it is open, money is held for it and no other attempt for the learner and run begins: `open_for` is unique.
    `metadata` of executive education names the learner; it is emptied when the attempt ends.

    .. no_pii: LMS user ids only, except for `metadata` of an open attempt; `forget_learner` empties that too.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    policy = models.ForeignKey(
        "subsidy_access_policies.SubsidyAccessPolicy", on_delete=models.PROTECT, related_name="redemption_attempts"
    )
    subsidy_uuid = models.UUIDField(editable=False)
    customer_uuid = models.UUIDField(db_index=True, editable=False)
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    content_key = models.CharField(max_length=255, help_text="The run key as it was written.")
    content_key_folded = models.CharField(max_length=255, editable=False)
    course_key = models.CharField(max_length=255, blank=True)
    content_title = models.CharField(max_length=255, blank=True)
    run_starts_at = models.DateTimeField(null=True, blank=True)
    trigger = models.CharField(max_length=32, choices=RedemptionTrigger.choices)
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in AttemptState])
    rule = models.CharField(max_length=8, blank=True, help_text="The rule that refused it before it began.")
    reason = models.CharField(max_length=100, blank=True, help_text="Why it was refused.")
    amount = models.BigIntegerField(null=True, blank=True, help_text="In cents; what is held for it.")
    allow_late = models.BooleanField(default=False, help_text="Enroll after the enrollment deadline.")
    metadata = models.JSONField(default=dict, blank=True)
    reservation_uuid = models.UUIDField(null=True, blank=True, editable=False)
    assignment_uuid = models.UUIDField(null=True, blank=True, editable=False)
    transaction_uuid = models.UUIDField(null=True, blank=True)
    calls = models.PositiveSmallIntegerField(default=0, help_text="Calls that may have changed something.")
    first_called_at = models.DateTimeField(null=True, blank=True)
    last_called_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: no answer, or not called.")
    last_code = models.CharField(max_length=100, blank=True)
    was_enrolled = models.BooleanField(default=False, help_text="In a paid mode, before the first call.")
    ended_at = models.DateTimeField(null=True, blank=True)
    open_for = models.CharField(max_length=128, null=True, unique=True, editable=False)  # noqa: DJ001 (null: unlike all)
    leased_subsidy_uuid = models.UUIDField(null=True, unique=True, editable=False)

    objects = RedemptionAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "uuid"]
        indexes = [
            models.Index(fields=["lms_user_id", "content_key_folded"], name="redemption_by_learner"),
            models.Index(fields=["due_at"], name="redemption_by_due"),
            models.Index(fields=["state", "created"], name="redemption_by_state"),
            models.Index(fields=["transaction_uuid"], name="redemption_by_transaction"),
            models.Index(fields=["leased_until"], name="redemption_by_lease"),
            models.Index(fields=["failed_at"], name="redemption_by_failure"),
        ]
        constraints = [
            lease_complete(name="redemption_lease_complete"),
            models.CheckConstraint(
                condition=Q(open_for=None) | Q(reservation_uuid__isnull=False), name="open_redemption_holds_money"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.content_key} ({self.state})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fill the columns that follow from the others."""
        self.content_key_folded = fold(self.content_key)
        is_open = AttemptState(self.state).is_open
        # A learner who was retired has no other attempts.
        of_whom = self.lms_user_id if self.lms_user_id is not None else f"retired {self.uuid}"
        # MariaDB does not promise unique columns that are long enough for every key.
        of_what = sha256(self.content_key_folded.encode()).hexdigest()
        self.open_for = f"{of_whom}|{of_what}" if is_open else None
        super().save(*args, **kwargs)
