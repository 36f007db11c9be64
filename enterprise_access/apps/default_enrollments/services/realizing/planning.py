"""The plan for some learners: a verdict for every intention, and what pays for those that ask for an enrollment."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.default_enrollments.domain.case_view import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.credit_payer import CreditPayer
from enterprise_access.apps.default_enrollments.domain.license_payer import LicensePayer
from enterprise_access.apps.default_enrollments.domain.paying import NoPayer, Payer, Purchase, choose_payers
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.values import Case, Reason, Verdict
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, Intention, make_cases
from enterprise_access.apps.default_enrollments.services.realizing.enrolling import Item
from enterprise_access.apps.default_enrollments.services.realizing.refusals import list_refusals
from enterprise_access.apps.licenses.services import fetch_licenses
from enterprise_access.apps.redemption.services.quoting import quote_default_enrollments
from enterprise_access.lib import clock


@frozen(kw_only=True)
class UnsentOutcome:
    """What was found for one learner and one intention, when there is nothing to send.

    `rule` empty: not decided. `look_at` is set where the pause until the next look is known. `is_news` is false for
    what an earlier attempt says already.
    """

    intention: Intention
    lms_user_id: int
    reason: str
    rule: str = ""
    is_served: bool = False
    course_run_key: str = ""
    enrollment_starts_at: datetime | None = None
    look_at: datetime | None = None
    is_news: bool = True


@frozen(kw_only=True)
class SendingPlan:
    """What to send, and what to write down without sending anything."""

    items: tuple[Item, ...]
    findings: tuple[UnsentOutcome, ...]


def make_plan(
    facts: Facts,
    *,
    lms_user_ids: Sequence[int],
    doubts: Sequence[RealizationAttempt],
    now: datetime,
    renew: Callable[[], object] = bool,
) -> SendingPlan:
    """Decide everything that these learners' customer intends for them, and find payers.

    While the outcome of an earlier call is unknown, whatever customer it was made for, nothing is decided about its
    course (`doubts`). `renew` is called between calls to license-manager.
    """
    findings: list[UnsentOutcome] = []
    to_do: list[tuple[int, Intention, Verdict]] = []
    for lms_user_id in lms_user_ids:
        cases = make_cases(facts, lms_user_id=lms_user_id)
        doubtful = {
            intention: doubts_of_it
            for intention, case in cases.items()
            if (doubts_of_it := _doubts_about(case, lms_user_id, doubts))
        }
        findings += [
            UnsentOutcome(
                intention=intention,
                lms_user_id=lms_user_id,
                reason=Reason.OUTCOME_UNKNOWN,
                is_news=all(doubt.intention_id != intention.pk for doubt in doubts_of_it),
            )
            for intention, doubts_of_it in doubtful.items()
        ]
        verdicts = decide_all({key: case for key, case in cases.items() if key not in doubtful}, now=now)
        for intention, verdict in verdicts.items():
            if verdict.is_to_do:
                to_do.append((lms_user_id, intention, verdict))
            else:
                findings.append(_as_finding(facts, lms_user_id, intention, verdict))
    items, unpaid = _find_payers(facts, to_do, renew)
    items, held_back = _hold_back(facts, items, now)
    return SendingPlan(items=items, findings=(*findings, *unpaid, *held_back))


def _doubts_about(case: Case, lms_user_id: int, doubts: Sequence[RealizationAttempt]) -> list[RealizationAttempt]:
    """Return the attempts without a known outcome that are about the course of the case."""
    return [
        doubt
        for doubt in doubts
        if doubt.lms_user_id == lms_user_id
        and belongs_to_course(
            case,
            course_key=doubt.course_key,
            course_run_key=doubt.course_run_key,
            course_uuid=doubt.course_uuid,
        )
    ]


def is_in_doubt(case: Case, lms_user_id: int, doubts: Sequence[RealizationAttempt]) -> bool:
    """Say whether the outcome of an earlier call about the course of the case is unknown."""
    return bool(_doubts_about(case, lms_user_id, doubts))


def _as_finding(facts: Facts, lms_user_id: int, intention: Intention, verdict: Verdict) -> UnsentOutcome:
    resolution = facts.content_of(intention).resolution
    run = resolution.run if isinstance(resolution, Resolved) else None
    modes = facts.modes_of(intention)
    # The later of the catalog's and the LMS's own date.
    opens_at = [run.enrollment_starts_at if run else None, modes.enrollment_starts_at if modes else None]
    return UnsentOutcome(
        intention=intention,
        lms_user_id=lms_user_id,
        rule=verdict.rule,
        reason=verdict.reason,
        is_served=not verdict.is_skip,
        course_run_key=run.key if run else "",
        enrollment_starts_at=max((at for at in opens_at if at is not None), default=None),
    )


def _find_payers(
    facts: Facts, to_do: Sequence[tuple[int, Intention, Verdict]], renew: Callable[[], object]
) -> tuple[tuple[Item, ...], tuple[UnsentOutcome, ...]]:
    """Choose what pays for each; the licenses are asked for only where there is something to pay."""
    purchases = [_purchase(facts, *entry) for entry in to_do]
    payers = _payers(facts, purchases, renew)
    items: list[Item] = []
    unpaid: list[UnsentOutcome] = []
    for (lms_user_id, intention, verdict), purchase, answer in zip(
        to_do, purchases, choose_payers(payers, purchases), strict=True
    ):
        if isinstance(answer, NoPayer):
            unpaid.append(_refused(_as_finding(facts, lms_user_id, intention, verdict), answer))
            continue
        items.append(
            Item(
                intention=intention,
                lms_user_id=lms_user_id,
                enterprise_customer_user_id=facts.learners[lms_user_id].enterprise_customer_user_id,
                course_key=purchase.course_key,
                course_uuid=_course_uuid(facts, intention),
                course_run_key=purchase.course_run_key,
                verdict=verdict,
                offer=answer,
                was_enrolled=facts.enrollment_in(lms_user_id, purchase.course_run_key) is not None,
                is_by_override=(lms_user_id, intention.pk) in facts.overrides,
            )
        )
    return tuple(items), tuple(unpaid)


def _purchase(facts: Facts, lms_user_id: int, intention: Intention, verdict: Verdict) -> Purchase:
    content = facts.content_of(intention)
    resolved = content.resolution
    if not isinstance(resolved, Resolved):
        raise TypeError("Only what resolves to a run is to be enrolled.")
    return Purchase(
        lms_user_id=lms_user_id,
        course_key=resolved.course.key,
        course_run_key=resolved.run.key,
        mode=verdict.mode or "",
        catalogs=content.catalogs or (),
    )


def _course_uuid(facts: Facts, intention: Intention) -> UUID | None:
    course = facts.content_of(intention).resolution.course
    return course.uuid if course else None


def _hold_back(
    facts: Facts, items: Sequence[Item], now: datetime
) -> tuple[tuple[Item, ...], tuple[UnsentOutcome, ...]]:
    """Leave out what the LMS refused a short while ago: the same run, in the same mode."""
    refusals = list_refusals(
        customer_uuid=facts.customer_uuid,
        lms_user_ids={item.lms_user_id for item in items},
        intentions={item.intention.pk for item in items},
    )
    sending: list[Item] = []
    held_back: list[UnsentOutcome] = []
    for item in items:
        refusal = refusals.get((item.lms_user_id, item.intention.pk))
        same = refusal is not None and refusal.is_of(course_run_key=item.course_run_key, mode=item.mode)
        if refusal is None or not same or now >= refusal.pause_ends_at:
            sending.append(item)
            continue
        held_back.append(
            UnsentOutcome(
                intention=item.intention,
                lms_user_id=item.lms_user_id,
                reason=Reason.REFUSED_BY_LMS,
                look_at=refusal.pause_ends_at,
                is_news=False,
            )
        )
    return tuple(sending), tuple(held_back)


def _refused(finding: UnsentOutcome, answer: NoPayer) -> UnsentOutcome:
    return UnsentOutcome(
        intention=finding.intention,
        lms_user_id=finding.lms_user_id,
        rule=finding.rule,
        reason=answer.code,
        course_run_key=finding.course_run_key,
    )


def _payers(facts: Facts, purchases: Sequence[Purchase], renew: Callable[[], object]) -> Sequence[Payer]:
    """Return what may pay, in the order of preference: licenses, then learner credit."""
    licenses = _license_payer(facts, {purchase.lms_user_id for purchase in purchases}, renew)
    # Budgets are asked only about what no license pays.
    unpaid = {
        (purchase.lms_user_id, purchase.course_run_key)
        for purchase in purchases
        if isinstance(answer := licenses.quote(purchase, offered=()), NoPayer) and not answer.is_unknown
    }
    if not unpaid:
        return [licenses]
    quotes = quote_default_enrollments(customer_uuid=facts.customer_uuid, wanted=unpaid, now=clock.now())
    return [licenses, CreditPayer(quotes=quotes)]


def _license_payer(facts: Facts, lms_user_ids: set[int], renew: Callable[[], object]) -> LicensePayer:
    emails: Mapping[int, str | None] = {
        lms_user_id: facts.learners[lms_user_id].email for lms_user_id in sorted(lms_user_ids)
    }
    licenses = fetch_licenses(customer_uuid=facts.customer_uuid, emails=emails, renew=renew)
    # None was not read; empty is what the account has.
    without_email = frozenset(lms_user_id for lms_user_id, email in emails.items() if email == "")
    return LicensePayer(licenses=licenses, without_email=without_email)
