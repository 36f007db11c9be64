"""Writing down what is intended, what happened, and why something did not."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, Realization, RealizationAttempt
from enterprise_access.apps.default_enrollments.services.realizing.announcing import announce_blocked, announce_realized
from enterprise_access.apps.default_enrollments.services.realizing.enrolling import Item
from enterprise_access.apps.default_enrollments.services.realizing.override_use import use_override
from enterprise_access.apps.default_enrollments.services.realizing.planning import UnsentOutcome
from enterprise_access.lib import metrics
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def write_attempts(items: Sequence[Item], *, triggers: Mapping[int, str], now: datetime) -> list[RealizationAttempt]:
    """Write that these items are about to be sent. To be committed before anything leaves the house."""
    return _add(
        RealizationAttempt(
            intention=item.intention,
            lms_user_id=item.lms_user_id,
            outcome=Outcome.SENDING,
            reason=item.verdict.reason,
            rule=item.verdict.rule,
            course_key=item.course_key,
            course_uuid=item.course_uuid,
            course_run_key=item.course_run_key,
            mode=item.mode,
            is_upgrade=item.is_upgrade,
            was_enrolled=item.was_enrolled,
            enterprise_customer_user_id=item.enterprise_customer_user_id,
            trigger=triggers[item.lms_user_id],
            created_at=now,
            last_seen_at=now,
        )
        for item in items
    )


def _add(attempts: Iterable[RealizationAttempt]) -> list[RealizationAttempt]:
    """Write these rows; each is the newest of its learner and intention now, and the one before it is no longer."""
    fresh = list(attempts)
    pairs = {(row.lms_user_id, row.intention_id) for row in fresh}
    before = RealizationAttempt.objects.newest().filter(
        lms_user_id__in={learner for learner, _ in pairs}, intention__in={intention for _, intention in pairs}
    )
    rows = before.order_by().values_list("pk", "lms_user_id", "intention_id")
    replaced = [pk for pk, *pair in rows if tuple(pair) in pairs]
    with transaction.atomic():
        if replaced:
            RealizationAttempt.objects.filter(pk__in=replaced).update(is_newest=False)
        if connection.features.can_return_rows_from_bulk_insert:
            return RealizationAttempt.objects.bulk_create(fresh)
        # MySQL tells the id of a single row only, and every attempt has to be found again when its outcome is known.
        for row in fresh:
            row.save(force_insert=True)
        return fresh


@retry_deadlocks
def record_realized(attempt: RealizationAttempt, *, now: datetime, left_reason: str = "", seen_mode: str = "") -> None:
    """Write that an attempt became an enrollment; whoever holds the lease, and whatever else went wrong.

    `left_reason`: the learner has left it again before we could see it.
    """
    with transaction.atomic():
        use_override(attempt, now=now)
        _insert_if_absent(attempt, now, left_reason, seen_mode)
        settle_attempt(attempt, outcome=Outcome.REALIZED, reason=_what_was_needed(attempt), now=now)
        announce_realized(attempt, has_left=bool(left_reason), at=now)


def _what_was_needed(attempt: RealizationAttempt) -> str:
    """Return the reason that the attempt was made for, also when it says by now that its outcome was unknown."""
    if attempt.reason != Reason.OUTCOME_UNKNOWN:
        return attempt.reason
    return Reason.NEEDS_UPGRADE if attempt.is_upgrade else Reason.NEEDS_ENROLLMENT


def _insert_if_absent(attempt: RealizationAttempt, now: datetime, left_reason: str, seen_mode: str) -> None:
    realization = Realization(
        intention_id=attempt.intention_id,
        lms_user_id=attempt.lms_user_id,
        enterprise_customer_user_id=attempt.enterprise_customer_user_id or 0,
        course_key=attempt.course_key,
        course_uuid=attempt.course_uuid,
        course_run_key=attempt.course_run_key,
        predicted_mode=attempt.mode,
        seen_mode=seen_mode,
        realized_at=now,
        compared_at=now,
        left_at=now if left_reason else None,
        left_reason=left_reason,
    )
    try:
        with transaction.atomic():
            realization.save(force_insert=True)
    except IntegrityError:
        _realize_again(attempt, now, left_reason, seen_mode)


def _realize_again(attempt: RealizationAttempt, now: datetime, left_reason: str, seen_mode: str) -> None:
    """An upgrade, or a repeat: the realization stands, and refers to the run that it is in now."""
    realization = Realization.objects.get(intention_id=attempt.intention_id, lms_user_id=attempt.lms_user_id)
    realization.course_key, realization.course_uuid = attempt.course_key, attempt.course_uuid
    realization.course_run_key = attempt.course_run_key
    realization.predicted_mode = attempt.mode
    realization.seen_mode = seen_mode
    realization.downgraded_at = None
    changed = ["course_key", "course_uuid", "course_run_key", "predicted_mode", "seen_mode", "downgraded_at"]
    # That the learner came back is for an override to say, and never for this.
    if left_reason and realization.left_at is None:
        realization.left_at, realization.left_reason = now, left_reason
        changed += ["left_at", "left_reason"]
    realization.save(update_fields=[*changed, "modified"])


@retry_deadlocks
def settle_attempt(attempt: RealizationAttempt, *, outcome: Outcome, reason: str, now: datetime) -> None:
    """Give a sent attempt its outcome."""
    attempt.outcome, attempt.reason, attempt.last_seen_at = outcome, reason, now
    with transaction.atomic():
        attempt.save(update_fields=["outcome", "reason", "last_seen_at"])
        announce_blocked([attempt], at=now)
        _count(outcome, reason)


@retry_deadlocks
def write_findings(findings: Sequence[UnsentOutcome], *, triggers: Mapping[int, str], now: datetime) -> None:
    """Write why nothing was sent. The same finding again only moves its last time and its count."""
    findings = [finding for finding in findings if finding.is_news]
    latest = _latest_attempts(findings)
    repeated: list[int] = []
    fresh: list[RealizationAttempt] = []
    for finding in findings:
        outcome = _outcome_of(finding)
        last = latest.get((finding.lms_user_id, finding.intention.pk))
        if last is not None and _says_the_same(last, outcome, finding):
            repeated.append(last.pk)
        elif last is None or not finding.is_served or last.outcome != Outcome.REALIZED:
            # After "realized" there is no need to say that nothing is needed.
            fresh.append(_as_attempt(finding, outcome, triggers[finding.lms_user_id], now))
    with transaction.atomic():
        if repeated:
            RealizationAttempt.objects.filter(pk__in=repeated).update(last_seen_at=now, times=F("times") + 1)
        _add(fresh)
        announce_blocked(fresh, at=now)
    for finding in findings:
        _count(_outcome_of(finding), finding.reason)


def _count(outcome: Outcome, reason: str) -> None:
    """Count an attempt once it is stored: what is repeated after a deadlock must not be counted again."""
    transaction.on_commit(lambda: metrics.ATTEMPTS.labels(outcome, reason).inc(), robust=True)


def _outcome_of(finding: UnsentOutcome) -> Outcome:
    return Outcome.NOT_NEEDED if finding.is_served else Outcome.BLOCKED


def _latest_attempts(findings: Sequence[UnsentOutcome]) -> dict[tuple[int, object], RealizationAttempt]:
    rows = (
        RealizationAttempt.objects.newest()
        .filter(
            lms_user_id__in={finding.lms_user_id for finding in findings},
            intention__in={finding.intention.pk for finding in findings},
        )
        .order_by("pk")
    )
    return {(row.lms_user_id, row.intention_id): row for row in rows}


def _says_the_same(last: RealizationAttempt, outcome: Outcome, finding: UnsentOutcome) -> bool:
    return (last.outcome, last.reason, last.course_run_key) == (outcome, finding.reason, finding.course_run_key)


def _as_attempt(finding: UnsentOutcome, outcome: Outcome, trigger: str, now: datetime) -> RealizationAttempt:
    return RealizationAttempt(
        intention=finding.intention,
        lms_user_id=finding.lms_user_id,
        outcome=outcome,
        reason=finding.reason,
        rule=finding.rule,
        course_run_key=finding.course_run_key,
        trigger=trigger,
        created_at=now,
        last_seen_at=now,
    )
