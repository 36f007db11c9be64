"""Outcomes of evaluations, one row for each (learner, intention) and change.

==========  ==========================================  ====================================================
Outcome     Meaning                                     What comes next
==========  ==========================================  ====================================================
sending     committed before the call to the LMS        realized, blocked or in_doubt, by the answer
in_doubt    no answer                                   realized or blocked, by what the platform shows later
realized    enrolled                                    final; a realization was written with it
not_needed  already enrolled                            final; the next change is a new row
blocked     not enrolled, for `reason`                  checked again as domain/looking_again.py says
==========  ==========================================  ====================================================
"""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from enterprise_access.apps.default_enrollments.models.intentions import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.models.requests import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    """The result of evaluating one (learner, intention): the answer to "why not?".

    A row is written before the call to the LMS (`sending`), and gets its outcome afterwards. A check with the same
    outcome only moves `last_seen_at` and `times`. `is_newest` is for counting (a new row takes it from the one before);
    the newest of one learner is found by its id.
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
