"""Overrides: one-time staff permission to re-enroll a learner who unenrolled or lost access (ADR 0022)."""

import time
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Rule, Verdict
from enterprise_access.apps.default_enrollments.errors import (
    OverrideExists,
    OverrideInUse,
    OverrideNotActive,
    OverrideNotNeeded,
    ReasonMissing,
)
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    RealizationOverride,
    Trigger,
    override_validity,
)
from enterprise_access.apps.default_enrollments.selectors.doubts import list_doubts
from enterprise_access.apps.default_enrollments.selectors.facts import make_cases
from enterprise_access.apps.default_enrollments.services.realizing.facts import fetch_facts
from enterprise_access.apps.default_enrollments.services.realizing.override_use import is_in_use, pair_name
from enterprise_access.apps.default_enrollments.services.realizing.planning import is_in_doubt
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline
from enterprise_access.lib.transactions import retry_deadlocks

# What an override gets past. For every other reason it would change nothing now, and surprise somebody later.
OVERRIDDEN: Final = frozenset({Rule.D2, Rule.D5})


def grant_override(
    *,
    intention: DefaultEnterpriseEnrollmentIntention,
    lms_user_id: int,
    by: str,
    reason: str,
    now: datetime,
    is_actor_verified: bool = True,
) -> RealizationOverride:
    """Let the learner be enrolled once more for this intention, and evaluate them immediately.

    `is_actor_verified`: `by` is who is signed in, and not just a name that was given. Raises ReasonMissing;
    OverrideExists when there is an active one already; OverrideNotNeeded unless leaving is what blocks the learner, by
    facts that are read for this; and UpstreamError when the LMS cannot be asked.
    """
    if not reason.strip():
        raise ReasonMissing("Say why this learner is to be enrolled again; it is kept with the override.")
    name = pair_name(intention.pk, lms_user_id)
    if RealizationOverride.objects.active(now).filter(unused_for=name).exists():
        raise OverrideExists(_EXISTS)
    _check_need(intention, lms_user_id, now)
    override = RealizationOverride(
        intention=intention,
        lms_user_id=lms_user_id,
        by=by,
        is_actor_verified=is_actor_verified,
        reason=reason.strip(),
        expires_at=now + override_validity(),
        unused_for=name,
    )
    try:
        _insert(override, now)
    except IntegrityError:
        raise OverrideExists(_EXISTS) from None
    request_realization(customer_uuid=intention.customer_id, lms_user_ids=[lms_user_id], trigger=Trigger.STAFF, now=now)
    return override


@retry_deadlocks
def _insert(override: RealizationOverride, now: datetime) -> None:
    """Store an override in the place of one that has expired."""
    with transaction.atomic():
        RealizationOverride.objects.expired(now).filter(unused_for=override.unused_for).update(unused_for=None)
        override.created = clock.now()
        override.save(force_insert=True)


_EXISTS: Final = "There is an active override for this learner and intention."


def _check_need(intention: DefaultEnterpriseEnrollmentIntention, lms_user_id: int, now: datetime) -> None:
    """Raise OverrideNotNeeded unless the learner is blocked because they left, or lost a license."""
    verdict = _present_verdict(intention, lms_user_id, now)
    if verdict is None:
        raise OverrideNotNeeded("The intention was deleted: nothing is decided about it.")
    if verdict.rule not in OVERRIDDEN:
        words = explain(verdict.reason).text
        raise OverrideNotNeeded(
            f"Nothing to override for learner {lms_user_id}: an override lets back in who left the course or lost a "
            f"license, and that is not what the decision says now ({verdict.rule}, {verdict.reason}). {words}"
        )


def _present_verdict(
    intention: DefaultEnterpriseEnrollmentIntention, lms_user_id: int, now: datetime
) -> Verdict | None:
    """Return what is decided about the intention by fresh facts; None: the intention is not among the living."""
    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
        try:
            facts = fetch_facts(customer_uuid=intention.customer_id, lms_user_ids=[lms_user_id])
        except CustomerUnknown as error:
            raise OverrideNotNeeded(error.detail) from error
    cases = {row.pk: case for row, case in make_cases(facts, lms_user_id=lms_user_id).items()}
    case = cases.get(intention.pk)
    if case is not None and is_in_doubt(case, lms_user_id, list_doubts([lms_user_id])):
        raise OverrideNotNeeded(
            f"The outcome of an earlier call for learner {lms_user_id} is not known yet: wait until it is."
        )
    return decide_all(cases, now=now).get(intention.pk)


def cancel_override(*, override: RealizationOverride, by: str, reason: str, now: datetime) -> None:
    """Take an active override back. Raises ReasonMissing, OverrideNotActive, and OverrideInUse while a call is made."""
    if not reason.strip():
        raise ReasonMissing("Say why the override is cancelled; it is kept with it.")
    _cancel(override, by=by, reason=reason.strip(), now=now)
    override.refresh_from_db()


@retry_deadlocks
def _cancel(override: RealizationOverride, *, by: str, reason: str, now: datetime) -> None:
    mine = RealizationOverride.objects.active(now).filter(pk=override.pk)
    if mine.select_for_update().first() is None:
        raise OverrideNotActive("The override is not active any more: there is nothing to cancel.")
    if is_in_use(override):
        raise OverrideInUse("A call that this override allows was sent just now: it cannot be cancelled any more.")
    mine.update(cancelled_at=now, cancelled_by=by, cancel_reason=reason, unused_for=None, modified=now)
