"""What becomes of an override: used by the enrollment that it allows, or withdrawn when the learner came back alone."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from attrs import evolve

from enterprise_access.apps.content_metadata.selectors import peek_content
from enterprise_access.apps.default_enrollments.domain.case_view import belongs_to_course
from enterprise_access.apps.default_enrollments.models import Realization, RealizationAttempt, RealizationOverride
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, make_cases
from enterprise_access.apps.default_enrollments.selectors.intended import as_intended
from enterprise_access.lib.keys import same_key
from enterprise_access.lib.transactions import retry_deadlocks

Pair = tuple[int, UUID]


def lock_active_overrides(pairs: Collection[Pair], *, now: datetime) -> frozenset[Pair]:
    """Return which pairs of learner and intention have an active override, and keep it from being cancelled.

    To be called in the transaction that writes the attempts which rely on it.
    """
    if not pairs:
        return frozenset()
    rows = RealizationOverride.objects.active(now).filter(
        lms_user_id__in={lms_user_id for lms_user_id, _ in pairs}, intention__in={intention for _, intention in pairs}
    )
    return frozenset((row.lms_user_id, row.intention_id) for row in rows.order_by("pk").select_for_update())


def use_override(attempt: RealizationAttempt, *, now: datetime) -> None:
    """Use up the override that let this attempt through, if any, and forget that the learner had left before it.

    To be called in the transaction that records the success. The history of the realizations keeps what is forgotten.
    A leaving that was seen after the call was sent is about the new enrollment, and stays.
    """
    given_before = RealizationOverride.objects.filter(
        unused_for=pair_name(attempt.intention_id, attempt.lms_user_id), created__lte=attempt.created_at
    )
    if not given_before.update(used_at=now, unused_for=None):
        return
    left = Realization.objects.filter(
        intention__customer_id=attempt.intention.customer_id,
        lms_user_id=attempt.lms_user_id,
        left_at__lt=attempt.created_at,
    )
    for realization in left:
        if _is_of_same_course(attempt, realization):
            realization.left_at, realization.left_reason = None, ""
            realization.save(update_fields=["left_at", "left_reason", "modified"])


def _is_of_same_course(attempt: RealizationAttempt, realization: Realization) -> bool:
    """Say whether a realization is of the course that the attempt was for, as far as we know without asking."""
    if same_key(attempt.course_key, realization.course_key):
        return True
    intention = attempt.intention
    known = peek_content(customer_uuid=intention.customer_id, content_keys=[intention.content_key])
    content = known.get(intention.content_key_folded)
    return content is not None and belongs_to_course(
        as_intended(intention, content, None).case,
        course_key=realization.course_key,
        course_run_key=realization.course_run_key,
        course_uuid=realization.course_uuid,
    )


def withdraw_overrides(facts: Facts, *, now: datetime) -> Facts:
    """Withdraw the overrides of learners who are in the course without them; return the facts without those.

    Whoever came back alone needs none; kept, it would let an enrollment through after they have left once more.
    """
    back: set[Pair] = set()
    for lms_user_id in {lms_user_id for lms_user_id, _ in facts.overrides}:
        for intention, case in make_cases(facts, lms_user_id=lms_user_id).items():
            is_in = any(
                row.is_active and belongs_to_course(case, course_key=row.course_key, course_run_key=row.course_run_key)
                for row in case.enrollments
            )
            if is_in and (lms_user_id, intention.pk) in facts.overrides:
                back.add((lms_user_id, intention.pk))
    withdrawn = withdraw(back, now=now)
    return evolve(facts, overrides=facts.overrides - withdrawn)


def withdraw(pairs: Iterable[Pair], *, now: datetime) -> frozenset[Pair]:
    """Withdraw these overrides, and return those that were. One that lets a call through just now is left to that."""
    return frozenset(pair for pair in sorted(pairs, key=str) if _withdraw(*pair, now=now))


@retry_deadlocks
def _withdraw(lms_user_id: int, intention_uuid: UUID, *, now: datetime) -> bool:
    mine = RealizationOverride.objects.filter(unused_for=pair_name(intention_uuid, lms_user_id))
    row = mine.select_for_update().first()
    if row is None or is_in_use(row):
        return False
    return bool(mine.update(withdrawn_at=now, unused_for=None))


def is_in_use(override: RealizationOverride) -> bool:
    """Say whether a call was sent that the override let through, and its outcome is not known yet."""
    sent = RealizationAttempt.objects.unsettled().filter(
        intention=override.intention_id, lms_user_id=override.lms_user_id, created_at__gte=override.created
    )
    return sent.exists()


def pair_name(intention_uuid: UUID, lms_user_id: int) -> str:
    """Return what an active override of a learner for an intention is known by: there is one at most."""
    return f"{intention_uuid}:{lms_user_id}"
