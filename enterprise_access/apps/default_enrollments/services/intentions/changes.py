"""What events tell of enrollments: copies are brought up to date, and learners who left are noticed at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Min

from enterprise_access.apps.content_metadata.selectors import list_last_known_modes
from enterprise_access.apps.customers.domain import EnrollmentChange, EnrollmentCopy
from enterprise_access.apps.customers.selectors import list_enrollments, list_enterprise_enrollments
from enterprise_access.apps.customers.services import apply_enrollment_changes
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    Outcome,
    Realization,
    RealizationAttempt,
    RealizationOverride,
)
from enterprise_access.apps.default_enrollments.selectors.doubts import list_doubts
from enterprise_access.apps.default_enrollments.selectors.intended import labels_of
from enterprise_access.apps.default_enrollments.services.learners.noticing import notice_change
from enterprise_access.apps.default_enrollments.services.realizing.override_use import withdraw
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def take_over_changes(*, changes: Sequence[EnrollmentChange]) -> None:
    """Take over changes of enrollments, in whatever order and however often they come."""
    apply_enrollment_changes(changes=changes)
    _withdraw_overrides(changes)
    realized = _realizations_in(changes)
    if realized:
        _notice(realized, changes)


def _withdraw_overrides(changes: Sequence[EnrollmentChange]) -> None:
    """Withdraw overrides for courses in which the learner is again, without one."""
    now = clock.now()
    back = {
        (change.lms_user_id, key)
        for change in changes
        if change.is_active
        for key in labels_of(change.course_run_key, None)
    }
    active = RealizationOverride.objects.active(now).filter(lms_user_id__in={lms_user_id for lms_user_id, _ in back})
    overrides = list(active.select_related("intention")) if back else []
    if not overrides:
        return
    known = Realization.objects.filter(lms_user_id__in={row.lms_user_id for row in overrides})
    runs = {(row.lms_user_id, fold(row.course_run_key)): fold(row.course_key) for row in known}
    back |= {(lms_user_id, runs[lms_user_id, key]) for lms_user_id, key in back if (lms_user_id, key) in runs}
    withdraw(
        [
            (row.lms_user_id, row.intention_id)
            for row in overrides
            if (row.lms_user_id, row.intention.content_key_folded) in back
        ],
        now=now,
    )


def _realizations_in(changes: Sequence[EnrollmentChange]) -> dict[tuple[int, str], list[Realization]]:
    """Return by learner and folded run what was realized there, for any customer."""
    keys = {(change.lms_user_id, fold(change.course_run_key)) for change in changes}
    rows = Realization.objects.filter(lms_user_id__in={lms_user_id for lms_user_id, _ in keys})
    found: dict[tuple[int, str], list[Realization]] = {}
    for row in rows.order_by("pk").select_for_update():
        key = (row.lms_user_id, fold(row.course_run_key))
        if key in keys:
            found.setdefault(key, []).append(row)
    return found


def _notice(realized: Mapping[tuple[int, str], list[Realization]], changes: Sequence[EnrollmentChange]) -> None:
    """Take over each change that came after our own call, oldest first.

    That a learner has left counts also when it is told late and they are back again: the order of telling must not
    matter. Of everything else only what is still so counts.
    """
    rows = [row for found in realized.values() for row in found]
    customers = _customers_of(rows)
    sent_at = _sent_at(rows)
    sent_again_at = _sent_again_at(rows)
    modes = list_last_known_modes(course_run_keys={row.course_run_key for row in rows})
    copies = {
        (copy.lms_user_id, fold(copy.course_run_key)): copy
        for found in list_enrollments(lms_user_ids={row.lms_user_id for row in rows}).values()
        for copy in found
    }
    enterprise = {
        customer_uuid: list_enterprise_enrollments(
            customer_uuid=customer_uuid, lms_user_ids={row.lms_user_id for row in rows}
        )
        for customer_uuid in set(customers.values())
    }
    for change in sorted(changes, key=lambda change: change.at):
        key = (change.lms_user_id, fold(change.course_run_key))
        is_current = key in copies and copies[key].changed_at == change.at
        for row in realized.get(key, ()):
            if change.at < sent_at.get((row.intention_id, row.lms_user_id, key[1]), row.realized_at):
                continue
            sent_again = sent_again_at.get((row.intention_id, row.lms_user_id, key[1]))
            if not change.is_active and _is_left_once_more(row, change, sent_again):
                # Left, let in again by an override, and left: the new leaving is what counts.
                row.left_at, row.left_reason = change.at, Reason.ENROLLMENT_ENDED
                row.save(update_fields=["left_at", "left_reason", "modified"])
            if is_current or not change.is_active:
                seen = _as_copy(change, mode=change.mode if is_current else row.seen_mode)
                notice_change(
                    row,
                    seen,
                    enterprise[customers[row.intention_id]].get(key),
                    modes=modes,
                    now=min(change.at, clock.now()),
                )


def _is_left_once_more(row: Realization, change: EnrollmentChange, sent_again_at: datetime | None) -> bool:
    """Say whether the learner had left, and leaves now what a call made since whose outcome is not known yet."""
    return (
        row.left_at is not None
        and sent_again_at is not None
        and row.left_at < sent_again_at <= min(change.at, clock.now())
    )


def _sent_again_at(rows: Sequence[Realization]) -> dict[tuple[UUID, int, str], datetime]:
    """Return by intention, learner and folded run when a call was sent of which the outcome is not known yet."""
    return {
        (row.intention_id, row.lms_user_id, fold(row.course_run_key)): row.created_at
        for row in list_doubts({row.lms_user_id for row in rows})
    }


def _customers_of(rows: Sequence[Realization]) -> dict[UUID, UUID]:
    """Return the customer of each intention."""
    intentions = DefaultEnterpriseEnrollmentIntention.objects.filter(pk__in={row.intention_id for row in rows})
    return dict(intentions.values_list("pk", "customer_id"))


def _sent_at(rows: Sequence[Realization]) -> dict[tuple[UUID, int, str], datetime]:
    """Return by intention, learner and folded run when the call was sent that realized it.

    Not when that was written down: the learner may have left in between.
    """
    attempts = RealizationAttempt.objects.filter(
        lms_user_id__in={row.lms_user_id for row in rows},
        intention__in={row.intention_id for row in rows},
        outcome=Outcome.REALIZED,
    )
    first = attempts.values_list("intention_id", "lms_user_id", "course_run_key").annotate(at=Min("created_at"))
    return {(intention, learner, fold(run_key)): at for intention, learner, run_key, at in first.order_by()}


def _as_copy(change: EnrollmentChange, *, mode: str) -> EnrollmentCopy:
    return EnrollmentCopy(
        lms_user_id=change.lms_user_id,
        course_run_key=change.course_run_key,
        mode=mode,
        is_active=change.is_active,
        fetched_at=change.at,
        changed_at=change.at,
    )
