"""What the rows say about how default enrollments go, for Prometheus. A few queries, however many rows there are."""

from collections.abc import Iterable
from datetime import datetime

import waffle
from django.db.models import Count, F, Min, Q

from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    IntentionHealth,
    Outcome,
    RealizationAttempt,
    RealizationRequest,
)
from enterprise_access.lib.state import State, age, by_label, number

# The switch that stops every enrollment, of all customers. What is owed stays owed.
PAUSE_SWITCH = "default_enrollments.pause_all"


def read_work(now: datetime) -> Iterable[State]:
    """Tell what is owed, and what became of what was sent."""
    owed = RealizationRequest.objects.aggregate(
        waiting=Count("pk", filter=Q(due_at__gt=now, failed_at=None, leased_until=None)),
        leased=Count("pk", filter=Q(leased_until__gte=now)),
        dead=Count("pk", filter=Q(failed_at__isnull=False)),
    )
    due = RealizationRequest.objects.due(now).aggregate(rows=Count("pk"), since=Min("due_at"))
    unsettled = RealizationAttempt.objects.unsettled()
    by_outcome = dict(unsettled.order_by().values_list("outcome").annotate(Count("pk")))
    oldest = unsettled.aggregate(since=Min("created_at"))["since"]
    states = {"due": due["rows"], **owed}
    return [
        by_label("requests", "Requests to evaluate a learner of a customer, by state.", "state", states),
        age("oldest_due_request_seconds", "How long the oldest due request has been due.", due["since"], now=now),
        by_label(
            "attempts_unsettled",
            "Attempts whose outcome is unknown.",
            "outcome",
            {outcome.value: by_outcome.get(outcome, 0) for outcome in (Outcome.SENDING, Outcome.IN_DOUBT)},
        ),
        age("oldest_unsettled_attempt_seconds", "Age of the oldest attempt without an outcome.", oldest, now=now),
        number("paused", "Whether the switch pauses all enrollments.", waffle.switch_is_active(PAUSE_SWITCH)),
    ]


def read_intentions(now: datetime) -> Iterable[State]:
    """Tell which intentions can be honoured, as last checked."""
    living = DefaultEnterpriseEnrollmentIntention.objects.living()
    health = IntentionHealth.objects.filter(intention__deleted_at=None)
    unhealthy = health.filter(is_healthy=False).order_by().values_list("reason").annotate(Count("pk"))
    known = health.aggregate(healthy=Count("pk", filter=Q(is_healthy=True)), rows=Count("pk"), since=Min("checked_at"))
    states = {
        "healthy": known["healthy"],
        "unhealthy": known["rows"] - known["healthy"],
        "unchecked": max(0, living.count() - known["rows"]),
    }
    return [
        by_label("intentions", "Active intentions, by whether they would enroll new learners.", "state", states),
        by_label(
            "intentions_unhealthy",
            "Intentions that would not enroll new learners, by reason.",
            "reason",
            dict(unhealthy),
        ),
        age(
            "oldest_intention_check_seconds",
            "Age of the oldest check of an intention.",
            known["since"],
            now=now,
        ),
    ]


def read_realizations(now: datetime) -> Iterable[State]:
    """Tell how many learners got what was intended, and whether it still is as it was."""
    realizations = DefaultEnterpriseEnrollmentRealization.objects.all()
    there = Q(left_at=None)
    counted = realizations.aggregate(
        rows=Count("pk"),
        left=Count("pk", filter=~there),
        downgraded=Count("pk", filter=there & Q(downgraded_at__isnull=False)),
        drifted=Count("pk", filter=there & ~Q(seen_mode="") & ~Q(seen_mode=F("predicted_mode"))),
        since=Min("compared_at", filter=there),
    )
    states = {
        "active": counted["rows"] - counted["left"] - counted["downgraded"],
        "left": counted["left"],
        "downgraded": counted["downgraded"],
    }
    return [
        by_label("realizations", "Realizations, by the present state of the enrollment.", "state", states),
        number(
            "realizations_in_another_mode",
            "Enrollments last seen in another mode than predicted.",
            counted["drifted"],
        ),
        age(
            "oldest_comparison_seconds",
            "Age of the oldest comparison of a realization with the platform.",
            counted["since"],
            now=now,
        ),
    ]
