"""Jobs and their results.

A job is `pending` until it is `finished`, `canceled` or `failed`, and stays so. While a worker has a lease on it, it is
running; otherwise it waits until `due_at`. A failed or canceled job becomes pending again when staff continue it.
"""

from datetime import datetime
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone

from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


class JobState(models.TextChoices):
    """How a job stands."""

    PENDING = "pending"
    FINISHED = "finished"
    CANCELED = "canceled"
    FAILED = "failed"


class JobQuerySet(WorkItemQuerySet["Job"]):
    """Filters of jobs."""

    def pending(self) -> Self:
        return self.filter(state=JobState.PENDING)

    def due(self, now: datetime) -> Self:
        """Return what a worker can take now."""
        return super().due(now).pending()


class Job(WorkItem):
    """Work that one person started, done in steps by a worker.

    `parameters` say what is to be done and never change; `cursor` says how far it is. Both belong to the job's kind
    (kinds.py). `continues` names the job whose results this one applies; it is unique, so that pressing the button
    twice starts one job.
    """

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=50)
    title = models.CharField(max_length=255)
    state = models.CharField(max_length=20, choices=JobState.choices, default=JobState.PENDING)
    parameters = models.JSONField(default=dict)
    cursor = models.JSONField(default=dict)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: not known.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    continues = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="continued_by"
    )
    failures = models.PositiveIntegerField(default=0, db_default=0, help_text="Steps in a row that failed.")
    problem = models.CharField(max_length=500, blank=True, help_text="Why the last step failed.")
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "uuid"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="job_by_state_and_due"),
            models.Index(fields=["created_at"], name="job_by_creation"),
            models.Index(fields=["leased_until"], name="job_by_lease"),
        ]
        constraints = [lease_complete(name="job_lease_complete")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_pending(self) -> bool:
        return self.state == JobState.PENDING


class JobResult(models.Model):
    """The outcome of one row of a job, in the order in which the rows were done."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="results")
    position = models.PositiveIntegerField()
    cells = models.JSONField(help_text="What the row is about, by the columns of the job's kind.")
    outcome = models.CharField(max_length=30)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="one_result_per_job_and_position")]

    def __str__(self) -> str:
        return self.outcome
