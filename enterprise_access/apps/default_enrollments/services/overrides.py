"""The only way past a learner's leaving: leave of staff, for one learner and one intention, once."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from enterprise_access.apps.default_enrollments.errors import OverrideExists, ReasonMissing
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationOverride,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.requests import request_realization


def grant_override(
    *, intention: DefaultEnterpriseEnrollmentIntention, lms_user_id: int, by: str, reason: str, now: datetime
) -> RealizationOverride:
    """Let the learner be enrolled once more for this intention, and look at once.

    Raises ReasonMissing, and OverrideExists when there is an unused one already.
    """
    if not reason.strip():
        raise ReasonMissing("Say why this learner is to be enrolled again; it is kept with the override.")
    try:
        with transaction.atomic():
            override = RealizationOverride.objects.create(
                intention=intention,
                lms_user_id=lms_user_id,
                by=by,
                reason=reason.strip(),
                unused_for=_unused_for(intention.pk, lms_user_id),
            )
            request_realization(
                customer_uuid=intention.customer_id, lms_user_ids=[lms_user_id], trigger=Trigger.STAFF, now=now
            )
    except IntegrityError:
        raise OverrideExists("There is an override for this learner and intention that was not used yet.") from None
    return override


def use_override(attempt: RealizationAttempt, *, now: datetime) -> None:
    """Use up the override that let this attempt through, if any, and forget that the learner had left the course.

    To be called in the transaction that records the success. The history of the realizations keeps what is forgotten.
    """
    used = RealizationOverride.objects.filter(unused_for=_unused_for(attempt.intention_id, attempt.lms_user_id))
    if not used.update(used_at=now, unused_for=None):
        return
    left = DefaultEnterpriseEnrollmentRealization.objects.filter(
        intention__customer_id=attempt.intention.customer_id,
        lms_user_id=attempt.lms_user_id,
        course_key__iexact=attempt.course_key,
        left_at__isnull=False,
    )
    for realization in left:
        realization.left_at, realization.left_reason = None, ""
        realization.save()


def _unused_for(intention_uuid: UUID, lms_user_id: int) -> str:
    return f"{intention_uuid}:{lms_user_id}"
