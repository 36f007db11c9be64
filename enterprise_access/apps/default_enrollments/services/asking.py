"""A learner, or somebody for a learner, asks for default enrollments, and may wait a little for what comes of it."""

import time
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen
from django.utils import timezone

from enterprise_access.apps.content_metadata.domain import ContentType
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.domain.looking_again import Schedule, look_of
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.selectors.facts import (
    Intention,
    Realization,
    list_intentions,
    list_realizations,
)
from enterprise_access.apps.default_enrollments.services.requests import (
    is_paused,
    request_realization,
)

# The pauses between looks at what became of the request: short at first, then kinder to the database.
FIRST_PAUSE_SECONDS: Final = 0.05
LAST_PAUSE_SECONDS: Final = 0.4

_RUN_KEY_PREFIX: Final = "course-v1:"


class EnrollmentStatus(StrEnum):
    """How one intention stands for a learner, as far as we enrolled, or tried to."""

    ENROLLED = "enrolled"
    PENDING = "pending"
    BLOCKED = "blocked"


@frozen(kw_only=True)
class AskedResult:
    """What came of one living intention. `course_run_key` None: it is not known (yet) which run is meant.

    `reason` is the code of the last look, and empty where there was none.
    """

    intention_uuid: UUID
    course_key: str
    course_run_key: str | None
    enrollment_status: EnrollmentStatus
    reason: str


@frozen(kw_only=True)
class Asked:
    """What was asked for, and what came of it so far.

    `is_settled`: there was a look since, and nothing is pending. `is_paused`: staff have stopped enrolling, and it is
    done once they go on. `is_given_up`: nothing is done before somebody of staff has looked. `next_look_at`: None when
    no time alone brings one.
    """

    customer_uuid: UUID
    lms_user_id: int
    is_settled: bool
    is_paused: bool
    is_given_up: bool
    next_look_at: datetime | None
    results: tuple[AskedResult, ...]


def ask_for_realization(
    *,
    customer_uuid: UUID,
    lms_user_id: int,
    trigger: Trigger = Trigger.PORTAL,
    wait_until: float | None = None,
) -> Asked:
    """Owe the learner a look, at once; a customer that is met for the first time is asked for at the LMS.

    A worker looks, never the caller: until time.monotonic() is `wait_until` (None: not at all) it is waited for, with
    no transaction open. There is no waiting for what staff have paused or what was given up.

    Raises CustomerUnknown, and UpstreamUnavailable when the LMS cannot be asked about a new customer.
    """
    customer = get_customer(customer_uuid=customer_uuid) or fetch_customer(customer_uuid=customer_uuid)
    request_realization(customer_uuid=customer.pk, lms_user_ids=[lms_user_id], trigger=trigger, now=timezone.now())
    paused = is_paused(customer_uuid=customer.pk)
    request = _await_look(customer.pk, lms_user_id, None if paused else wait_until)
    results = _list_results(request)
    is_pending = any(result.enrollment_status is EnrollmentStatus.PENDING for result in results)
    return Asked(
        customer_uuid=customer.pk,
        lms_user_id=lms_user_id,
        is_settled=_was_looked_at(request) and not is_pending,
        is_paused=paused,
        is_given_up=request.dead_at is not None,
        next_look_at=request.due_at,
        results=results,
    )


def _await_look(customer_uuid: UUID, lms_user_id: int, wait_until: float | None) -> RealizationRequest:
    """Return the request once there was a look, or when the time is over."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        request = RealizationRequest.objects.get(customer_id=customer_uuid, lms_user_id=lms_user_id)
        left = 0.0 if wait_until is None else wait_until - time.monotonic()
        if left <= 0 or request.dead_at is not None or _was_looked_at(request):
            return request
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LAST_PAUSE_SECONDS)


def _was_looked_at(request: RealizationRequest) -> bool:
    """Say whether a worker has had its look since the learner was last asked for, successful or not."""
    if request.dead_at is not None or request.lease_token is not None:
        return False
    return request.due_at is None or request.due_at > timezone.now()


# --- What came of it ---------------------------------------------------------------------------------------------


def _list_results(request: RealizationRequest) -> tuple[AskedResult, ...]:
    """Return what our own rows say of the customer's living intentions: three statements, however many there are."""
    customer_uuid, lms_user_id = request.customer_id, request.lms_user_id
    found = list_realizations(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id])
    realizations = {row.intention_id: row for row in found[lms_user_id]}
    attempts: Mapping[UUID, RealizationAttempt] = {
        row.intention_id: row for row in RealizationAttempt.objects.newest().latest_of([lms_user_id], customer_uuid)
    }
    return tuple(
        _result(intention, realizations.get(intention.pk), attempts.get(intention.pk), request)
        for intention in list_intentions(customer_uuid=customer_uuid)
    )


def _result(
    intention: Intention,
    realization: Realization | None,
    attempt: RealizationAttempt | None,
    request: RealizationRequest,
) -> AskedResult:
    status, reason = _standing(realization, attempt, request)
    known = [row for row in (realization, attempt) if row is not None]
    is_course = intention.content_kind is ContentType.COURSE
    course_key = next((row.course_key for row in known if row.course_key), None)
    run_key = next((row.course_run_key for row in known if row.course_run_key), None)
    return AskedResult(
        intention_uuid=intention.pk,
        course_key=course_key or (intention.content_key if is_course else _course_key_in(intention.content_key)),
        course_run_key=run_key or (None if is_course else intention.content_key),
        enrollment_status=status,
        reason=reason,
    )


def _standing(
    realization: Realization | None, attempt: RealizationAttempt | None, request: RealizationRequest
) -> tuple[EnrollmentStatus, str]:
    if realization is not None and realization.left_at is not None:
        return EnrollmentStatus.BLOCKED, realization.left_reason
    if attempt is None:
        if realization is not None:
            return EnrollmentStatus.ENROLLED, Reason.ENROLLED
        return EnrollmentStatus.BLOCKED if request.dead_at else EnrollmentStatus.PENDING, request.waiting_for
    if attempt.outcome == Outcome.REALIZED:
        return EnrollmentStatus.ENROLLED, Reason.ENROLLED
    if attempt.outcome == Outcome.NOT_NEEDED:
        return EnrollmentStatus.ENROLLED, attempt.reason
    is_blocked = attempt.outcome == Outcome.BLOCKED and not _goes_by_itself(attempt.reason)
    return EnrollmentStatus.BLOCKED if is_blocked or request.dead_at else EnrollmentStatus.PENDING, attempt.reason


def _goes_by_itself(reason: str) -> bool:
    """Say whether the obstacle is that somebody did not answer, or that we wait for our own next step.

    It depends on the reason alone, so that the same reason is the same status for everybody; that the learner was asked
    for again solves nothing that only a change elsewhere can solve.
    """
    look = look_of(reason)
    return look.is_waiting or look.schedule is Schedule.AT_ONCE


def _course_key_in(course_run_key: str) -> str:
    """Return the course key that a run key of an intention spells out."""
    return course_run_key[len(_RUN_KEY_PREFIX) :].rpartition("+")[0]
