"""What customers intend, what happened to each learner, and what is still owed."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.content_metadata.domain import ContentType, content_type_of
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.domain.reasons import Explanation, explain
from enterprise_access.lib.keys import fold
from enterprise_access.lib.work.models import BACKGROUND, URGENT, WorkItem, WorkItemQuerySet

if TYPE_CHECKING:
    from collections.abc import Iterable


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


class Trigger(models.TextChoices):
    """What made us look at a learner."""

    LOGIN = "login"
    PORTAL = "portal"
    BACKFILL = "backfill"
    CONTENT = "content", "a change of the content"
    SWEEP = "sweep"
    RECONCILIATION = "reconciliation"
    STAFF = "staff"
    LICENSE = "license", "a change of the learner's license"


_WAITED_FOR = frozenset({Trigger.LOGIN, Trigger.PORTAL, Trigger.STAFF, Trigger.LICENSE})


def priority_of(trigger: str) -> int:
    """Say whether somebody waits for the outcome, who goes before what can wait."""
    return URGENT if trigger in _WAITED_FOR else BACKGROUND


class RealizationRequest(TimeStampedModel, WorkItem):
    """Pending work for one learner of one customer (states: lib/work/models.py). Asking twice is asking once.

    `generation` counts the asking, so that a request made while a worker is busy with the row is not lost when that
    worker settles it.

    `leased_lms_user_id` repeats the learner while a worker holds the row, and is empty otherwise. It is unique, so
    the database itself keeps two workers from working on one learner at once, whatever the customers.
    """

    customer = models.ForeignKey(EnterpriseCustomer, on_delete=models.CASCADE, related_name="requests")
    lms_user_id = models.PositiveBigIntegerField()
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    generation = models.PositiveIntegerField(default=1)
    leased_lms_user_id = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    failures = models.PositiveIntegerField(
        default=0, help_text="Checks in a row in which an upstream service did not answer."
    )
    waiting_for = models.CharField(max_length=50, blank=True, help_text="Why it is checked again, as a reason code.")
    settled_at = models.DateTimeField(null=True, blank=True)
    payment_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="When what pays for the learner changed. Earlier refusals hold up nothing."
    )
    failed_at = models.DateTimeField(
        null=True, blank=True, db_column="dead_at", help_text="Failed; staff need to look at it."
    )

    objects = WorkItemQuerySet["RealizationRequest"].as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "lms_user_id"], name="one_request_per_customer_and_learner"),
            models.CheckConstraint(
                condition=Q(lease_token=None, leased_until=None, leased_lms_user_id=None)
                | Q(lease_token__isnull=False, leased_until__isnull=False, leased_lms_user_id=F("lms_user_id")),
                name="a_lease_is_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "due_at"], name="request_by_customer_and_due"),
            models.Index(fields=["customer", "priority", "due_at"], name="request_by_priority"),
            models.Index(fields=["due_at", "customer", "priority"], name="request_by_due"),
            models.Index(fields=["leased_until"], name="request_by_lease"),
            models.Index(fields=["failed_at"], name="request_by_failure"),
        ]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id}"

    @property
    def dead_at(self) -> datetime | None:
        """The earlier name of `failed_at`, which the API still uses."""
        return self.failed_at


class Outcome(models.TextChoices):
    """How an attempt ended."""

    SENDING = "sending", "sent, no answer yet"
    REALIZED = "realized"
    NOT_NEEDED = "not_needed", "nothing to do"
    BLOCKED = "blocked"
    IN_DOUBT = "in_doubt", "no answer; it may have happened"


class RealizationAttemptQuerySet(models.QuerySet["RealizationAttempt"]):
    """Filters of attempts."""

    def unsettled(self) -> "RealizationAttemptQuerySet":
        return self.filter(outcome__in=[Outcome.SENDING, Outcome.IN_DOUBT])

    def newest(self) -> "RealizationAttemptQuerySet":
        """Return how every learner stands with every intention: the last word on each pair.

        (Written with `in`, because SQLite uses no index for a bare column that is true.)
        """
        return self.filter(is_newest__in=[True])

    def latest_of(self, lms_user_ids: "Iterable[int]", customer_uuid: UUID) -> "RealizationAttemptQuerySet":
        """Return these learners' attempts, newest last, so that a mapping by (learner, intention) keeps the newest."""
        return self.filter(intention__customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids)).order_by("pk")


class RealizationAttempt(models.Model):
    """What came of looking at one (learner, intention): the answer to "why not?".

    A row is written before anything leaves the house (`sending`), and gets its outcome afterwards. Looking again
    with the same outcome only moves `last_seen_at` and `times`. `is_newest` is for counting (whoever writes a row takes
    it from the one before); the newest of one learner is found by its id.
    """

    intention = models.ForeignKey(
        DefaultEnterpriseEnrollmentIntention, on_delete=models.PROTECT, related_name="attempts"
    )
    lms_user_id = models.PositiveBigIntegerField()
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    reason = models.CharField(max_length=50, blank=True)
    rule = models.CharField(max_length=5, blank=True)
    course_key = models.CharField(max_length=255, blank=True)
    course_uuid = models.UUIDField(null=True, blank=True, editable=False)
    course_run_key = models.CharField(max_length=255, blank=True)
    mode = models.CharField(max_length=100, blank=True)
    is_upgrade = models.BooleanField(default=False)
    was_enrolled = models.BooleanField(default=False, help_text="The learner had an enrollment in the run before.")
    enterprise_customer_user_id = models.PositiveBigIntegerField(null=True, blank=True, help_text="If it was sent.")
    trigger = models.CharField(max_length=20, choices=Trigger.choices)
    times = models.PositiveIntegerField(default=1)
    is_newest = models.BooleanField(
        default=True, db_default=True, help_text="Nothing newer is known of this learner and intention."
    )
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    objects = RealizationAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at", "-pk"]
        indexes = [
            models.Index(fields=["lms_user_id", "intention"], name="attempt_by_learner"),
            models.Index(fields=["outcome"], name="attempt_by_outcome"),
            # How learners stand with an intention is counted from this index alone, however long the past is.
            models.Index(fields=["is_newest", "intention", "outcome", "reason"], name="attempt_newest_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.reason}".strip()


class RealizationOverrideQuerySet(models.QuerySet["RealizationOverride"]):
    """Filters of overrides."""

    def active(self, now: datetime) -> "RealizationOverrideQuerySet":
        """Return those that may still let an enrollment through."""
        return self.valid(now=now, earliest=now - override_validity())

    def valid(self, *, now: datetime, earliest: datetime) -> "RealizationOverrideQuerySet":
        """Return the active ones; those that do not say when they expire were given after `earliest`."""
        is_valid = Q(expires_at__gt=now) | Q(expires_at=None, created__gt=earliest)
        return self.filter(is_valid, unused_for__isnull=False)

    def expired(self, now: datetime) -> "RealizationOverrideQuerySet":
        is_over = Q(expires_at__lte=now) | Q(expires_at=None, created__lte=now - override_validity())
        return self.filter(is_over, unused_for__isnull=False)


def override_validity() -> timedelta:
    """Return how long an override waits for the enrollment that it allows."""
    return timedelta(days=settings.OVERRIDE_VALID_DAYS)


class RealizationOverride(TimeStampedModel):
    """One-time staff permission to re-enroll a learner who unenrolled or lost access.

    It ends when it is used, withdrawn (the learner came back alone), cancelled, or when it expires. `unused_for` names
    intention and learner until then, and is empty afterwards: it is unique, so that there is one active override at
    most (where a database has no conditional constraints, too). `expires_at` empty: written by an earlier release;
    valid for OVERRIDE_VALID_DAYS.
    """

    class State(models.TextChoices):
        """Where an override stands."""

        ACTIVE = "active"
        USED = "used"
        WITHDRAWN = "withdrawn"
        EXPIRED = "expired"
        CANCELLED = "cancelled"

    intention = models.ForeignKey(
        DefaultEnterpriseEnrollmentIntention, on_delete=models.CASCADE, related_name="overrides"
    )
    lms_user_id = models.PositiveBigIntegerField()
    by = models.CharField(max_length=150, help_text="The username of who gave it.")
    is_actor_verified = models.BooleanField(
        default=True, db_default=True, help_text="The person was signed in. The command line records the name as given."
    )
    reason = models.TextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(
        null=True, blank=True, help_text="When the learner was seen enrolled without it."
    )
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    cancel_reason = models.CharField(max_length=2000, blank=True, default="", db_default="")
    unused_for = models.CharField(max_length=100, null=True, blank=True, unique=True, editable=False)

    objects = RealizationOverrideQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        indexes = [models.Index(fields=["lms_user_id"], name="override_by_learner")]

    def __str__(self) -> str:
        return f"{self.intention} for learner {self.lms_user_id}"

    @property
    def ends_at(self) -> datetime:
        """When it expires, unless it ends earlier."""
        return self.expires_at or self.created + override_validity()

    def state_at(self, now: datetime) -> "RealizationOverride.State":
        """Say where the override stands at `now`."""
        if self.used_at is not None:
            return self.State.USED
        if self.cancelled_at is not None:
            return self.State.CANCELLED
        if self.withdrawn_at is not None:
            return self.State.WITHDRAWN
        return self.State.ACTIVE if self.unused_for is not None and now < self.ends_at else self.State.EXPIRED


class IntentionHealth(models.Model):
    """What an intention would mean for a learner who has nothing yet, as of the last check, and since when."""

    intention = models.OneToOneField(
        DefaultEnterpriseEnrollmentIntention, on_delete=models.CASCADE, primary_key=True, related_name="health"
    )
    reason = models.CharField(max_length=50, help_text="The reason code of the decision about such a learner.")
    reason_since = models.DateTimeField(help_text="Since when the reason is what it is, as far as was looked.")
    is_healthy = models.BooleanField(help_text="Such a learner would be enrolled.")
    course_run_key = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(
        max_length=64, help_text="Of everything about the content that a decision may depend on."
    )
    checked_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text="Since when the fingerprint is what it is.")

    class Meta:
        verbose_name_plural = "intention health"

    def __str__(self) -> str:
        return self.reason

    @property
    def explanation(self) -> Explanation | None:
        """Why such a learner would not be enrolled, in words; None when they would."""
        return None if self.is_healthy else explain(self.reason)


class DigestDelivery(models.Model):
    """When a recipient of the digest was last sent one. Addresses are settings; here is a hash of each."""

    address_hash = models.CharField(max_length=64, primary_key=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "digest deliveries"

    def __str__(self) -> str:
        return self.address_hash
