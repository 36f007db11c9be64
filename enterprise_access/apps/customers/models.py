"""Local copies of what the LMS knows: customers, who is linked to them, and what those learners are enrolled in.

Every row says when it was read. A copy is never the truth; how old it may be is the reader's decision.
"""

from datetime import datetime
from uuid import UUID

from django.db import models

from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet


class EnterpriseCustomer(models.Model):
    """A customer that we know."""

    uuid = models.UUIDField(primary_key=True)
    slug = models.CharField(max_length=255, db_index=True)
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True, help_text="As in the LMS. Nothing is done for an inactive customer.")
    realization_paused = models.BooleanField(
        default=False, help_text="While set, no learner of this customer is enrolled. Pending work waits."
    )
    primary_color = models.CharField(
        max_length=7,
        blank=True,
        default="",
        db_default="",
        help_text="Of mails: #rrggbb. Empty: the customer chose none.",
    )
    language = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Of mails, as in the LMS. Empty: the default."
    )
    # Empty while nothing is paused, and after a pause that was not made in the admin pages.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    pause_reason = models.CharField(max_length=500, blank=True, default="", db_default="")
    fetched_at = models.DateTimeField(help_text="When the LMS was last asked about the customer.")

    class Meta:
        ordering = ["name", "uuid"]

    def __str__(self) -> str:
        return self.name


class EnterpriseLearnerQuerySet(models.QuerySet["EnterpriseLearner"]):
    """Filters of linked learners."""

    def of(self, *, customer_uuid: UUID, lms_user_ids: list[int]) -> "EnterpriseLearnerQuerySet":
        return self.filter(customer_id=customer_uuid, lms_user_id__in=lms_user_ids)

    def fetched_since(self, instant: datetime) -> "EnterpriseLearnerQuerySet":
        return self.filter(fetched_at__gte=instant)


class EnterpriseLearner(models.Model):
    """A learner who is, or was, linked to a customer. The e-mail address is deliberately not kept."""

    customer = models.ForeignKey(EnterpriseCustomer, on_delete=models.CASCADE, related_name="learners")
    lms_user_id = models.PositiveBigIntegerField()
    enterprise_customer_user_id = models.PositiveBigIntegerField(help_text="The LMS's id of the link itself.")
    username = models.CharField(max_length=150)
    is_linked = models.BooleanField()
    is_active_link = models.BooleanField(help_text="This is the customer that the learner has selected in the portal.")
    last_login_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(help_text="When the LMS was last asked about the link.")
    enrollments_fetched_at = models.DateTimeField(
        null=True, blank=True, help_text="When all platform enrollments were last read. Empty: never."
    )
    enrollments_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="When we last changed any ourselves: a read that began before is too old."
    )
    enrollments_wanted_at = models.DateTimeField(
        null=True, blank=True, help_text="When a read was last asked for that has not begun yet. Empty: none is."
    )

    objects = EnterpriseLearnerQuerySet.as_manager()

    class Meta:
        ordering = ["customer_id", "lms_user_id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "lms_user_id"], name="one_row_per_customer_and_learner"),
        ]
        indexes = [
            models.Index(fields=["lms_user_id"], name="learner_by_lms_user_id"),
            # The next platform read takes those along who have waited longest.
            models.Index(fields=["enrollments_wanted_at"], name="learner_by_wanted_read"),
        ]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id}"


class LearnerEnrollment(models.Model):
    """What the platform says of one learner in one run, whoever made the enrollment and for whatever customer."""

    lms_user_id = models.PositiveBigIntegerField()
    course_run_key = models.CharField(max_length=255)
    mode = models.CharField(max_length=100)
    is_active = models.BooleanField()
    changed_at = models.DateTimeField(null=True, blank=True, help_text="The time of the last event about it, if any.")
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ["lms_user_id", "course_run_key"]
        constraints = [
            models.UniqueConstraint(fields=["lms_user_id", "course_run_key"], name="one_row_per_learner_and_run"),
        ]

    def __str__(self) -> str:
        return f"{self.course_run_key} of learner {self.lms_user_id}"


class EnterpriseEnrollment(models.Model):
    """What edx-enterprise adds, for one customer, to a learner's enrollment in a run."""

    customer = models.ForeignKey(EnterpriseCustomer, on_delete=models.CASCADE, related_name="enrollments")
    lms_user_id = models.PositiveBigIntegerField()
    course_run_key = models.CharField(max_length=255)
    unenrolled_at = models.DateTimeField(null=True, blank=True)
    is_revoked = models.BooleanField(default=False)
    ended_because = models.CharField(
        max_length=50,
        blank=True,
        default="",
        db_default="",
        help_text="Why the enrollment ended, as a reason code, if the facts tell.",
    )
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ["customer_id", "lms_user_id", "course_run_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "lms_user_id", "course_run_key"], name="one_row_per_customer_learner_and_run"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course_run_key} of learner {self.lms_user_id}"


class CallPace(models.Model):
    """How far one kind of call to an upstream service has used up its rate, for all processes together.

    `used_until_ms` moves on by one interval with every call (services/pace.py). It is in the database because a rate
    that is kept in the cache would be forgotten with it, and the LMS would refuse everybody.
    """

    name = models.CharField(max_length=50, primary_key=True)
    used_until_ms = models.BigIntegerField(help_text="Milliseconds since 1970.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class LearnerSighting(WorkItem):
    """A login record: a learner who logged in or registered. The event does not name the customer: the LMS is asked.

    States: lib/work/models.py. Settled rows are kept for some days, so that the same event is recognized when it comes
    again.
    """

    lms_user_id = models.PositiveBigIntegerField(primary_key=True)
    seen_at = models.DateTimeField(help_text="The time of the newest event.")
    due_at = models.DateTimeField(null=True, blank=True, db_index=True, db_column="next_check_at")
    checks = models.PositiveSmallIntegerField(default=0, help_text="How often the LMS knew of no active link.")
    # (A release that is being replaced fills this column without an end of the lease, so no constraint wants both.)
    lease_token = models.UUIDField(null=True, blank=True, db_index=True, db_column="claim_token")

    objects = WorkItemQuerySet["LearnerSighting"].as_manager()

    class Meta:
        ordering = ["lms_user_id"]
        indexes = [models.Index(fields=["leased_until"], name="sighting_by_lease")]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id}"
