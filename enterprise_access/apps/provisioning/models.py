"""Workflows and their steps: the record of what was requested, what was created, and where it stopped."""

from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from enterprise_access.apps.provisioning.domain.states import StepState, WorkflowState
from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


class Workflow(WorkItem):
    """A business operation in steps (pending work: lib/work/models.py). Asking twice is asking once (`dedup_key`).

    `people` holds email addresses that a step still needs. They are personal data: they are deleted when the workflow
    is done, and after PROVISIONING_PEOPLE_KEPT_DAYS at the latest.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=50)
    subject = models.CharField(max_length=255, help_text="What it is about: a customer's slug, for example.")
    dedup_key = models.CharField(max_length=64, unique=True, editable=False)
    input = models.JSONField()
    people = models.JSONField(default=list, editable=False)
    has_people = models.BooleanField(default=False, editable=False, db_index=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = WorkItemQuerySet["Workflow"].as_manager()

    class Meta:
        ordering = ["-created_at", "uuid"]
        constraints = [lease_complete(name="workflow_lease_complete")]
        indexes = [
            models.Index(fields=["priority", "due_at"], name="workflow_by_priority"),
            models.Index(fields=["failed_at"], name="workflow_by_failure"),
            models.Index(fields=["leased_until"], name="workflow_by_lease"),
            models.Index(fields=["created_at"], name="workflow_by_creation"),
            models.Index(fields=["subject"], name="workflow_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    def state_at(self, now: datetime) -> WorkflowState:
        """Return how the workflow stands at `now`, an instant of the database's clock."""
        if self.failed_at is not None:
            return WorkflowState.FAILED
        if self.ended_at is not None:
            return WorkflowState.DONE
        is_leased = self.leased_until is not None and self.leased_until >= now
        return WorkflowState.RUNNING if is_leased else WorkflowState.WAITING


class WorkflowStep(models.Model):
    """One step of a workflow. `input` and `output` are values of the step's attrs classes.

    `intended` names the writes that were about to be sent, and `sent_at` says when the last one was: both are saved
    before anything leaves. They tell, after a lost answer, what this workflow has created.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=50)
    state = models.CharField(
        max_length=10, choices=[(each.value, each.value) for each in StepState], default=StepState.WAITING.value
    )
    input = models.JSONField(null=True, blank=True)
    correction = models.JSONField(default=dict, blank=True)
    output = models.JSONField(null=True, blank=True)
    is_created = models.BooleanField(default=False, help_text="Whether this workflow created something in this step.")
    intended = models.JSONField(default=list, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=100, blank=True)
    problem = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["workflow", "position"]
        constraints = [models.UniqueConstraint(fields=["workflow", "position"], name="one_step_per_position")]

    def __str__(self) -> str:
        return self.name
