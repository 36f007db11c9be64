"""explain: why one learner has, or does not have, what the customer intends; with every fact that was used."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import evolve, frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.default_enrollments.domain.answers import (
    LearnerState,
    Queue,
    Standing,
    say_intention,
    say_learner,
)
from enterprise_access.apps.default_enrollments.domain.credit_payer import CREDIT
from enterprise_access.apps.default_enrollments.domain.decision import belongs_to_course, blocking_reasons
from enterprise_access.apps.default_enrollments.domain.license_payer import LICENSE
from enterprise_access.apps.default_enrollments.domain.looking_again import look_of
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict, VerdictKind
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, Intention, Realization, make_cases
from enterprise_access.apps.default_enrollments.services.health.current import Current, get_current
from enterprise_access.apps.default_enrollments.services.learners.status import gather
from enterprise_access.apps.default_enrollments.services.requests.work_items import UNEXPECTED_ERROR, is_paused
from enterprise_access.apps.redemption.selectors import list_redeemed_runs
from enterprise_access.apps.subsidy_requests.selectors.timeline import list_enrollments
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold
from enterprise_access.lib.timeline import Explained

# So many of the newest attempts are shown of each intention, and so many are looked at altogether.
ATTEMPTS_SHOWN: Final = 10
_ATTEMPTS_READ: Final = 1000


@frozen(kw_only=True)
class ReasonInWords:
    """A reason code, what it means, what would have to change, and what brings the next look."""

    code: str
    text: str
    what_would_change_it: str
    looked_at_again: str
    looked_at_again_upon: tuple[str, ...]


@frozen(kw_only=True)
class ExplainedIntention:
    """One intention. `verdict` and `reason` None: it was deleted, and nothing is decided about it any more.

    `sentence` is the answer. `blocking` is everything that blocks the enrollment; `paid_by` what paid for it (None: not
    known here). `obstacle` is why the last attempt came to nothing although the decision was to enroll: a payer's
    reason, mostly.
    `enrollments` and `realizations` are those in runs of the intention's course, `is_revoked` by folded run key.
    """

    intention: Intention
    verdict: Verdict | None
    reason: ReasonInWords | None
    obstacle: ReasonInWords | None
    state: LearnerState
    sentence: str
    blocking: tuple[ReasonInWords, ...]
    paid_by: str | None
    content: Content | None
    modes: KnownModes | None
    has_override: bool
    enrollments: tuple[EnrollmentCopy, ...]
    revoked_runs: frozenset[str]
    realizations: tuple[Realization, ...]
    attempts: tuple[RealizationAttempt, ...]


@frozen(kw_only=True)
class ExplainedRequest:
    """What is owed to the learner. `waiting_for` is the reason of the next look, None when there is none."""

    due_at: datetime | None
    is_being_worked_on: bool
    waiting_for: ReasonInWords | None
    failures: int
    trigger: str
    settled_at: datetime | None
    dead_at: datetime | None


@frozen(kw_only=True)
class LearnerExplanation:
    """Everything that is known of one learner of one customer at `now`; `sentence` sums it up. `request` None: the
    learner was never queued."""

    customer_uuid: UUID
    customer_name: str
    lms_user_id: int
    now: datetime
    current: Current
    is_paused: bool
    sentence: str
    request: ExplainedRequest | None
    intentions: tuple[ExplainedIntention, ...]
    after_approvals: tuple[Explained, ...]


def explain_learner(*, customer_uuid: UUID, lms_user_id: int) -> LearnerExplanation:
    """Explain every intention of a customer for one learner: linked, not linked any more, or never.

    Reads what learner-status reads, and is held up by the neighbours no longer. Changes and sends nothing.
    Raises CustomerUnknown, and UpstreamUnavailable when there is no copy and the LMS does not answer.
    """
    now = clock.now()
    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
        current = get_current(customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now)
        facts, _ = gather(current, lms_user_id=lms_user_id, now=now)
    if not current.is_linked:
        # Nothing is decided from it, and it is not for this customer to know of somebody else's learner: the answer is
        # the same as about a learner whom nobody has.
        facts = evolve(facts, enrollments={lms_user_id: ()}, enterprise_enrollments={}, realized_elsewhere={})
        current = evolve(current, enrollments=(), enterprise_enrollments={}, enrollments_read_at=None)
    attempts = _list_attempts(customer_uuid, lms_user_id)
    paused, request = is_paused(customer_uuid=customer_uuid), _explain_request(customer_uuid, lms_user_id)
    teller = _Teller(lms_user_id=lms_user_id, queue=_queue(request, is_paused=paused, now=now), now=now)
    redeemed = _redeemed_runs(facts, customer_uuid, lms_user_id)
    told = [
        *_explain_living(facts, teller, attempts, redeemed),
        *_explain_deleted(facts, teller, attempts),
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


@frozen(kw_only=True)
class _Teller:
    """Whom it is told about, and when."""

    lms_user_id: int
    queue: Queue
    now: datetime

    @property
    def who(self) -> str:
        return f"Learner {self.lms_user_id}"

    def say(self, standing: Standing) -> str:
        return say_intention(self.who, standing, self.queue)


def _name_of(customer_uuid: UUID) -> str:
    customer = get_customer(customer_uuid=customer_uuid)
    return customer.name if customer else str(customer_uuid)


def _queue(request: ExplainedRequest | None, *, is_paused: bool, now: datetime) -> Queue:
    if request is not None and request.dead_at is not None:
        return Queue.FAILED
    if is_paused:
        return Queue.PAUSED
    if request is None:
        return Queue.NONE
    is_due = request.due_at is not None and request.due_at <= now
    return Queue.QUEUED if is_due or request.is_being_worked_on else Queue.NONE


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
        waiting_for=_in_words(row.waiting_for) if row.waiting_for else None,
        failures=row.failures,
        trigger=row.trigger,
        settled_at=row.settled_at,
        dead_at=row.dead_at,
    )


def _in_words(code: str) -> ReasonInWords:
    if code == UNEXPECTED_ERROR:
        return ReasonInWords(
            code=code,
            text="An unexpected error of this service stopped the evaluation.",
            what_would_change_it="The service retries automatically; if it keeps failing, staff have to retry it.",
            looked_at_again="after a minute",
            looked_at_again_upon=(),
        )
    words, look = explain(code), look_of(code)
    return ReasonInWords(
        code=code,
        text=words.text,
        what_would_change_it=words.what_would_change_it,
        looked_at_again=look.schedule.value,
        looked_at_again_upon=tuple(sorted(look.events)),
    )


# --- Intentions --------------------------------------------------------------------------------------------------


Told = tuple[Standing, ExplainedIntention]


def _explain_living(
    facts: Facts,
    teller: _Teller,
    attempts: Mapping[UUID, Sequence[RealizationAttempt]],
    redeemed: frozenset[str],
) -> list[Told]:
    cases = make_cases(facts, lms_user_id=teller.lms_user_id)
    return [
        _explain_intention(
            facts, teller, intention, cases[intention], verdict, attempts.get(intention.pk, ()), redeemed
        )
        for intention, verdict in decide_all(cases, now=teller.now).items()
    ]


def _explain_intention(
    facts: Facts,
    teller: _Teller,
    intention: Intention,
    case: Case,
    verdict: Verdict,
    attempts: Sequence[RealizationAttempt],
    redeemed: frozenset[str],
) -> Told:
    lms_user_id, content = teller.lms_user_id, facts.content_of(intention)
    enrollments = tuple(
        row
        for row in facts.enrollments.get(lms_user_id, ())
        if belongs_to_course(case, course_key=None, course_run_key=row.course_run_key)
    )
    revoked = {fold(row.course_run_key) for row in case.enrollments if row.is_revoked}
    realizations = (*facts.realizations.get(lms_user_id, ()), *facts.realized_elsewhere.get(lms_user_id, ()))
    obstacle = _obstacle(verdict, attempts)
    blocking = [obstacle.reason] if obstacle else [*blocking_reasons(case, verdict, now=teller.now)]
    paid_by = _paid_by(enrollments, attempts, redeemed) if verdict.kind is VerdictKind.NONE else None
    standing = Standing(
        course=content.title or intention.content_key,
        kind=verdict.kind,
        blocking=tuple(blocking),
        obstacle_seen_at=obstacle.last_seen_at if obstacle else None,
        paid_by=_PAYERS.get(paid_by or "", ""),
        has_override=case.has_override,
    )
    return standing, ExplainedIntention(
        intention=intention,
        verdict=verdict,
        reason=_in_words(verdict.reason),
        obstacle=_in_words(obstacle.reason) if obstacle else None,
        state=standing.state,
        sentence=teller.say(standing),
        blocking=tuple(map(_in_words, blocking)),
        paid_by=paid_by,
        content=content,
        modes=facts.modes_of(intention),
        has_override=case.has_override,
        enrollments=enrollments,
        revoked_runs=frozenset(revoked & {fold(row.course_run_key) for row in enrollments}),
        realizations=tuple(
            row
            for row in realizations
            if belongs_to_course(
                case, course_key=row.course_key, course_run_key=row.course_run_key, course_uuid=row.course_uuid
            )
        ),
        attempts=tuple(attempts[:ATTEMPTS_SHOWN]),
    )


def _obstacle(verdict: Verdict, attempts: Sequence[RealizationAttempt]) -> RealizationAttempt | None:
    """Return the last attempt where it came to nothing although the decision is to enroll."""
    if not verdict.is_to_do or not attempts or attempts[0].outcome == Outcome.REALIZED:
        return None
    return attempts[0] if attempts[0].reason not in ("", verdict.reason) else None


# What paid, as a part of a sentence.
_PAYERS: Final = {LICENSE: "a license", CREDIT: "learner credit"}


def _paid_by(
    enrollments: Sequence[EnrollmentCopy], attempts: Sequence[RealizationAttempt], redeemed: frozenset[str]
) -> str | None:
    """Return what paid for an active enrollment that this service made; None: it made none, or does not know."""
    active = {fold(row.course_run_key) for row in enrollments if row.is_active}
    if active & redeemed:
        return CREDIT
    made = {fold(row.course_run_key) for row in attempts if row.outcome == Outcome.REALIZED}
    return LICENSE if active & made else None


def _explain_deleted(
    facts: Facts, teller: _Teller, attempts: Mapping[UUID, Sequence[RealizationAttempt]]
) -> list[Told]:
    """Return the intentions that were deleted after they had been realized for this learner."""
    living = {intention.pk for intention in facts.intentions}
    rows = facts.realizations[teller.lms_user_id]
    realized = {row.intention_id: row for row in rows if row.intention_id not in living}
    return [
        _explain_one_deleted(teller, intention, realized[intention.pk], attempts.get(intention.pk, ()))
        for intention in Intention.objects.filter(pk__in=realized)
    ]


def _explain_one_deleted(
    teller: _Teller, intention: Intention, realization: Realization, attempts: Sequence[RealizationAttempt]
) -> Told:
    standing = Standing(course=intention.content_key, kind=None)
    return standing, ExplainedIntention(
        intention=intention,
        verdict=None,
        reason=None,
        obstacle=None,
        state=LearnerState.ENROLLED if realization.left_at is None else LearnerState.BLOCKED,
        sentence=teller.say(standing),
        blocking=(),
        paid_by=None,
        content=None,
        modes=None,
        has_override=False,
        enrollments=(),
        revoked_runs=frozenset(),
        realizations=(realization,),
        attempts=tuple(attempts[:ATTEMPTS_SHOWN]),
    )
