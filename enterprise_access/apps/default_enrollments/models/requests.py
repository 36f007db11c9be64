"""Pending evaluations of learners (lib/work).

===========  ==============================================  ================================================
State        Columns                                         What comes next
===========  ==============================================  ================================================
due          `due_at` in the past, no lease                  a worker claims it: in progress
scheduled    `due_at` in the future, no lease                due by itself, or when it is asked for again
in progress  `lease_token`, `leased_until`                   settled, scheduled or failed; due when the lease ends
settled      `due_at` empty, `settled_at` set                due when a login, page, event or staff asks again
failed       `failed_at` set                                 due after staff, or the hourly retry, retry it
===========  ==============================================  ================================================
"""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from model_utils.models import TimeStampedModel

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.lib.work.models import BACKGROUND, URGENT, WorkItem, WorkItemQuerySet


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
    """Return the priority: what a person waits for goes first."""
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
