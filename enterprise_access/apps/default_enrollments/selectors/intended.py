"""Intentions with what they resolve to, the same for every learner."""

from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from attrs import define, field

from enterprise_access.apps.content_metadata.domain import course_key_of_run
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.default_enrollments.domain.remembering import Decided, decide_for_a_while
from enterprise_access.apps.default_enrollments.domain.values import Case, Verdict
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.lib.keys import fold


@define(kw_only=True, eq=False)
class Intended:
    """An intention and what it resolves to, the same for every learner. Only its own methods change it.

    `case` is that of a linked learner who has nothing; `labels` are what a row of a learner can be found under that
    may have to do with it.
    """

    intention: Intention
    content: Content
    modes: KnownModes | None
    case: Case
    labels: frozenset[str]
    _decided: Decided | None = field(default=None, init=False)

    def verdict_for_newcomer(self, *, now: datetime) -> Verdict:
        """Return what `decide` says of `case` at `now`."""
        decided = self._decided
        if decided is None or not decided.holds_at(now):
            self._decided = decided = decide_for_a_while(self.case, now=now)
        return decided.verdict


# By intention, as it was last met.
_kept: Final[dict[UUID, Intended]] = {}
_MOST_KEPT: Final = 10_000


def facts_of_modes(modes: KnownModes | None) -> dict[str, Any]:
    """Return the members of a case that come with the modes of its run (None: not known)."""
    if modes is None:
        return {"modes": None}
    return {
        "modes": None if modes.is_unknown else modes.modes,
        "is_invitation_only": modes.is_invitation_only,
        "is_run_unknown_to_lms": modes.is_unknown,
        "lms_enrollment_starts_at": modes.enrollment_starts_at,
        "lms_enrollment_ends_at": modes.enrollment_ends_at,
    }


def as_intended(intention: Intention, content: Content, modes: KnownModes | None) -> Intended:
    """Put together what an intention stands for. As long as all of it stays what it is, this is the same object, so
    that what follows from it alone (how it is written, say) can be kept beside it."""
    kept = _kept.get(intention.uuid)
    if (
        kept is not None
        and kept.intention is intention
        and kept.content is content
        and (kept.modes is modes or kept.modes == modes)
    ):
        return kept
    case = Case(
        is_linked=True,
        is_customer_active=True,
        content_type=intention.content_kind,
        content_key=intention.content_key,
        resolution=content.resolution,
        catalogs=content.catalogs,
        **facts_of_modes(modes),
    )
    course_uuid = str(case.course_uuid) if case.course_uuid else None
    labels = frozenset(label for label in (case.target_run_key, case.course, course_uuid, *case.run_keys) if label)
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    _kept[intention.uuid] = intended = Intended(
        intention=intention, content=content, modes=modes, case=case, labels=labels
    )
    return intended


# Many learners have the same runs.
@lru_cache(maxsize=32_768)
def labels_of(course_run_key: str, course_key: str | None, course_uuid: UUID | None = None) -> tuple[str, ...]:
    """Return everything that a row with these keys may be found under."""
    labels = {
        fold(course_run_key),
        fold(course_key or ""),
        course_key_of_run(course_run_key),
        str(course_uuid) if course_uuid else None,
    }
    return tuple(label for label in labels if label)
