"""Watching what the intentions of a customer stand for, and waking the learners who wait for a change."""

import hashlib
import json
import logging
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes, list_modes, refresh_content
from enterprise_access.apps.content_metadata.services import refresh_modes_of
from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.looking_again import TABLE, RecheckEvent
from enterprise_access.apps.default_enrollments.domain.values import Case, Reason, Verdict
from enterprise_access.apps.default_enrollments.models import (
    Intention,
    IntentionHealth,
    Outcome,
    RealizationAttempt,
    Trigger,
)
from enterprise_access.apps.default_enrollments.selectors.intended import facts_of_modes
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions
from enterprise_access.apps.default_enrollments.services.realizing.announcing import announce_unhealthy
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.lib import clock, metrics
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)


WOKEN_BY_CONTENT = [reason.value for reason, look in TABLE.items() if RecheckEvent.CONTENT_CHANGE in look.events]
LEARNERS_AT_ONCE = 500
_UNKNOWN = (Reason.MODES_UNAVAILABLE, Reason.CATALOG_UNAVAILABLE)


def list_customers_with_intentions() -> list[UUID]:
    """Return the customers that intend anything now."""
    return list(Intention.objects.living().order_by("customer_id").values_list("customer_id", flat=True).distinct())


def check_intentions(
    *,
    customer_uuid: UUID,
    checked_before: datetime | None = None,
    only: Collection[UUID] | None = None,
    asks_lms: bool = True,
) -> list[Intention]:
    """Ask again what the customer's intentions stand for; return those that changed, after waking who waits for it.

    `checked_before`: leave alone what was checked since. `only`: check these alone. An intention that
    is checked for the first time counts as changed: something may have happened to those who were looked at before.
    `asks_lms` False: use the modes that are known, and write down nothing where a decision needs more. Raises
    UpstreamError when the catalog service cannot be asked: then nothing is known to have changed.
    """
    intentions = list_intentions(customer_uuid=customer_uuid)
    if only is not None:
        intentions = tuple(intention for intention in intentions if intention.pk in only)
    if checked_before is not None:
        young = set(IntentionHealth.objects.filter(checked_at__gt=checked_before).values_list("pk", flat=True))
        intentions = tuple(intention for intention in intentions if intention.pk not in young)
    if not intentions:
        return []
    now = clock.now()
    contents = refresh_content(customer_uuid=customer_uuid, content_keys=[row.content_key for row in intentions])
    if asks_lms:
        modes = refresh_modes_of(contents=contents.values(), can_wait=True)
    else:
        modes = list_modes(course_run_keys=[each.run.key for each in contents.values() if each.run], now=now)
        intentions = tuple(
            each for each in intentions if _is_known(each, contents[each.content_key_folded], modes, now)
        )
    changed = [
        intention
        for intention in intentions
        if _has_changed(intention, contents[intention.content_key_folded], modes, now=now)
    ]
    for intention in changed:
        _wake(intention, now)
    return changed


def _is_known(intention: Intention, content: Content, modes: dict[str, KnownModes], now: datetime) -> bool:
    known = modes.get(fold(content.run.key)) if content.run else None
    return verdict_for_newcomer(intention, content, known, now=now).reason not in _UNKNOWN


def check_saved(intentions: Iterable[Intention], *, asks_lms: bool = True) -> None:
    """Check intentions that were just added or restored, so that lists and pages say how they stand.

    `asks_lms` False, for many: their modes are being fetched in the background, at the LMS's pace, and those for which
    they decide are left to the regular check. The services share one budget; what they do not answer in time is left
    to that check, too.
    """
    saved: dict[UUID, set[UUID]] = {}
    for intention in intentions:
        saved.setdefault(intention.customer_id, set()).add(intention.pk)
    with suppress(UpstreamError), deadline(time.monotonic() + settings.CONTENT_BUDGET_SECONDS):
        for customer_uuid, uuids in saved.items():
            check_intentions(customer_uuid=customer_uuid, only=uuids, asks_lms=asks_lms)


def refresh_and_check(*, customer_uuid: UUID) -> list[Intention]:
    """Read the customer again, and check all its intentions; return those that changed.

    Raises UpstreamError when the LMS or the catalog service cannot be asked. What was read until then is kept.
    """
    with suppress(CustomerUnknown):  # kept with the copy, which is inactive then
        fetch_customer(customer_uuid=customer_uuid)
    return check_intentions(customer_uuid=customer_uuid)


def _has_changed(intention: Intention, content: Content, modes: dict[str, KnownModes], *, now: datetime) -> bool:
    """Write down what was found; say whether it differs from the last time, or is found for the first time."""
    run = content.resolution.run if isinstance(content.resolution, Resolved) else None
    known = modes.get(fold(run.key)) if run else None
    verdict = verdict_for_newcomer(intention, content, known, now=now)
    is_new, is_other_verdict = _store_verdict(
        intention, verdict, run.key if run else "", _fingerprint(verdict, content, known), now=now
    )
    if is_other_verdict:
        metrics.VERDICT_CHANGES.labels(verdict.reason).inc()
        log.info("An intention's verdict is %s. intention=%s", verdict.reason, intention.pk)
    return is_new


@retry_deadlocks
def _store_verdict(
    intention: Intention, verdict: Verdict, course_run_key: str, fingerprint: str, *, now: datetime
) -> tuple[bool, bool]:
    """Write down what was found; say whether anything is new, and whether the verdict is another one."""
    last = IntentionHealth.objects.filter(pk=intention.pk).first()
    if verdict.reason in _UNKNOWN:
        # Unknown is no change. Once they are known again, they are compared with what they were.
        fingerprint = last.fingerprint if last else ""
    is_new = last is None or last.fingerprint != fingerprint
    is_other_verdict = last is None or last.reason != verdict.reason
    IntentionHealth.objects.update_or_create(
        intention=intention,
        defaults={
            "reason": verdict.reason,
            "reason_since": now if last is None or is_other_verdict else last.reason_since,
            "is_healthy": verdict.is_to_do,
            "course_run_key": course_run_key,
            "fingerprint": fingerprint,
            "checked_at": now,
            "changed_at": now if last is None or is_new else last.changed_at,
        },
    )
    if is_other_verdict and not verdict.is_to_do:
        announce_unhealthy(intention, reason=verdict.reason, at=now)
    return is_new, is_other_verdict


def verdict_for_newcomer(intention: Intention, content: Content, modes: KnownModes | None, *, now: datetime) -> Verdict:
    """Decide for a learner who is linked and has nothing yet: what the intention is worth by itself."""
    return decide(case_of_newcomer(intention, content, modes), now=now)


def case_of_newcomer(intention: Intention, content: Content, modes: KnownModes | None) -> Case:
    """Return the case of a learner who is linked and has nothing yet."""
    return Case(
        is_linked=True,
        is_customer_active=True,
        content_type=intention.content_kind,
        content_key=intention.content_key,
        resolution=content.resolution,
        catalogs=content.catalogs,
        **facts_of_modes(modes),
    )


def _fingerprint(verdict: Verdict, content: Content, modes: KnownModes | None) -> str:
    """Return a digest of everything that a decision about any learner may depend on."""
    facts: list[object] = [verdict.reason, sorted(map(str, content.catalogs or ()))]
    if isinstance(content.resolution, Resolved):
        run = content.resolution.run
        window = (run.enrollment_starts_at, run.enrollment_ends_at, run.ends_at)
        facts += [run.key, run.status, *map(str, window)]
        facts += [content.resolution.course.course_type, _as_sorted(run.upgrade_deadlines.items())]
    if modes is not None:
        facts += [modes.is_invitation_only, _as_sorted(modes.modes.items())]
        facts += [str(modes.enrollment_starts_at), str(modes.enrollment_ends_at), modes.is_unknown]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _as_sorted(pairs: Iterable[tuple[str, datetime | None]]) -> list[list[str]]:
    return sorted([name, str(instant)] for name, instant in pairs)


def _wake(intention: Intention, now: datetime) -> None:
    """Owe a look to everybody whose last obstacle a change of the content may have removed."""
    ids = list(_blocked_by_content(intention).order_by("lms_user_id"))
    for start in range(0, len(ids), LEARNERS_AT_ONCE):
        request_realization(
            customer_uuid=intention.customer_id,
            lms_user_ids=ids[start : start + LEARNERS_AT_ONCE],
            trigger=Trigger.CONTENT,
            now=now,
        )


def count_blocked_by_content(intention: Intention) -> int:
    """Count the learners who are evaluated as soon as a check finds that the content has changed."""
    return _blocked_by_content(intention).order_by().count()


def _blocked_by_content(intention: Intention) -> QuerySet[RealizationAttempt, int]:
    """Return the learners whose newest attempt ended at something about the content."""
    newest = RealizationAttempt.objects.newest().filter(intention=intention)
    blocked = newest.filter(outcome=Outcome.BLOCKED, reason__in=WOKEN_BY_CONTENT)
    return blocked.values_list("lms_user_id", flat=True)
