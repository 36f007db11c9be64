"""explain, for each intention: those of today, and those that were deleted after they had enrolled the learner."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.default_enrollments.domain.answers import (
    EvaluationState,
    IntentionState,
    Standing,
    say_intention,
)
from enterprise_access.apps.default_enrollments.domain.case_view import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.credit_payer import CREDIT
from enterprise_access.apps.default_enrollments.domain.decision import blocking_reasons
from enterprise_access.apps.default_enrollments.domain.license_payer import LICENSE
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict, VerdictKind
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, Intention, Realization, make_cases
from enterprise_access.apps.default_enrollments.services.learners.explanation import ExplainedIntention, in_words
from enterprise_access.lib.keys import fold

# So many of the newest attempts are shown of each intention.
ATTEMPTS_SHOWN: Final = 10


@frozen(kw_only=True)
class Teller:
    """Whom it is told about, and when."""

    lms_user_id: int
    queue: EvaluationState
    now: datetime

    @property
    def who(self) -> str:
        return f"Learner {self.lms_user_id}"

    def say(self, standing: Standing) -> str:
        return say_intention(self.who, standing, self.queue)


Told = tuple[Standing, ExplainedIntention]


def explain_current(
    facts: Facts,
    teller: Teller,
    attempts: Mapping[UUID, Sequence[RealizationAttempt]],
    redeemed: frozenset[str],
) -> list[Told]:
    """Return what is said of each intention that the customer has, in the order of the decisions."""
    cases = make_cases(facts, lms_user_id=teller.lms_user_id)
    return [
        _explain_intention(
            facts, teller, intention, cases[intention], verdict, attempts.get(intention.pk, ()), redeemed
        )
        for intention, verdict in decide_all(cases, now=teller.now).items()
    ]


def _explain_intention(
    facts: Facts,
    teller: Teller,
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
        reason=in_words(verdict.reason),
        obstacle=in_words(obstacle.reason) if obstacle else None,
        state=standing.state,
        sentence=teller.say(standing),
        blocking=tuple(map(in_words, blocking)),
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


def explain_deleted(facts: Facts, teller: Teller, attempts: Mapping[UUID, Sequence[RealizationAttempt]]) -> list[Told]:
    """Return the intentions that were deleted after they had been realized for this learner."""
    living = {intention.pk for intention in facts.intentions}
    rows = facts.realizations[teller.lms_user_id]
    realized = {row.intention_id: row for row in rows if row.intention_id not in living}
    return [
        _explain_one_deleted(teller, intention, realized[intention.pk], attempts.get(intention.pk, ()))
        for intention in Intention.objects.filter(pk__in=realized)
    ]


def _explain_one_deleted(
    teller: Teller, intention: Intention, realization: Realization, attempts: Sequence[RealizationAttempt]
) -> Told:
    standing = Standing(course=intention.content_key, kind=None)
    return standing, ExplainedIntention(
        intention=intention,
        verdict=None,
        reason=None,
        obstacle=None,
        state=IntentionState.ENROLLED if realization.left_at is None else IntentionState.BLOCKED,
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
