"""What the LMS refused without a cause: how long the same is not sent again."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.looking_again import next_look
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt
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


def list_refusals(*, lms_user_ids: Collection[int], intentions: Collection[UUID]) -> Mapping[tuple[int, UUID], Refusal]:
    """Return by learner and intention what was refused last, unless something else came of it since."""
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
    return refusals
