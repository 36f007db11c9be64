"""What a random day of learner credit passed through: a run that never comes to a state proves nothing about it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest

# What every long run comes to, as "what: from > to". Assignments and requests begin with nothing. (What comes once or
# twice in 10,000 steps is counted, and not expected: errored assignments that are allocated again, say.)
EXPECTED: Final = frozenset(
    {
        "assignment: none > allocated",
        "assignment: allocated > accepted",
        "assignment: allocated > cancelled",
        "assignment: allocated > expired",
        "assignment: allocated > errored",
        "assignment: errored > cancelled",
        "assignment: accepted > reversed",
        "assignment: cancelled > allocated",
        "assignment: expired > allocated",
        "assignment: reversed > allocated",
        "request: none > requested",
        "request: requested > approved",
        "request: requested > declined",
        "request: requested > cancelled",
        "request: approved > accepted",
        "request: approved > cancelled",
        "request: accepted > reversed",
        "request: cancelled > requested",
        "request: reversed > requested",
        "attempt: sending",
        "attempt: in_doubt",
        "attempt: dead",
        "attempt: committed",
        "attempt: refused",
        "attempt of an assignment: in_doubt",
        "attempt of an assignment: committed",
        "attempt of an assignment: refused",
        "forced attempt: committed",
        "forced attempt of an assignment: committed",
        "forced attempt: refused",
        "refused: learner_not_in_enterprise_group",
        "refused: policy_spend_limit_reached",
        "refused: policy_expired",
    }
)


class Seen:
    """Counts what was seen after each step, each change of a row once."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._states: dict[UUID, str] = {}

    def look(self) -> None:
        """Compare every row with how it was."""
        self._changes("assignment", LearnerContentAssignment.objects.values_list("pk", "state"))
        self._changes("request", SubsidyRequest.objects.values_list("pk", "state"))
        for pk, state, trigger, assignment, reason in RedemptionAttempt.objects.values_list(
            "pk", "state", "trigger", "assignment_uuid", "reason"
        ):
            if self._is_new(pk, state):
                self._attempt(state, is_forced=trigger == "forced", is_assigned=assignment is not None, reason=reason)

    def _changes(self, what: str, rows: Iterable[tuple[UUID, str]]) -> None:
        for pk, state in rows:
            before = self._states.get(pk, "none")
            if self._is_new(pk, state):
                self.counts[f"{what}: {before} > {state}"] += 1

    def _attempt(self, state: str, *, is_forced: bool, is_assigned: bool, reason: str) -> None:
        self.counts[f"attempt: {state}"] += 1
        if is_assigned:
            self.counts[f"attempt of an assignment: {state}"] += 1
        if is_forced:
            self.counts[f"forced attempt: {state}"] += 1
        if is_forced and is_assigned:
            self.counts[f"forced attempt of an assignment: {state}"] += 1
        if reason:
            self.counts[f"{state}: {reason}"] += 1

    def _is_new(self, pk: UUID, state: str) -> bool:
        before, self._states[pk] = self._states.get(pk), state
        return before != state

    @property
    def missing(self) -> list[str]:
        """What a long run should have come to, and did not."""
        return sorted(EXPECTED - self.counts.keys())

    def totals(self) -> dict[str, int]:
        """Return how many assignments came to which state, and attempts, for the closing line."""
        found: Counter[str] = Counter()
        for what, count in self.counts.items():
            kind, _, change = what.partition(": ")
            if kind in ("assignment", "request", "attempt"):
                found[f"{kind}s_{change.rpartition('> ')[2]}"] += count
        return dict(sorted(found.items()))

    def words(self) -> dict[str, Any]:
        return dict(sorted(self.counts.items()))
