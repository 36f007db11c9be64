"""Calls whose outcome is not known, whatever customer they were made for."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings

from enterprise_access.apps.default_enrollments.models import RealizationAttempt


def list_doubts(lms_user_ids: Collection[int]) -> list[RealizationAttempt]:
    """Return the attempts of these learners whose outcome is unknown, for every customer.

    A learner is the same person everywhere: what may be enrolled for one customer must not be sent for another.
    """
    unsettled = RealizationAttempt.objects.unsettled().filter(lms_user_id__in=list(lms_user_ids))
    return list(unsettled.select_related("intention").order_by("pk"))


def is_over_at(attempt: RealizationAttempt) -> datetime:
    """Return when the LMS has certainly given up the call of this attempt.

    The attempt is written first, and the call may go out as long as its facts are young.
    """
    seconds = settings.ENROLLMENTS_FRESH_SECONDS + settings.LMS_REQUEST_LIMIT_SECONDS
    return attempt.created_at + timedelta(seconds=seconds)
