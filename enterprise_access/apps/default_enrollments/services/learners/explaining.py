"""explain: why one learner has, or does not have, what the customer intends; with every fact that was used."""

import time
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve
from django.conf import settings

from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.default_enrollments.domain.answers import EvaluationState, say_learner
from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.selectors.facts import Facts
from enterprise_access.apps.default_enrollments.services.health.current import get_current
from enterprise_access.apps.default_enrollments.services.learners.explaining_intentions import (
    Teller,
    explain_current,
    explain_deleted,
)
from enterprise_access.apps.default_enrollments.services.learners.explanation import (
    ExplainedRequest,
    LearnerExplanation,
    in_words,
)
from enterprise_access.apps.default_enrollments.services.learners.status import gather
from enterprise_access.apps.default_enrollments.services.requests.work_items import is_paused
from enterprise_access.apps.redemption.selectors import list_redeemed_runs
from enterprise_access.apps.subsidy_requests.selectors.timeline import list_enrollments
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline

# So many of the newest attempts are read for all intentions together.
_ATTEMPTS_READ: Final = 1000


def explain_learner(*, customer_uuid: UUID, lms_user_id: int) -> LearnerExplanation:
    """Explain every intention of a customer for one learner: linked, not linked any more, or never.

    Reads what learner-status reads, and is held up by the upstream services no longer. Changes and sends nothing.
    Raises CustomerUnknown, and UpstreamUnavailable when there is no copy and the LMS does not answer.
    """
    now = clock.now()
    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
        current = get_current(customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now)
        facts, _ = gather(current, lms_user_id=lms_user_id, now=now)
    if not current.is_linked:
        # Nothing is decided from it, and it is not for this customer to know of somebody else's learner: the answer is
        # the same as about a learner whom no one has.
        facts = evolve(facts, enrollments={lms_user_id: ()}, enterprise_enrollments={}, realized_elsewhere={})
        current = evolve(current, enrollments=(), enterprise_enrollments={}, enrollments_read_at=None)
    attempts = _list_attempts(customer_uuid, lms_user_id)
    paused, request = is_paused(customer_uuid=customer_uuid), _explain_request(customer_uuid, lms_user_id)
    teller = Teller(lms_user_id=lms_user_id, queue=_queue(request, is_paused=paused, now=now), now=now)
    redeemed = _redeemed_runs(facts, customer_uuid, lms_user_id)
    told = [
        *explain_current(facts, teller, attempts, redeemed),
        *explain_deleted(facts, teller, attempts),
    ]
    customer_name = _name_of(customer_uuid)
    return LearnerExplanation(
        customer_uuid=customer_uuid,
        customer_name=customer_name,
        lms_user_id=lms_user_id,
        now=now,
        current=current,
        is_paused=paused,
        sentence=say_learner(teller.who, customer_name, [standing for standing, _ in told], teller.queue),
        request=request,
        intentions=tuple(entry for _, entry in told),
        after_approvals=tuple(list_enrollments(customer_uuid=customer_uuid, lms_user_id=lms_user_id)),
    )


def _name_of(customer_uuid: UUID) -> str:
    customer = get_customer(customer_uuid=customer_uuid)
    return customer.name if customer else str(customer_uuid)


def _queue(request: ExplainedRequest | None, *, is_paused: bool, now: datetime) -> EvaluationState:
    if request is not None and request.dead_at is not None:
        return EvaluationState.FAILED
    if is_paused:
        return EvaluationState.PAUSED
    if request is None:
        return EvaluationState.NONE
    is_due = request.due_at is not None and request.due_at <= now
    return EvaluationState.QUEUED if is_due or request.is_being_worked_on else EvaluationState.NONE


def _redeemed_runs(facts: Facts, customer_uuid: UUID, lms_user_id: int) -> frozenset[str]:
    """Return the runs, folded, that learner credit has paid for; asked for only where something was realized."""
    if not facts.realizations.get(lms_user_id):
        return frozenset()
    return list_redeemed_runs(customer_uuid=customer_uuid, lms_user_id=lms_user_id)


def _list_attempts(customer_uuid: UUID, lms_user_id: int) -> dict[UUID, list[RealizationAttempt]]:
    rows = RealizationAttempt.objects.latest_of([lms_user_id], customer_uuid).order_by("-pk")
    found: dict[UUID, list[RealizationAttempt]] = {}
    for row in rows[:_ATTEMPTS_READ]:
        found.setdefault(row.intention_id, []).append(row)
    return found


def _explain_request(customer_uuid: UUID, lms_user_id: int) -> ExplainedRequest | None:
    row = RealizationRequest.objects.filter(customer_id=customer_uuid, lms_user_id=lms_user_id).first()
    if row is None:
        return None
    return ExplainedRequest(
        due_at=row.due_at,
        is_being_worked_on=row.lease_token is not None,
        waiting_for=in_words(row.waiting_for) if row.waiting_for else None,
        failures=row.failures,
        trigger=row.trigger,
        settled_at=row.settled_at,
        dead_at=row.dead_at,
    )
