"""The columns of pending work, and whose turn it is."""

from datetime import datetime
from typing import Self, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q

W = TypeVar("W", bound="WorkItem")

# Priorities. Somebody waits for the first kind; the second kind can wait.
URGENT = 0
BACKGROUND = 1


def free(now: datetime) -> Q:
    """Match rows that no worker holds, or that one has held for too long."""
    return Q(leased_until=None) | Q(leased_until__lt=now)


class WorkItemQuerySet(models.QuerySet[W]):
    """Filters of pending work."""

    def due(self, now: datetime) -> Self:
        """Return what a worker can take now."""
        return self.filter(free(now), due_at__lte=now, failed_at=None)

    def held_by(self, token: UUID) -> Self:
        return self.filter(lease_token=token)


class WorkItem(models.Model):
    """A row that is to be worked on when it is due.

    ============  =================================================================
    State         Columns
    ============  =================================================================
    settled       `due_at` empty
    scheduled     `due_at` later than now
    due           `due_at` now or earlier
    in progress   `lease_token` set and `leased_until` now or later
    failed        `failed_at` set: not worked on until it is retried
    ============  =================================================================
    """

    due_at = models.DateTimeField(null=True, blank=True)
    priority = models.PositiveSmallIntegerField(default=URGENT, db_default=URGENT)
    generation = models.PositiveIntegerField(default=1, db_default=1)
    lease_token = models.UUIDField(null=True, blank=True, db_index=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    waiting_for = models.CharField(max_length=100, blank=True, default="", db_default="")
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def lease_complete(*, name: str) -> models.CheckConstraint:
    """Return the constraint that a lease has a token and an end, or neither."""
    return models.CheckConstraint(
        condition=Q(lease_token=None, leased_until=None) | Q(lease_token__isnull=False, leased_until__isnull=False),
        name=name,
    )


class Turn(models.Model):
    """When a group (a customer) of a queue was last served. Who was served longest ago is next."""

    queue = models.CharField(max_length=50)
    group = models.CharField(max_length=50)
    served_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "group"], name="work_one_turn_per_group")]

    def __str__(self) -> str:
        return f"{self.queue} {self.group}"
