"""Permissions of staff to enroll a learner once more.

=========  ============================================  ====================================================
State      Columns                                       What comes next
=========  ============================================  ====================================================
active     `unused_for` set, `expires_at` in the future  used, withdrawn, cancelled or expired
used       `used_at` set                                 final
withdrawn  `withdrawn_at` set                            final: the learner came back without it
cancelled  `cancelled_at` set                            final
expired    `expires_at` in the past                      final
=========  ============================================  ====================================================
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel

from enterprise_access.apps.default_enrollments.models.intentions import DefaultEnterpriseEnrollmentIntention


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
