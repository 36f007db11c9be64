"""A learner, or somebody for a learner, asks for default enrollments, and may wait a little for what comes of it."""

import time
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import ContentType
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.domain.looking_again import Schedule, look_of
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome as Outcome
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.selectors.facts import Intention, Realization
from enterprise_access.apps.default_enrollments.selectors.owed import list_learners_to_look_at
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions, list_realizations
from enterprise_access.apps.default_enrollments.services.requests.work_items import is_paused, request_realization
from enterprise_access.lib import clock
from enterprise_access.lib.http.deadline import deadline
from enterprise_access.lib.waiting import WaitingPlaces

# The pauses between looks at what became of the request: short at first, then kinder to the database.
FIRST_PAUSE_SECONDS: Final = 0.05
LAST_PAUSE_SECONDS: Final = 0.4

# Who waits in this process.
_places: Final = WaitingPlaces()
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
class RealizeResult:
    """What was requested, and what came of it so far.

    `is_settled`: there was a look since (`was_evaluated`), and nothing is pending. `is_paused`: staff have stopped
    enrolling, and it is done once they go on. `is_given_up`: nothing is done before somebody of staff has looked.
    `next_look_at`: None when no time alone brings one.
    """

    customer_uuid: UUID
    lms_user_id: int
    is_settled: bool
    was_evaluated: bool
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
    has_news: bool = False,
    evaluated_since: datetime | None = None,
) -> RealizeResult:
    """Have a worker evaluate the learner, unless that can change nothing; then say what is known already.

    A customer that is met for the first time is requested at the LMS. The caller enrolls no one: until time.monotonic()
    is `wait_until` (None: not at all) it waits for the worker, with no transaction open, if there is a place to wait.
    There is no waiting for what staff have paused or what has failed. `has_news`: the caller knows something that the
    last evaluation did not. `evaluated_since`: an evaluation since then is recent enough, and so is one under way.

    Raises CustomerUnknown, and UpstreamUnavailable when the LMS cannot be asked about a new customer.
    """
    customer = get_customer(customer_uuid=customer_uuid)
    if customer is None:
        with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
            customer = fetch_customer(customer_uuid=customer_uuid)
    now = clock.now()
    if _is_to_be_evaluated(customer.pk, lms_user_id, now, has_news=has_news, evaluated_since=evaluated_since):
        request_realization(customer_uuid=customer.pk, lms_user_ids=[lms_user_id], trigger=trigger, now=now)
    paused = is_paused(customer_uuid=customer.pk)
    request = _await_look(customer.pk, lms_user_id, None if paused else wait_until)
    results = _list_results(customer.pk, lms_user_id, request)
    is_pending = any(result.enrollment_status is EnrollmentStatus.PENDING for result in results)
    was_evaluated = request is None or _was_looked_at(request)
    return RealizeResult(
        customer_uuid=customer.pk,
        lms_user_id=lms_user_id,
        is_settled=was_evaluated and not is_pending,
        was_evaluated=was_evaluated,
        is_paused=paused,
        is_given_up=request is not None and request.dead_at is not None,
        next_look_at=None if request is None else request.due_at,
        results=results,
    )


def _is_to_be_evaluated(
    customer_uuid: UUID, lms_user_id: int, now: datetime, *, has_news: bool, evaluated_since: datetime | None
) -> bool:
    """Say whether a worker is needed: an evaluation may change something, and there was none just now."""
    if evaluated_since is not None and not has_news and _is_under_way(customer_uuid, lms_user_id, now):
        return False
    return has_news or bool(
        list_learners_to_look_at(
            customer_uuid=customer_uuid, lms_user_ids=[lms_user_id], now=now, evaluated_since=evaluated_since
        )
    )


def _is_under_way(customer_uuid: UUID, lms_user_id: int, now: datetime) -> bool:
    request = RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).first()
    if request is None or request.dead_at is not None:
        return False
    return request.lease_token is not None or (request.due_at is not None and request.due_at <= now)


def _await_look(customer_uuid: UUID, lms_user_id: int, wait_until: float | None) -> RealizationRequest | None:
    """Return the request once there was a look, or when the time is over; None: nothing was ever asked for."""
    mine = RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id)
    request = mine.first()
    if wait_until is None or not _is_worth_waiting(request):
        return request
    with _places.place(of=lms_user_id, limit=settings.REALIZE_WAITERS) as has_place:
        pause = FIRST_PAUSE_SECONDS
        while has_place and _is_worth_waiting(request) and (left := wait_until - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, LAST_PAUSE_SECONDS)
            request = mine.first()
    return request


def _is_worth_waiting(request: RealizationRequest | None) -> bool:
    return request is not None and request.dead_at is None and not _was_looked_at(request)


def _was_looked_at(request: RealizationRequest) -> bool:
    """Say whether a worker has had its look since the learner was last asked for, successful or not."""
    if request.dead_at is not None or request.lease_token is not None:
        return False
    return request.due_at is None or request.due_at > clock.now()


# --- What came of it ---------------------------------------------------------------------------------------------


def _list_results(customer_uuid: UUID, lms_user_id: int, request: RealizationRequest | None) -> tuple[AskedResult, ...]:
    """Return what our own rows say of the customer's living intentions: three statements, however many there are."""
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
    request: RealizationRequest | None,
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
    realization: Realization | None, attempt: RealizationAttempt | None, request: RealizationRequest | None
) -> tuple[EnrollmentStatus, str]:
    if realization is not None and realization.left_at is not None:
        return EnrollmentStatus.BLOCKED, realization.left_reason
    if attempt is None:
        if realization is not None:
            return EnrollmentStatus.ENROLLED, Reason.ENROLLED
        waiting_for = request.waiting_for if request else ""
        return EnrollmentStatus.BLOCKED if _has_failed(request) else EnrollmentStatus.PENDING, waiting_for
    if attempt.outcome == Outcome.REALIZED:
        return EnrollmentStatus.ENROLLED, Reason.ENROLLED
    if attempt.outcome == Outcome.NOT_NEEDED:
        return EnrollmentStatus.ENROLLED, attempt.reason
    is_blocked = attempt.outcome == Outcome.BLOCKED and not _goes_by_itself(attempt.reason)
    return EnrollmentStatus.BLOCKED if is_blocked or _has_failed(request) else EnrollmentStatus.PENDING, attempt.reason


def _has_failed(request: RealizationRequest | None) -> bool:
    return request is not None and request.dead_at is not None


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
