"""What the overview of default enrollments counts."""

from datetime import date, datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.reasons import Explanation, explain
from enterprise_access.apps.default_enrollments.models import IntentionHealth


@frozen(kw_only=True)
class LearnerCounts:
    """Learners of a customer: linked as far as we know, asked for at least once, and who got something from us."""

    linked: int
    asked_for: int
    served: int


@frozen(kw_only=True)
class DecisionCounts:
    """Pairs of learner and intention, by what the last look at them said."""

    realized: int
    not_needed: int
    blocked: int
    waiting: int

    @property
    def decided(self) -> int:
        return self.realized + self.not_needed + self.blocked + self.waiting


@frozen(kw_only=True)
class Obstacle:
    """What stands in the way of how many enrollments. `is_waiting`: it is asked again by itself, and soon."""

    reason: str
    is_waiting: bool
    count: int

    @property
    def explanation(self) -> Explanation:
        return explain(self.reason)


@frozen(kw_only=True)
class OwedCounts:
    """Pending evaluations: due now (since when the oldest), later, held by a worker, or failed."""

    due: int
    oldest_due_at: datetime | None
    later: int
    busy: int
    dead: int


@frozen(kw_only=True)
class RealizationCounts:
    """What became enrollments, and of how many the learner left or went back to audit.

    `compared_at`: when the one that was not compared with the platform for longest was compared; None: there is none.
    """

    rows: int
    left: int
    downgraded: int
    compared_at: datetime | None


@frozen(kw_only=True)
class Day:
    """How many enrollments were made on one day (UTC)."""

    date: date
    realized: int


@frozen(kw_only=True)
class CustomerCounts:
    """How the learners of one customer stand."""

    customer_uuid: UUID
    name: str
    intentions: int
    realized: int
    blocked: int
    waiting: int


@frozen(kw_only=True)
class IntentionCounts:
    """Living intentions, by what the last check of them said."""

    healthy: int
    unhealthy: int
    unchecked: int


@frozen(kw_only=True)
class Trouble:
    """An intention that enrolls no new learner, for longest first, and what to do about it."""

    health: IntentionHealth
    explanation: Explanation


@frozen(kw_only=True)
class Overview:
    """Everything that was counted, `at` an instant. `customers`: those with most in the way; none in one's own page."""

    at: datetime
    learners: LearnerCounts
    decisions: DecisionCounts
    obstacles: tuple[Obstacle, ...]
    owed: OwedCounts
    realizations: RealizationCounts
    days: tuple[Day, ...]
    intentions: IntentionCounts
    troubles: tuple[Trouble, ...]
    customers: tuple[CustomerCounts, ...]
