"""Assignments, and what happened to them. Only `services.transitions` changes a state."""

from hashlib import sha256
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.content_assignments.domain.emails import fold_email
from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.domain.showing import ASSIGNED, LearnerState
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.lib.keys import fold
from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


def identity_of(*, policy_uuid: UUID, email: str, content_key: str) -> str:
    """Return what is the same for two assignments that are the same.

    A digest, so that the database's own rules for comparing text (accents, case) decide nothing.
    """
    return sha256(f"{policy_uuid.hex}|{fold_email(email)}|{fold(content_key)}".encode()).hexdigest()


class LearnerContentAssignment(TimeStampedModel):
    """One course, or one of its runs, for one person.

    .. pii: The address that an admin allocated to, because admins list, search and mail by it.
    .. pii_types: email_address
    .. pii_retirement: local_api
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    policy_uuid = models.UUIDField()
    customer_uuid = models.UUIDField()
    configuration_uuid = models.UUIDField(
        null=True, blank=True, help_text="Empty where a request was approved against a budget without assignments."
    )
    learner_email = models.CharField(max_length=254, help_text="As it was typed.")
    learner_email_folded = models.CharField(max_length=254, db_index=True, editable=False)
    email_cleared_at = models.DateTimeField(null=True, blank=True)
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    account_unclear_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When a second account with this address was seen: whose assignment it is, is unknown.",
    )
    content_key = models.CharField(max_length=255)
    content_key_folded = models.CharField(max_length=255, editable=False)
    parent_content_key = models.CharField(max_length=255, blank=True)
    is_assigned_course_run = models.BooleanField(default=False)
    preferred_course_run_key = models.CharField(max_length=255, blank=True)
    content_title = models.CharField(max_length=512, blank=True)
    content_quantity = models.BigIntegerField(help_text="In cents; not positive.")
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in AssignmentState])
    allocated_at = models.DateTimeField(help_text="When its present life began.")
    accepted_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    errored_at = models.DateTimeField(null=True, blank=True)
    reversed_at = models.DateTimeField(null=True, blank=True)
    expiration_reason = models.CharField(max_length=32, blank=True, help_text="Why it expired.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    allocation_batch_id = models.UUIDField(null=True, blank=True)
    admin_lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    transaction_uuid = models.UUIDField(null=True, blank=True, db_index=True)
    # What lists show, filter and sort by. It follows from the state, the actions and the dates.
    expires_at = models.DateTimeField(help_text="The earliest date that is known.")
    expires_because = models.CharField(
        max_length=32, choices=[(reason.value, reason.value) for reason in ExpirationReason]
    )
    learner_state = models.CharField(
        max_length=16, blank=True, choices=[(state.value, state.value) for state in LearnerState]
    )
    learner_state_order = models.PositiveSmallIntegerField(default=0, editable=False)
    recent_action = models.CharField(max_length=32, default=ASSIGNED)
    recent_action_at = models.DateTimeField()
    identity = models.CharField(max_length=64, unique=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["-recent_action_at", "uuid"]
        verbose_name = "assignment"
        indexes = [
            models.Index(fields=["configuration_uuid", "state", "recent_action_at"], name="assignment_by_list"),
            models.Index(fields=["policy_uuid", "content_key_folded"], name="assignment_by_content"),
            models.Index(fields=["state", "uuid"], name="assignment_by_state"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(content_quantity__lte=0), name="assignment_not_positive"),
            models.CheckConstraint(
                condition=~Q(state=AssignmentState.ACCEPTED.value) | Q(accepted_at__isnull=False),
                name="accepted_has_an_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.uuid}"

    def follow(self) -> None:
        """Fill the columns that follow from others; bulk writes call it, `save` does so itself."""
        self.learner_email_folded = fold_email(self.learner_email)
        self.content_key_folded = fold(self.content_key)
        self.identity = identity_of(
            policy_uuid=self.policy_uuid, email=self.learner_email, content_key=self.content_key
        )

    def save(self, *args: object, **kwargs: object) -> None:
        self.follow()
        super().save(*args, **kwargs)

    @property
    def price_cents(self) -> int:
        return -self.content_quantity


# What the modules of this app call it.
Assignment = LearnerContentAssignment


class LearnerContentAssignmentAction(models.Model):
    """Something that was done about an assignment. `completed_at` empty: it failed."""

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    assignment = models.ForeignKey(LearnerContentAssignment, on_delete=models.CASCADE, related_name="actions")
    action_type = models.CharField(max_length=32)
    created = models.DateTimeField()
    modified = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    error_reason = models.CharField(max_length=64, blank=True)
    actor_lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["created", "uuid"]

    def __str__(self) -> str:
        return f"{self.action_type} {self.uuid}"


class LinkRequest(WorkItem):
    """An assignment whose person is still to be linked to the customer in the LMS."""

    assignment = models.OneToOneField(
        LearnerContentAssignment, on_delete=models.CASCADE, primary_key=True, related_name="link_request"
    )
    customer_uuid = models.UUIDField()
    created = models.DateTimeField()

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["created", "pk"]
        constraints = [lease_complete(name="link_request_lease_complete")]
        indexes = [
            models.Index(fields=["priority", "due_at"], name="link_request_by_due"),
            models.Index(fields=["due_at"], name="link_request_by_due_time"),
            models.Index(fields=["leased_until"], name="link_request_by_lease"),
            models.Index(fields=["failed_at"], name="link_request_by_failure"),
        ]

    def __str__(self) -> str:
        return f"link request {self.pk}"
