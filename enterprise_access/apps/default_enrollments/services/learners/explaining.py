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
from enterprise_access.apps.default_enrollments.domain.decision import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.looking_again import look_of
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, Intention, Realization, make_cases
from enterprise_access.apps.default_enrollments.services.health.current import Current, get_current
from enterprise_access.apps.default_enrollments.services.learners.status import gather
from enterprise_access.apps.default_enrollments.services.requests.work_items import UNEXPECTED_ERROR, is_paused
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold

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

    `obstacle` is why the last attempt came to nothing although the decision was to enroll: a payer's reason, mostly.
    `enrollments` and `realizations` are those in runs of the intention's course, `is_revoked` by folded run key.
    """

    intention: Intention
    verdict: Verdict | None
    reason: ReasonInWords | None
    obstacle: ReasonInWords | None
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
    """Everything that is known of one learner of one customer at `now`. `request` None: nobody has asked yet."""

    customer_uuid: UUID
    lms_user_id: int
    now: datetime
    current: Current
    is_paused: bool
    request: ExplainedRequest | None
    intentions: tuple[ExplainedIntention, ...]


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
    return LearnerExplanation(
        customer_uuid=customer_uuid,
        lms_user_id=lms_user_id,
        now=now,
        current=current,
        is_paused=is_paused(customer_uuid=customer_uuid),
        request=_explain_request(customer_uuid, lms_user_id),
        intentions=(
            *_explain_living(facts, lms_user_id, attempts, now),
            *_explain_deleted(facts, lms_user_id, attempts),
        ),
    )


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
            text="An error of our own got in the way.",
            what_would_change_it="It is tried again; after several times in vain somebody has to look.",
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


def _explain_living(
    facts: Facts, lms_user_id: int, attempts: Mapping[UUID, Sequence[RealizationAttempt]], now: datetime
) -> list[ExplainedIntention]:
    cases = make_cases(facts, lms_user_id=lms_user_id)
    return [
        _explain_intention(facts, lms_user_id, intention, cases[intention], verdict, attempts.get(intention.pk, ()))
        for intention, verdict in decide_all(cases, now=now).items()
    ]


def _explain_intention(
    facts: Facts,
    lms_user_id: int,
    intention: Intention,
    case: Case,
    verdict: Verdict,
    attempts: Sequence[RealizationAttempt],
) -> ExplainedIntention:
    enrollments = tuple(
        row
        for row in facts.enrollments.get(lms_user_id, ())
        if belongs_to_course(case, course_key=None, course_run_key=row.course_run_key)
    )
    revoked = {fold(row.course_run_key) for row in case.enrollments if row.is_revoked}
    realizations = (*facts.realizations.get(lms_user_id, ()), *facts.realized_elsewhere.get(lms_user_id, ()))
    blocked = verdict.is_to_do and bool(attempts) and attempts[0].outcome != Outcome.REALIZED
    return ExplainedIntention(
        intention=intention,
        verdict=verdict,
        reason=_in_words(verdict.reason),
        obstacle=_in_words(attempts[0].reason) if blocked and attempts[0].reason != verdict.reason else None,
        content=facts.content_of(intention),
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


def _explain_deleted(
    facts: Facts, lms_user_id: int, attempts: Mapping[UUID, Sequence[RealizationAttempt]]
) -> list[ExplainedIntention]:
    """Return the intentions that were deleted after they had been realized for this learner."""
    living = {intention.pk for intention in facts.intentions}
    realized = {row.intention_id: row for row in facts.realizations[lms_user_id] if row.intention_id not in living}
    return [
        ExplainedIntention(
            intention=intention,
            verdict=None,
            reason=None,
            obstacle=None,
            content=None,
            modes=None,
            has_override=False,
            enrollments=(),
            revoked_runs=frozenset(),
            realizations=(realized[intention.pk],),
            attempts=tuple(attempts.get(intention.pk, ())[:ATTEMPTS_SHOWN]),
        )
        for intention in Intention.objects.filter(pk__in=realized)
    ]
