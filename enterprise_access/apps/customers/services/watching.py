"""What operators want to know about learners who were just seen, and about our rights at the upstream services."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, Min

from enterprise_access.apps.customers.models import EnterpriseCustomer, LearnerSighting
from enterprise_access.lib import clock
from enterprise_access.lib.health import HealthLevel, Part
from enterprise_access.lib.neighbour_checks import last_neighbour_checks
from enterprise_access.lib.state import State, age, by_label, number

# Checks are made regularly (settings: CHECK_NEIGHBOURS_SECONDS); one that is older says nothing about today.
BELIEVED: Final = timedelta(hours=2)


def read_sightings(now: datetime) -> Iterable[State]:
    """Tell how many learners were seen whose customer is still to be found, and for how long one has been due."""
    due = LearnerSighting.objects.filter(due_at__isnull=False).aggregate(rows=Count("pk"), since=Min("due_at"))
    paused = EnterpriseCustomer.objects.filter(realization_paused=True).count()
    return [
        number("sightings_waiting", "Login records whose customer is not known yet.", due["rows"]),
        age(
            "oldest_due_sighting_seconds",
            "How long the oldest due lookup of a learner's customer has been due.",
            due["since"],
            now=now,
        ),
        number("customers_paused", "Customers whose enrollments staff have paused.", paused),
    ]


def read_neighbour_checks(now: datetime) -> Iterable[State]:
    """Tell what came of the last checks of our rights; nothing when there were none for a day."""
    checks = last_neighbour_checks()
    failed = {check.name: float(bool(check.problem)) for check in checks}
    text = "Last check of the service account's permissions: 0 passed, 1 failed or not answered."
    oldest = min((check.at for check in checks), default=None)
    return [
        by_label("neighbour_check_failed", text, "check", failed),
        age("oldest_neighbour_check_seconds", "Age of the last check of the upstream services.", oldest, now=now),
    ]


def look_at_rights() -> Part:
    """Say, for readiness, whether we had every right that we need at the upstream services when that was last checked.

    The canary is among the checks: a learner whom an account without rights would not be shown. What is missing makes
    us do less, and more of us would not do more: degraded.
    """
    checks = last_neighbour_checks()
    if not checks:
        return Part(name="rights", detail="not checked within a day")
    at = min(check.at for check in checks)
    failed = sorted(check.name for check in checks if check.problem)
    if failed:
        return Part(name="rights", level=HealthLevel.DEGRADED, detail=f"failed: {'; '.join(failed)}", at=at)
    if clock.now() - at > BELIEVED:
        return Part(name="rights", level=HealthLevel.DEGRADED, detail="not checked for long", at=at)
    return Part(name="rights", at=at)
