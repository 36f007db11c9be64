"""Calls whose outcome is not known: the worker died, or the LMS's answer was lost."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
)
from enterprise_access.apps.default_enrollments.selectors.doubts import is_over_at, list_doubts
from enterprise_access.apps.default_enrollments.selectors.endings import list_modes_of_ended, reason_of_ending
from enterprise_access.apps.default_enrollments.services.realizing.recording import record_realized, settle_attempt
from enterprise_access.apps.default_enrollments.services.requests.work_items import give_up
from enterprise_access.lib.keys import fold

# Why a request is dead: an enrollment that turned active, through a call of ours, after the learner had left.
LATE_CALL = "enrolled_after_leaving"


def are_in_doubt(customer_uuid: UUID, lms_user_ids: Collection[int]) -> bool:
    """Say whether the outcome of an earlier call is unknown for any of these learners."""
    return RealizationAttempt.objects.unsettled().latest_of(lms_user_ids, customer_uuid).exists()


def settle_doubts(
    *,
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]],
    enterprise_enrollments: Mapping[tuple[int, str], EnterpriseEnrollmentCopy],
    now: datetime,
) -> list[RealizationAttempt]:
    """Settle unknown outcomes from what the platform shows now, and return the attempts that were looked at.

    An attempt that stays in doubt must not be sent again before the LMS has certainly given up the first call.
    `enrollments` must have been read while the learners were leased, which no other customer's worker can hold then.
    """
    attempts = list_doubts(enrollments.keys())
    for attempt in attempts:
        enterprise = enterprise_enrollments.get((attempt.lms_user_id, fold(attempt.course_run_key)))
        _settle(attempt, _row_of(attempt, enrollments[attempt.lms_user_id]), enterprise, now)
    return attempts


def list_calls_over_at(lms_user_ids: Collection[int]) -> dict[int, datetime]:
    """Return by learner when the first of their calls without an answer is certainly over."""
    attempts = RealizationAttempt.objects.unsettled().filter(lms_user_id__in=list(lms_user_ids))
    return {attempt.lms_user_id: is_over_at(attempt) for attempt in attempts.order_by("-created_at")}


def shows_mode(row: EnrollmentCopy | None, mode: str) -> bool:
    """Say whether the platform shows the learner active, and with no less than the mode that was wanted."""
    return row is not None and row.is_active and (is_paid(row.mode) or not is_paid(mode))


def _had_left_meanwhile(attempt: RealizationAttempt) -> bool:
    """Say whether the learner was seen to leave the course after the call was sent, whoever had enrolled them."""
    of_course = Q(course_key__iexact=attempt.course_key) | Q(course_run_key__iexact=attempt.course_run_key)
    left = DefaultEnterpriseEnrollmentRealization.objects.filter(
        of_course, lms_user_id=attempt.lms_user_id, left_at__gte=attempt.created_at
    )
    return left.exists()


def _was_ended_since(
    row: EnrollmentCopy, enterprise: EnterpriseEnrollmentCopy | None, attempt: RealizationAttempt
) -> bool:
    """Say whether an event, or edx-enterprise (to the second), tells of an end after the call was sent."""
    if row.changed_at is not None and row.changed_at > attempt.created_at:
        return True
    ended_at = enterprise.unenrolled_at if enterprise else None
    return ended_at is not None and ended_at >= attempt.created_at.replace(microsecond=0)


def _row_of(attempt: RealizationAttempt, rows: Iterable[EnrollmentCopy]) -> EnrollmentCopy | None:
    return next((row for row in rows if fold(row.course_run_key) == fold(attempt.course_run_key)), None)


def _settle(
    attempt: RealizationAttempt,
    row: EnrollmentCopy | None,
    enterprise: EnterpriseEnrollmentCopy | None,
    now: datetime,
) -> None:
    if attempt.is_upgrade:
        happened = shows_mode(row, attempt.mode)
    else:
        # Also when the learner has left again meanwhile: the enrollment was not there before the call, or an event
        # tells that it was ended since.
        happened = row is not None and (
            row.is_active or not attempt.was_enrolled or _was_ended_since(row, enterprise, attempt)
        )
    if row is not None and happened:
        left = "" if row.is_active else reason_of_ending(row, enterprise, list_modes_of_ended([row]))
        if row.is_active and _had_left_meanwhile(attempt):
            # The LMS carried out a call that it had not answered, after the learner had gone. No one undoes that by
            # itself; somebody has to look.
            give_up(customer_uuid=attempt.intention.customer_id, lms_user_id=attempt.lms_user_id, because=LATE_CALL)
        record_realized(attempt, now=now, left_reason=left, seen_mode=row.mode)
    elif now < is_over_at(attempt):
        settle_attempt(attempt, outcome=Outcome.IN_DOUBT, reason=Reason.OUTCOME_UNKNOWN, now=now)
    else:
        settle_attempt(attempt, outcome=Outcome.BLOCKED, reason=Reason.OUTCOME_UNKNOWN, now=now)
