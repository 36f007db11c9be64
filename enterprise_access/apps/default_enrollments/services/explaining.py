"""explain: why one learner has, or does not have, what the customer intends; with every fact that was used."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import evolve, frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import Resolved, Unresolved
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.default_enrollments.domain.decision import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.looking_again import look_of
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.selectors.facts import (
    Facts,
    Intention,
    Realization,
    make_cases,
)
from enterprise_access.apps.default_enrollments.services.current import Current, get_current
from enterprise_access.apps.default_enrollments.services.requests import UNEXPECTED_ERROR, is_paused
from enterprise_access.apps.default_enrollments.services.status import gather
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold

# So many of the newest attempts are shown of each intention, and so many are looked at altogether.
ATTEMPTS_SHOWN: Final = 10
_ATTEMPTS_READ: Final = 1000

_PAYING_NOTE: Final = (
    "Paying is not part of the decision: an enrollable intention without a payer stays enrollable, and the attempts "
    "say what paid for it, or why nothing did."
)


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
class Explanation:
    """Everything that is known of one learner of one customer at `now`. `request` None: nobody has asked yet."""

    customer_uuid: UUID
    lms_user_id: int
    now: datetime
    current: Current
    is_paused: bool
    request: ExplainedRequest | None
    intentions: tuple[ExplainedIntention, ...]


def explain_learner(*, customer_uuid: UUID, lms_user_id: int) -> Explanation:
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
    return Explanation(
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


# --- As plain data -----------------------------------------------------------------------------------------------


def as_plain_data(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as it goes over the wire, or into a terminal: nothing personal but the LMS's ids."""
    current, request = explanation.current, explanation.request
    return {
        "enterprise_customer_uuid": explanation.customer_uuid,
        "lms_user_id": explanation.lms_user_id,
        "explained_at": explanation.now,
        "stale": current.is_stale,
        "customer": {
            "is_active": current.is_customer_active,
            "is_paused": explanation.is_paused,
            "fetched_at": current.customer_read_at,
        },
        "link": {
            "is_linked": current.is_linked,
            "is_active_link": current.learner.is_active_link if current.learner else False,
            "last_login_at": current.learner.last_login_at if current.learner else None,
            "fetched_at": current.learner.fetched_at if current.learner else None,
        },
        "enrollments_fetched_at": current.enrollments_read_at,
        "request": _plain_request(request) if request else None,
        "intentions": [_plain_intention(entry) for entry in explanation.intentions],
        "note": _PAYING_NOTE,
    }


def _plain_request(request: ExplainedRequest) -> dict[str, Any]:
    return {
        "due_at": request.due_at,
        "is_being_worked_on": request.is_being_worked_on,
        "waiting_for": _plain_reason(request.waiting_for),
        "failures": request.failures,
        "trigger": request.trigger,
        "settled_at": request.settled_at,
        "dead_at": request.dead_at,
    }


def _plain_reason(reason: ReasonInWords | None) -> dict[str, Any] | None:
    if reason is None:
        return None
    return {
        "code": reason.code,
        "text": reason.text,
        "what_would_change_it": reason.what_would_change_it,
        "looked_at_again": reason.looked_at_again,
        "looked_at_again_upon": list(reason.looked_at_again_upon),
    }


def _plain_intention(entry: ExplainedIntention) -> dict[str, Any]:
    verdict = entry.verdict
    return {
        "uuid": entry.intention.pk,
        "content_key": entry.intention.content_key,
        "is_deleted": entry.intention.is_deleted,
        "rule": verdict.rule if verdict else None,
        "verdict": verdict.kind if verdict else None,
        "bucket": verdict.bucket if verdict else None,
        "mode": verdict.mode if verdict else None,
        "reason": _plain_reason(entry.reason),
        "obstacle": _plain_reason(entry.obstacle),
        "has_override": entry.has_override,
        "content": _plain_content(entry.content) if entry.content else None,
        "modes": _plain_modes(entry.modes) if entry.modes else None,
        "enrollments": [_plain_enrollment(row, entry.revoked_runs) for row in entry.enrollments],
        "realizations": [_plain_realization(row, entry.intention) for row in entry.realizations],
        "attempts": [_plain_attempt(row) for row in entry.attempts],
    }


def _plain_content(content: Content) -> dict[str, Any]:
    found = content.resolution
    run = found.run if isinstance(found, Resolved) else None
    return {
        "course_key": found.course.key if found.course else None,
        "course_run_key": run.key if run else None,
        "unresolved": found.reason if isinstance(found, Unresolved) else None,
        "is_published": run.is_published if run else None,
        "enrollment_starts_at": run.enrollment_starts_at if run else None,
        "enrollment_ends_at": run.enrollment_ends_at if run else None,
        "ends_at": run.ends_at if run else None,
        "catalogs": None if content.catalogs is None else list(content.catalogs),
        "fetched_at": content.fetched_at,
        "stale": content.is_stale,
    }


def _plain_modes(modes: KnownModes) -> dict[str, Any]:
    return {
        "modes": [{"slug": slug, "expires_at": expires_at} for slug, expires_at in modes.modes.items()],
        "is_invitation_only": modes.is_invitation_only,
        "evidence": modes.evidence,
        "fetched_at": modes.fetched_at,
    }


def _plain_enrollment(row: EnrollmentCopy, revoked_runs: frozenset[str]) -> dict[str, Any]:
    return {
        "course_run_key": row.course_run_key,
        "mode": row.mode,
        "is_active": row.is_active,
        "is_revoked": fold(row.course_run_key) in revoked_runs,
        "changed_at": row.changed_at,
        "fetched_at": row.fetched_at,
    }


def _plain_realization(row: Realization, intention: Intention) -> dict[str, Any]:
    return {
        "course_run_key": row.course_run_key,
        "of_this_intention": row.intention_id == intention.pk,
        "mode": row.seen_mode or row.predicted_mode,
        "realized_at": row.realized_at,
        "left_at": row.left_at,
        "left_reason": row.left_reason or None,
        "downgraded_at": row.downgraded_at,
    }


def _plain_attempt(row: RealizationAttempt) -> dict[str, Any]:
    return {
        "outcome": row.outcome,
        "reason": row.reason,
        "rule": row.rule,
        "course_run_key": row.course_run_key or None,
        "mode": row.mode or None,
        "trigger": row.trigger,
        "times": row.times,
        "first_at": row.created_at,
        "last_at": row.last_seen_at,
    }
