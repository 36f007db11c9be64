"""Telling other services what happened: events of ours, written in the transaction of what they report."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final
from uuid import UUID

from django.db.models import Max, Q

from enterprise_access.apps.default_enrollments.domain.looking_again import WAITING_SUFFIXES, is_waiting
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Intention, Outcome, RealizationAttempt
from enterprise_access.apps.default_enrollments.services.event_schemas import (
    BLOCKED,
    INTENTION_UNHEALTHY,
    REALIZED,
    DefaultEnrollmentBlockedData,
    DefaultEnrollmentRealizedData,
    IntentionUnhealthyData,
)
from enterprise_access.events.services import Announcement, is_publishing, learner_key, publish, publish_all

# The same as `is_waiting`, for the database.
_IS_WAITING: Final = Q(reason__in=[reason.value for reason in Reason if is_waiting(reason)]) | reduce(
    or_, (Q(reason__endswith=suffix) for suffix in WAITING_SUFFIXES)
) & ~Q(reason__in=[reason.value for reason in Reason])


def announce_realized(attempt: RealizationAttempt, *, has_left: bool, at: datetime) -> None:
    """Tell that an attempt became an enrollment."""
    if not is_publishing():
        return
    data = DefaultEnrollmentRealizedData(
        enterprise_customer_uuid=attempt.intention.customer_id,
        intention_uuid=attempt.intention_id,
        lms_user_id=attempt.lms_user_id,
        course_key=attempt.course_key,
        course_run_key=attempt.course_run_key,
        mode=attempt.mode,
        realized_at=at,
        has_left=has_left,
    )
    publish(Announcement(signal=REALIZED, data=data, key=learner_key(attempt.lms_user_id), occurred_at=at))


def announce_blocked(attempts: Sequence[RealizationAttempt], *, at: datetime) -> None:
    """Tell of attempts (saved just now) that were blocked for another reason than the last time.

    An upstream service that does not answer is no reason: the learner only waits.
    """
    if not is_publishing():
        return
    blocked = [row for row in attempts if row.outcome == Outcome.BLOCKED and not is_waiting(row.reason)]
    if not blocked:
        return
    before = _reasons_before(blocked)
    customers = _customers_of(blocked)
    publish_all(
        Announcement(
            signal=BLOCKED,
            data=DefaultEnrollmentBlockedData(
                enterprise_customer_uuid=customers[row.intention_id],
                intention_uuid=row.intention_id,
                lms_user_id=row.lms_user_id,
                reason=row.reason,
                course_run_key=row.course_run_key,
                blocked_at=at,
            ),
            key=learner_key(row.lms_user_id),
            occurred_at=at,
        )
        for row in blocked
        if before.get((row.intention_id, row.lms_user_id)) != row.reason
    )


def _reasons_before(attempts: Sequence[RealizationAttempt]) -> Mapping[tuple[UUID, int], str]:
    """Return by intention and learner why they were blocked the last time ("" after anything but a block)."""
    told = (
        RealizationAttempt.objects.filter(
            intention__in={row.intention_id for row in attempts}, lms_user_id__in={row.lms_user_id for row in attempts}
        )
        .exclude(pk__in=[row.pk for row in attempts])
        .exclude(outcome__in=[Outcome.SENDING, Outcome.IN_DOUBT])
        .exclude(_IS_WAITING, outcome=Outcome.BLOCKED)
        .order_by()
    )
    # One row for each pair, however long its past is.
    last = told.values("intention", "lms_user_id").annotate(last=Max("pk")).values("last")
    return {
        (row.intention_id, row.lms_user_id): row.reason if row.outcome == Outcome.BLOCKED else ""
        for row in RealizationAttempt.objects.filter(pk__in=last)
    }


def _customers_of(attempts: Sequence[RealizationAttempt]) -> dict[UUID, UUID]:
    intentions = Intention.objects.filter(pk__in={row.intention_id for row in attempts})
    return dict(intentions.values_list("pk", "customer_id"))


def announce_unhealthy(intention: Intention, *, reason: str, at: datetime) -> None:
    """Tell that an intention would enroll no one new. An upstream service that is silent is no reason to say so."""
    if not is_publishing() or is_waiting(reason):
        return
    data = IntentionUnhealthyData(
        enterprise_customer_uuid=intention.customer_id,
        intention_uuid=intention.pk,
        content_key=intention.content_key,
        reason=reason,
        noticed_at=at,
    )
    publish(Announcement(signal=INTENTION_UNHEALTHY, data=data, key=f"intention:{intention.pk}", occurred_at=at))
