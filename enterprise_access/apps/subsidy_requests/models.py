"""Requests for subsidies, what happened to them, and how customers take them."""

from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.subsidy_requests.domain.digests import NotificationCadence
from enterprise_access.apps.subsidy_requests.domain.enrolling import EnrollmentState
from enterprise_access.apps.subsidy_requests.domain.requests import (
    ActionType,
    LearnerRequestState,
    is_open,
    learner_request_state,
    open_key,
)
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.lib.keys import fold
from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete

_WORK_COLUMNS = [field.name for field in WorkItem._meta.fields]
# Addresses stand in the row alone, where they can be cleared, and never in its history.
_NOT_IN_HISTORY = ["email", "email_folded", "sent_at", *_WORK_COLUMNS]


_Enum = RequestState | SubsidyType | ActionType | LearnerRequestState | NotificationCadence | EnrollmentState


def _choices(options: type[_Enum]) -> list[tuple[str, str]]:
    return [(option.value, option.value) for option in options]


class SubsidyRequestCustomerConfiguration(TimeStampedModel):
    """How the learners of a customer may ask for subsidies."""

    customer_uuid = models.UUIDField(primary_key=True)
    subsidy_requests_enabled = models.BooleanField(default=False)
    subsidy_type = models.CharField(
        max_length=16, blank=True, choices=_choices(SubsidyType), help_text="Empty: not chosen yet."
    )
    notification_cadence = models.CharField(
        max_length=16,
        choices=_choices(NotificationCadence),
        default=NotificationCadence.DAILY.value,
        db_default=NotificationCadence.DAILY.value,
        help_text="How often admins get a digest of requests that need a decision.",
    )
    attempt_auto_enrollment = models.BooleanField(
        default=False,
        db_default=False,
        help_text=(
            "After an approval, enroll the learner in the course of their oldest request, if exactly one course run is "
            "open and starts soon. Off: learners choose the run and enroll."
        ),
    )
    last_remind_date = models.DateTimeField(null=True, blank=True, help_text="When the last digest was asked for.")
    changed_by_lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)

    history = HistoricalRecords(excluded_fields=["last_remind_date"])

    class Meta:
        ordering = ["-created", "customer_uuid"]
        verbose_name = "configuration of requests"
        verbose_name_plural = "configurations of requests"

    def __str__(self) -> str:
        return str(self.customer_uuid)


# What the modules of this app call it.
Configuration = SubsidyRequestCustomerConfiguration


class SubsidyRequestQuerySet(WorkItemQuerySet["SubsidyRequest"]):
    """Filters of requests."""

    def of_kind(self, subsidy_type: SubsidyType) -> "SubsidyRequestQuerySet":
        return self.filter(subsidy_type=subsidy_type.value)

    def named(self, uuids: list[UUID], *, customer_uuid: UUID) -> "SubsidyRequestQuerySet":
        return self.filter(pk__in=uuids, customer_uuid=customer_uuid)


class SubsidyRequest(WorkItem, TimeStampedModel):
    """A learner's request for a license, a coupon code or learner credit.

    .. pii: email, the learner's address when the request was made, as typed and folded. `lms_user_id` is the person.
    .. pii_types: id, email_address
    .. pii_retirement: local_api

    A pending request is work that is due (lib/work): a worker grants the subsidy, or says why not.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    customer_uuid = models.UUIDField()
    subsidy_type = models.CharField(max_length=16, choices=_choices(SubsidyType))
    lms_user_id = models.PositiveBigIntegerField()
    email = models.CharField(max_length=254, blank=True)
    email_folded = models.CharField(max_length=254, blank=True, editable=False)
    course_id = models.CharField(max_length=255, blank=True, help_text="As sent.")
    course_id_folded = models.CharField(max_length=255, blank=True, editable=False)
    course_title = models.CharField(max_length=255, blank=True, help_text="Empty: not known yet.")
    course_partners = models.JSONField(null=True, blank=True, help_text="Empty: not known yet.")
    state = models.CharField(max_length=16, choices=_choices(RequestState), default=RequestState.REQUESTED.value)
    open_key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 (null: unlike all)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewer_lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    decline_reason = models.CharField(max_length=250, blank=True)
    is_mail_wanted = models.BooleanField(
        default=False, db_default=False, help_text="The admin wants the learner to be told of the decision."
    )

    plan_uuid = models.UUIDField(null=True, blank=True, help_text="The plan that the license is to come from.")
    license_uuid = models.UUIDField(null=True, blank=True)
    coupon_id = models.PositiveBigIntegerField(null=True, blank=True)
    coupon_code = models.CharField(max_length=128, blank=True)
    policy_uuid = models.UUIDField(null=True, blank=True)
    assignment_uuid = models.UUIDField(null=True, blank=True, unique=True)
    course_price = models.BigIntegerField(null=True, blank=True, help_text="In cents. Empty: not known.")

    latest_action_type = models.CharField(max_length=16, choices=_choices(ActionType), editable=False)
    latest_action_at = models.DateTimeField(editable=False)
    error_reason = models.CharField(max_length=50, blank=True, editable=False, help_text="Of the latest action.")
    learner_request_state = models.CharField(max_length=16, choices=_choices(LearnerRequestState), editable=False)

    work_group = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text="What is to be done for it, and together with which others.",
    )
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When the subsidy was first asked for. From then on it may have been granted."
    )

    objects = SubsidyRequestQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=_NOT_IN_HISTORY)

    class Meta:
        ordering = ["-created", "uuid"]
        verbose_name = "subsidy request"
        constraints = [
            lease_complete(name="a_request_lease_is_whole"),
            models.CheckConstraint(
                condition=~Q(state=RequestState.PENDING.value) | (Q(due_at__isnull=False) & ~Q(work_group="")),
                name="a_pending_request_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(subsidy_type=SubsidyType.LEARNER_CREDIT.value) | ~Q(state=RequestState.PENDING.value),
                name="credit_is_never_pending",
            ),
            models.CheckConstraint(
                condition=Q(course_price=None) | Q(course_price__gte=0), name="a_course_price_is_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["customer_uuid", "subsidy_type", "-created"], name="subsidy_request_newest_first"),
            models.Index(fields=["customer_uuid", "subsidy_type", "state"], name="subsidy_request_by_state"),
            models.Index(fields=["customer_uuid", "email_folded"], name="subsidy_request_by_email"),
            models.Index(fields=["lms_user_id", "customer_uuid"], name="subsidy_request_by_learner"),
            models.Index(fields=["policy_uuid", "state", "latest_action_at"], name="subsidy_request_by_policy"),
            models.Index(fields=["due_at"], name="subsidy_request_by_due_time"),
            models.Index(fields=["leased_until"], name="subsidy_request_by_lease"),
            models.Index(fields=["failed_at"], name="subsidy_request_by_failure"),
        ]

    def __str__(self) -> str:
        return f"{self.subsidy_type} for learner {self.lms_user_id}"

    @property
    def kind(self) -> SubsidyType:
        return SubsidyType(self.subsidy_type)

    @property
    def own_open_key(self) -> str:
        """The key that an open request has."""
        return open_key(
            subsidy_type=self.kind,
            customer_uuid=self.customer_uuid,
            lms_user_id=self.lms_user_id,
            course_id_folded=self.course_id_folded,
        )

    def follow(self) -> None:
        """Fill the columns that follow from others; bulk writes call it, `save` does so itself."""
        state = RequestState(self.state)
        self.email_folded, self.course_id_folded = fold(self.email), fold(self.course_id)
        self.open_key = self.own_open_key if is_open(subsidy_type=self.kind, state=state) else None
        self.learner_request_state = learner_request_state(state, error_reason=self.error_reason).value

    def save(self, *args: object, **kwargs: object) -> None:
        self.follow()
        super().save(*args, **kwargs)


class UnlinkRequest(WorkItem):
    """A declined request whose learner is still to be unlinked from the customer in the LMS."""

    request = models.OneToOneField(
        SubsidyRequest, on_delete=models.CASCADE, primary_key=True, related_name="unlink_request"
    )
    customer_uuid = models.UUIDField()
    created = models.DateTimeField()

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["created", "pk"]
        constraints = [lease_complete(name="unlink_request_lease_complete")]
        indexes = [
            models.Index(fields=["priority", "due_at"], name="unlink_request_by_due"),
            models.Index(fields=["due_at"], name="unlink_request_by_due_time"),
            models.Index(fields=["leased_until"], name="unlink_request_by_lease"),
            models.Index(fields=["failed_at"], name="unlink_request_by_failure"),
        ]

    def __str__(self) -> str:
        return f"unlink request {self.pk}"


class AutoEnrollment(WorkItem):
    """The enrollment after an approval, for customers who want that: what was tried, and why it came to nothing.

    .. no_pii: an LMS user id only; it goes with its request.

    Written when a request is approved, due when the subsidy is granted. Of the requests of a learner that are approved
    together (`batch`), the oldest one is tried; the others have a row that says so.
    """

    request = models.OneToOneField(
        SubsidyRequest, on_delete=models.CASCADE, primary_key=True, related_name="auto_enrollment"
    )
    customer_uuid = models.UUIDField()
    lms_user_id = models.PositiveBigIntegerField()
    batch = models.UUIDField(help_text="The approval.")
    state = models.CharField(max_length=16, choices=_choices(EnrollmentState))
    reason = models.CharField(max_length=100, blank=True, help_text="Why the learner is not enrolled: a stable code.")
    course_run_key = models.CharField(max_length=255, blank=True)
    run_starts_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField()
    granted_at = models.DateTimeField(null=True, blank=True, help_text="When the subsidy was granted.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the last call was written down.")
    sends = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "pk"]
        verbose_name = "enrollment after an approval"
        verbose_name_plural = "enrollments after approvals"
        constraints = [
            lease_complete(name="auto_enrollment_lease_complete"),
            models.CheckConstraint(
                condition=~Q(state=EnrollmentState.SENDING.value) | (Q(sent_at__isnull=False) & ~Q(course_run_key="")),
                name="what_is_sent_names_its_run",
            ),
        ]
        indexes = [
            models.Index(fields=["priority", "due_at"], name="auto_enrollment_by_due"),
            models.Index(fields=["lms_user_id", "customer_uuid"], name="auto_enrollment_by_learner"),
            models.Index(fields=["batch"], name="auto_enrollment_by_batch"),
        ]

    def __str__(self) -> str:
        return f"enrollment after approval of {self.pk}"


class SubsidyRequestAction(models.Model):
    """What happened to a request, and who did it (empty: this service)."""

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    request = models.ForeignKey(SubsidyRequest, on_delete=models.CASCADE, related_name="actions")
    type = models.CharField(max_length=16, choices=_choices(ActionType))
    error_reason = models.CharField(max_length=50, blank=True, help_text="A stable code.")
    actor_lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    created = models.DateTimeField()

    class Meta:
        ordering = ["created", "uuid"]
        indexes = [models.Index(fields=["request", "created"], name="request_action_by_time")]

    def __str__(self) -> str:
        return self.type
