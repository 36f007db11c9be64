"""Keeping the table of attempts small, and taking a person out of everything."""

from collections.abc import Sequence
from datetime import datetime

from enterprise_access.apps.content_assignments import services as assignments
from enterprise_access.apps.customers.services import forget_learner
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
    RealizationOverride,
    RealizationRequest,
)
from enterprise_access.apps.groups import services as groups
from enterprise_access.apps.licenses import services as licenses
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.redemption import services as redemption
from enterprise_access.apps.subsidy_access_policies import services as budgets
from enterprise_access.apps.subsidy_requests.services import people as requests
from enterprise_access.events import services as events
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks

PRUNED_AT_ONCE = 1000


def prune_attempts(*, older_than: datetime, at_once: int = PRUNED_AT_ONCE) -> int:
    """Delete attempts last seen before `older_than` that a later one has replaced; return how many.

    The latest attempt of every (learner, intention) stays as the answer to "why not?", and so does what realized it
    and whatever is not settled.
    """
    replaced = RealizationAttempt.objects.filter(
        is_newest__in=[False], last_seen_at__lt=older_than, outcome__in=[Outcome.BLOCKED, Outcome.NOT_NEEDED]
    ).order_by("pk")
    deleted = last = 0
    # On from where the last ones were, so that no row is looked at twice.
    while ids := list(replaced.filter(pk__gt=last).values_list("pk", flat=True)[:at_once]):
        last = ids[-1]
        deleted += _delete(ids)
    return deleted


@retry_deadlocks
def _delete(attempts: Sequence[int]) -> int:
    return RealizationAttempt.objects.filter(pk__in=attempts).delete()[0]


@retry_deadlocks
def retire_learner(*, lms_user_id: int) -> dict[str, int]:
    """Remove a learner from every table, histories included; return how many rows went, by table.

    What the LMS knows is not touched. A learner who comes back is a new one here.
    """
    gone = {}
    for model in (
        RealizationRequest,
        RealizationAttempt,
        RealizationOverride,
        DefaultEnterpriseEnrollmentRealization,
    ):
        rows = model._default_manager.filter(lms_user_id=lms_user_id)
        gone[str(model._meta.verbose_name)] = rows.delete()[0]
    # Last: deleting a realization writes history, too.
    histories = DefaultEnterpriseEnrollmentRealization.history.filter(lms_user_id=lms_user_id)
    gone["history of realizations"] = histories.delete()[0]
    gone["events to be sent"] = events.forget_learner(lms_user_id=lms_user_id)
    gone |= licenses.forget_learner(lms_user_id=lms_user_id)
    gone |= requests.forget_learner(lms_user_id=lms_user_id)
    gone |= groups.forget_learner(lms_user_id=lms_user_id)
    gone |= redemption.forget_learner(lms_user_id=lms_user_id)
    gone |= assignments.forget_learner(lms_user_id=lms_user_id, now=clock.now())
    gone |= notifications.forget_learner(lms_user_id=lms_user_id)
    gone |= budgets.forget_learner(lms_user_id=lms_user_id)
    return gone | forget_learner(lms_user_id=lms_user_id)
