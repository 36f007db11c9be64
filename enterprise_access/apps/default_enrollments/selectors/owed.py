"""For whom an evaluation may change something, asked by a login, a page or an API call."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from enterprise_access.apps.default_enrollments.domain.looking_again import RecheckEvent, is_woken_by
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
)
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions

# "Nothing to do" is believed for so long: it is about enrollments that we did not make, and may change unseen.
SERVED_BELIEVED = timedelta(days=1)


def list_learners_to_look_at(
    *, customer_uuid: UUID, lms_user_ids: Collection[int], now: datetime, evaluated_since: datetime | None = None
) -> set[int]:
    """Return the learners for whom a login may change something: a customer without intentions has none.

    `evaluated_since`: what was evaluated since then has not changed.

    Local rows only. The table "when is a skip looked at again" says which obstacles a login may have removed; what
    was realized stays realized, and only a downgrade can be mended.
    """
    intentions = {intention.pk for intention in list_intentions(customer_uuid=customer_uuid)}
    if not intentions:
        return set()
    mine = {"intention__in": intentions, "lms_user_id__in": lms_user_ids}
    realized = {
        (row.intention_id, row.lms_user_id): row
        for row in DefaultEnterpriseEnrollmentRealization.objects.filter(**mine)
    }
    latest = {(row.intention_id, row.lms_user_id): row for row in RealizationAttempt.objects.newest().filter(**mine)}
    return {
        lms_user_id
        for lms_user_id in lms_user_ids
        if any(
            not _is_settled(
                realized.get((intention, lms_user_id)), latest.get((intention, lms_user_id)), now, evaluated_since
            )
            for intention in intentions
        )
    }


def _is_settled(
    realization: DefaultEnterpriseEnrollmentRealization | None,
    attempt: RealizationAttempt | None,
    now: datetime,
    evaluated_since: datetime | None,
) -> bool:
    if realization is not None and (realization.left_at is not None or realization.downgraded_at is None):
        return True
    if attempt is not None and evaluated_since is not None and attempt.last_seen_at >= evaluated_since:
        return True
    if attempt is None or attempt.outcome == Outcome.REALIZED:
        return False
    if attempt.outcome == Outcome.NOT_NEEDED:
        return attempt.last_seen_at > now - SERVED_BELIEVED
    if attempt.outcome == Outcome.SENDING:
        return True  # The request that it belongs to comes due by itself.
    return not (is_woken_by(attempt.reason, RecheckEvent.LOGIN) or is_woken_by(attempt.reason, RecheckEvent.LINK))
