"""What the LMS refused without a cause: how long the same is not sent again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen
from django.db.models import Count, Exists, OuterRef, Q

from enterprise_access.apps.default_enrollments.domain.looking_again import next_look
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.lib.keys import same_key

_REFUSED: Final = Q(outcome=Outcome.BLOCKED, reason=Reason.REFUSED_BY_LMS)


@frozen(kw_only=True)
class LmsRefusal:
    """The last of `times` refusals of one intention for one learner: of this run, in this mode."""

    course_run_key: str
    mode: str
    times: int
    last_at: datetime

    @property
    def pause_ends_at(self) -> datetime:
        """When the same may be sent again."""
        ends_at = next_look(Reason.REFUSED_BY_LMS, now=self.last_at, failures=self.times)
        return ends_at or self.last_at

    def is_of(self, *, course_run_key: str, mode: str) -> bool:
        """Say whether it is this that was refused; another run or mode may be accepted at once."""
        return same_key(self.course_run_key, course_run_key) and self.mode == mode


def list_refusals(
    *, customer_uuid: UUID, lms_user_ids: Collection[int], intentions: Collection[UUID]
) -> Mapping[tuple[int, UUID], LmsRefusal]:
    """Return by learner and intention what was refused last, unless something else came of it, or pays for it, since.

    Refusals of learners who have another license now are left out: the LMS may have refused because of the license.
    """
    newest = RealizationAttempt.objects.newest().filter(
        _REFUSED, lms_user_id__in=lms_user_ids, intention__in=intentions
    )
    rows = {(row.lms_user_id, row.intention_id): row for row in newest.order_by("pk")}
    times = _count_in_a_row(rows)
    refusals = {
        pair: LmsRefusal(
            course_run_key=row.course_run_key, mode=row.mode, times=times.get(pair, 1), last_at=row.last_seen_at
        )
        for pair, row in rows.items()
    }
    changed_at = _payment_changes(customer_uuid, {lms_user_id for lms_user_id, _ in refusals})
    return {key: it for key, it in refusals.items() if key[0] not in changed_at or it.last_at >= changed_at[key[0]]}


def _count_in_a_row(pairs: Collection[tuple[int, UUID]]) -> dict[tuple[int, UUID], int]:
    """Return how often each pair of learner and intention was refused since anything else was the outcome."""
    if not pairs:
        return {}
    attempts = RealizationAttempt.objects.filter(
        lms_user_id__in={learner for learner, _ in pairs}, intention__in={intention for _, intention in pairs}
    ).order_by()
    other = RealizationAttempt.objects.filter(
        ~_REFUSED, lms_user_id=OuterRef("lms_user_id"), intention=OuterRef("intention"), pk__gt=OuterRef("pk")
    )
    refused = attempts.filter(_REFUSED).filter(~Exists(other))
    counted = refused.values_list("lms_user_id", "intention_id").annotate(Count("pk"))
    return {(learner, intention): times for learner, intention, times in counted}


def _payment_changes(customer_uuid: UUID, lms_user_ids: Collection[int]) -> dict[int, datetime]:
    """Return when what pays for these learners changed last, of those for whom it did."""
    if not lms_user_ids:
        return {}
    rows = RealizationRequest.objects.filter(
        customer_id=customer_uuid, lms_user_id__in=lms_user_ids, payment_changed_at__isnull=False
    )
    return {row.lms_user_id: row.payment_changed_at for row in rows if row.payment_changed_at}
