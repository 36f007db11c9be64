"""How the intentions of one customer stand: what they stand for, and what became of them. Asks no one."""

from collections import Counter, defaultdict
from datetime import datetime
from uuid import UUID

from attrs import frozen
from django.db.models import Count

from enterprise_access.apps.content_metadata.selectors import Content, KnownModes, list_known_modes, peek_content
from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Intention,
    IntentionHealth,
    Outcome,
    RealizationAttempt,
)
from enterprise_access.lib.keys import fold


@frozen(kw_only=True)
class Learners:
    """How many learners an intention was realized for, has a reason against it, or waits for somebody's answer."""

    realized: int = 0
    blocked: int = 0
    waiting: int = 0


@frozen(kw_only=True)
class IntentionStanding:
    """One intention as it stands. `health` None: not checked yet; `content` None: not in the cache."""

    intention: Intention
    health: IntentionHealth | None
    content: Content | None
    modes: KnownModes | None
    learners: Learners

    @property
    def run_key(self) -> str:
        """The run as it is known now, or else as of the last check; empty when there is none."""
        if self.content is not None and self.content.run is not None:
            return self.content.run.key
        return self.health.course_run_key if self.health else ""


def list_standings(*, customer_uuid: UUID, now: datetime) -> list[IntentionStanding]:
    """Return how the customer's living intentions stand, oldest first. The number of statements does not grow."""
    intentions = list(Intention.objects.living().of_customer(customer_uuid).select_related("health"))
    contents = peek_content(customer_uuid=customer_uuid, content_keys=[row.content_key for row in intentions])
    modes = list_known_modes([content.resolution for content in contents.values()], now=now)
    learners = count_learners(customer_uuid=customer_uuid)
    return [
        _standing(row, contents.get(row.content_key_folded), modes, learners.get(row.pk, Learners()))
        for row in intentions
    ]


def _standing(
    intention: Intention, content: Content | None, modes: dict[str, KnownModes], learners: Learners
) -> IntentionStanding:
    run = content.run if content else None
    return IntentionStanding(
        intention=intention,
        health=getattr(intention, "health", None),
        content=content,
        modes=modes.get(fold(run.key)) if run else None,
        learners=learners,
    )


@frozen(kw_only=True)
class LearnersOfIntention:
    """How many learners one intention enrolled (`left` of them are gone), found enrolled, is blocked for, waits for."""

    realized: int
    left: int
    already_enrolled: int
    blocked: int
    waiting: int


def count_learners_of(intention: Intention) -> LearnersOfIntention:
    """Count the learners of one intention, in two statements."""
    counted = intention.realizations.order_by().aggregate(rows=Count("pk"), left=Count("left_at"))
    counts: Counter[str] = Counter()
    newest = RealizationAttempt.objects.newest().filter(intention=intention).order_by()
    for outcome, reason, learners in newest.values_list("outcome", "reason").annotate(learners=Count("pk")):
        waits = outcome not in (Outcome.BLOCKED, Outcome.REALIZED, Outcome.NOT_NEEDED) or is_waiting(reason)
        counts["waiting" if waits else outcome] += learners
    return LearnersOfIntention(
        realized=counted["rows"],
        left=counted["left"],
        already_enrolled=counts[Outcome.NOT_NEEDED],
        blocked=counts[Outcome.BLOCKED],
        waiting=counts["waiting"],
    )


def count_learners(*, customer_uuid: UUID) -> dict[UUID, Learners]:
    """Return by intention how many learners it was realized for, is blocked for and waits for."""
    mine = {"intention__customer_id": customer_uuid}
    realizations = DefaultEnterpriseEnrollmentRealization.objects.filter(**mine).order_by()
    realized = dict(realizations.values_list("intention_id").annotate(learners=Count("pk")))
    blocked: dict[UUID, int] = defaultdict(int)
    waiting: dict[UUID, int] = defaultdict(int)
    unserved = (
        RealizationAttempt.objects.newest()
        .filter(**mine)
        .exclude(outcome__in=[Outcome.REALIZED, Outcome.NOT_NEEDED])
        .order_by()
        .values_list("intention_id", "outcome", "reason")
        .annotate(learners=Count("pk"))
    )
    for intention, outcome, reason, learners in unserved:
        waits = outcome != Outcome.BLOCKED or is_waiting(reason)
        (waiting if waits else blocked)[intention] += learners
    return {
        intention: Learners(realized=realized.get(intention, 0), blocked=blocked[intention], waiting=waiting[intention])
        for intention in {*realized, *blocked, *waiting}
    }
