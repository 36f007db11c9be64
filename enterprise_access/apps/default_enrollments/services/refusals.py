"""What the LMS refused without a cause: how long the same is not sent again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.looking_again import next_look
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.lib.keys import same_key


@frozen(kw_only=True)
class Refusal:
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
) -> Mapping[tuple[int, UUID], Refusal]:
    """Return by learner and intention what was refused last, unless something else came of it, or pays for it, since.

    Refusals of learners who have another license now are left out: the LMS may have refused because of the license.
    """
    attempts = RealizationAttempt.objects.filter(lms_user_id__in=lms_user_ids, intention__in=intentions).order_by("pk")
    refusals: dict[tuple[int, UUID], Refusal] = {}
    for attempt in attempts:
        key = attempt.lms_user_id, attempt.intention_id
        if (attempt.outcome, attempt.reason) != (Outcome.BLOCKED, Reason.REFUSED_BY_LMS):
            refusals.pop(key, None)
            continue
        earlier = refusals.get(key)
        refusals[key] = Refusal(
            course_run_key=attempt.course_run_key,
            mode=attempt.mode,
            times=earlier.times + 1 if earlier else 1,
            last_at=attempt.last_seen_at,
        )
    changed_at = _payment_changes(customer_uuid, {lms_user_id for lms_user_id, _ in refusals})
    return {key: it for key, it in refusals.items() if key[0] not in changed_at or it.last_at >= changed_at[key[0]]}


def _payment_changes(customer_uuid: UUID, lms_user_ids: Collection[int]) -> dict[int, datetime]:
    """Return when what pays for these learners changed last, of those for whom it did."""
    if not lms_user_ids:
        return {}
    rows = RealizationRequest.objects.filter(
        customer_id=customer_uuid, lms_user_id__in=lms_user_ids, payment_changed_at__isnull=False
    )
    return {row.lms_user_id: row.payment_changed_at for row in rows if row.payment_changed_at}
