"""Keeping the table of attempts small, and taking a person out of everything."""

from datetime import datetime

from django.db import transaction

from enterprise_access.apps.customers.services import forget_learner
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
    RealizationOverride,
    RealizationRequest,
)
from enterprise_access.apps.licenses import services as licenses
from enterprise_access.apps.subsidy_access_policies import services as budgets
from enterprise_access.events import services as events

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
        deleted += RealizationAttempt.objects.filter(pk__in=ids).delete()[0]
    return deleted


def retire_learner(*, lms_user_id: int) -> dict[str, int]:
    """Remove a learner from every table, histories included; return how many rows went, by table.

    What the LMS knows is not touched. A learner who comes back is a new one here.
    """
    with transaction.atomic():
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
        gone |= budgets.forget_learner(lms_user_id=lms_user_id)
        return gone | forget_learner(lms_user_id=lms_user_id)
