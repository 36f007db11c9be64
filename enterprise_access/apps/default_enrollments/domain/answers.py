"""Why?, answered in a sentence that a support agent can read to a customer, and in one for the learner.

Admin pages, API, portal and commands use the words of this module, and no others.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting
from enterprise_access.apps.default_enrollments.domain.values import Reason, VerdictKind
from enterprise_access.apps.default_enrollments.domain.words import words_of

# So many courses are named in a sentence.
MOST_NAMED: Final = 5


class IntentionState(StrEnum):
    """How an intention stands for a learner, in one word."""

    ENROLLED = "enrolled"
    PENDING = "pending"
    BLOCKED = "blocked"


class EvaluationState(StrEnum):
    """Where the evaluation of a learner stands."""

    NONE = "none"
    """Nothing is queued now."""
    QUEUED = "queued"
    FAILED = "failed"
    PAUSED = "paused"


@frozen(kw_only=True)
class Standing:
    """One intention of one learner, as far as sentences need it. `kind` None: the intention was deleted.

    `blocking` are the reason codes of what blocks it; the last one is the `obstacle` of the evaluation at
    `obstacle_seen_at`, if that is set. `paid_by` says what paid, empty when this service does not know.
    """

    course: str
    kind: VerdictKind | None
    blocking: tuple[str, ...] = ()
    obstacle_seen_at: datetime | None = None
    mode: str = ""
    paid_by: str = ""
    has_override: bool = False

    @property
    def state(self) -> IntentionState:
        return state_of(self.kind, self.blocking)


def state_of(kind: VerdictKind | None, blocking: Sequence[str]) -> IntentionState:
    """Say how an intention stands. It is pending only while nothing blocks it, or a service has not answered."""
    if kind is VerdictKind.NONE:
        return IntentionState.ENROLLED
    if all(is_waiting(code) or code == Reason.KEPT_BACK for code in blocking) and (
        blocking or kind is not VerdictKind.SKIP
    ):
        return IntentionState.PENDING
    return IntentionState.BLOCKED


def say_to_learner(reason: str, obstacle: str = "") -> str:
    """Return one sentence for the learner: on what blocks the enrollment, or else on how it stands."""
    return words_of(obstacle or reason).to_learner


def say_intention(who: str, standing: Standing, queue: EvaluationState) -> str:
    """Answer why one learner has or lacks one course, and what to do about it."""
    lead, rest = _lead(standing), _rest(standing, queue)
    return f"{who} {lead} {standing.course}{rest}"


def say_learner(who: str, customer: str, standings: Sequence[Standing], queue: EvaluationState) -> str:
    """Answer for all intentions of a customer: in a sentence for each group of courses that stand alike."""
    current = [standing for standing in standings if standing.kind is not None]
    if not current:
        return f"{customer} has no default enrollments."
    groups: dict[tuple[str, str], list[str]] = {}
    for standing in current:
        groups.setdefault((_lead(standing), _rest(standing, queue)), []).append(standing.course)
    order = sorted(groups, key=lambda group: group[0] != _LEADS[VerdictKind.NONE])
    told = [f"{lead} {_list(groups[lead, rest])}{rest}" for lead, rest in order]
    return " ".join([f"{who} {told[0]}", *(f"They {more.replace('is', 'are', 1)}" for more in told[1:])])


_LEADS: Final = {
    VerdictKind.NONE: "is enrolled in",
    VerdictKind.SKIP: "is not enrolled in",
    VerdictKind.ENROLL: "is not enrolled in",
    VerdictKind.UPGRADE: "is not upgraded in",
}


def _lead(standing: Standing) -> str:
    if standing.kind is None:
        return "has an earlier default enrollment in"
    return _LEADS[standing.kind]


def _rest(standing: Standing, queue: EvaluationState) -> str:
    """Return how the sentence goes on behind the course, and what to do."""
    if standing.kind is None:
        return ", which is no longer a default enrollment."
    if standing.kind is VerdictKind.NONE:
        paid = f", paid by {standing.paid_by}" if standing.paid_by else ""
        return f"{paid}."
    if not standing.blocking:
        return _PENDING[queue]
    words = [words_of(code) for code in standing.blocking]
    because = _list([each.because for each in words], limit=len(words))
    seen = f" (last checked {_utc(standing.obstacle_seen_at)})" if standing.obstacle_seen_at else ""
    paused = " Enrollments are paused, too." if queue is EvaluationState.PAUSED else ""
    override = " Staff have allowed one re-enrollment." if standing.has_override else ""
    todo = " ".join(dict.fromkeys(each.do for each in words if each.do))
    return f" because {because}{seen}.{f' {todo}' if todo else ''}{override}{paused}"


_PENDING: Final = {
    EvaluationState.NONE: " yet. Nothing blocks it: check now, or ask them to open the learner portal.",
    EvaluationState.QUEUED: " yet. It is queued: a worker enrolls them if a license or budget pays.",
    EvaluationState.FAILED: " because their evaluation failed repeatedly. Retry the request.",
    EvaluationState.PAUSED: " because enrollments are paused. Resume enrollments.",
}


def _list(names: Iterable[str], limit: int = MOST_NAMED) -> str:
    """Return names as in a sentence: a, b and c; or the first ones and how many more."""
    rows = list(names)
    if len(rows) > limit:
        rows = [*rows[:limit], f"{len(rows) - limit} more"]
    return " and ".join(filter(None, [", ".join(rows[:-1]), rows[-1]]))


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
