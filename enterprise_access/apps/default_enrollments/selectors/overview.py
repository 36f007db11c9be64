"""How default enrollments go, for everybody or for one customer. Asks no one; the number of statements is fixed.

How learners stand is counted from the newest attempt of each learner and intention, off one index, so that a long past
costs nothing. Where counting takes a while nevertheless, what was found is shared for a minute, and says its time.
"""

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet, Value
from django.utils import timezone

from enterprise_access.apps.customers.selectors import count_linked_learners, name_customers
from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import (
    Intention,
    IntentionHealth,
    Outcome,
    Realization,
    RealizationAttempt,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.selectors.overview_values import (
    CustomerCounts,
    Day,
    DecisionCounts,
    IntentionCounts,
    LearnerCounts,
    Obstacle,
    Overview,
    OwedCounts,
    RealizationCounts,
    Trouble,
)
from enterprise_access.lib import shared_cache

# The days that are shown, today among them.
DAYS: Final = 30
MOST_INTENTIONS: Final = 50
MOST_CUSTOMERS: Final = 20
# For how long what took long to count is shown again.
BELIEVED_SECONDS: Final = 60


def get_overview(*, customer_uuid: UUID | None = None) -> Overview:
    """Count, for one customer or (None) for all; or return what was counted within the last minute, if it took long."""
    address = shared_cache.address_of(kind="overview", version=2, customer=customer_uuid)
    known: Overview | None = shared_cache.get_many([address]).get(address)
    if known is not None:
        return known
    started = time.monotonic()
    overview = _count(customer_uuid, timezone.now())
    if time.monotonic() - started > settings.OVERVIEW_SLOW_SECONDS:
        shared_cache.set_many({address: overview}, seconds=BELIEVED_SECONDS)
    return overview


def _count(customer_uuid: UUID | None, now: datetime) -> Overview:
    of_request = {} if customer_uuid is None else {"customer_id": customer_uuid}
    realizations = Realization.objects.order_by()
    intentions = Intention.objects.living().filter(**of_request)
    if customer_uuid is not None:
        realizations = realizations.filter(intention__customer_id=customer_uuid)
    requests = RealizationRequest.objects.filter(**of_request)
    asked_for, owed = _count_requests(requests, now)
    customer_of = dict(intentions.order_by().values_list("pk", "customer_id"))
    standing = _count_newest(customer_of, customer_uuid)
    return Overview(
        at=now,
        learners=LearnerCounts(
            linked=count_linked_learners(customer_uuid=customer_uuid),
            asked_for=asked_for,
            served=realizations.values("intention__customer_id", "lms_user_id").distinct().count(),
        ),
        decisions=_sum_up(standing),
        obstacles=_list_obstacles(standing),
        owed=owed,
        realizations=_count_realizations(realizations),
        days=_count_days(realizations, now),
        intentions=_count_intentions(customer_of, of_request),
        troubles=_list_troubles(of_request),
        customers=() if customer_uuid is not None else _list_customers(standing, customer_of),
    )


def _count_requests(requests: QuerySet[RealizationRequest], now: datetime) -> tuple[int, OwedCounts]:
    alive, free = Q(failed_at=None), Q(leased_until=None) | Q(leased_until__lt=now)
    due = alive & free & Q(due_at__lte=now)
    counted = requests.aggregate(
        rows=Count("pk"),
        due=Count("pk", filter=due),
        oldest=Min("due_at", filter=due),
        later=Count("pk", filter=alive & free & Q(due_at__gt=now)),
        busy=Count("pk", filter=alive & Q(leased_until__gte=now)),
        dead=Count("pk", filter=~alive),
    )
    return counted["rows"], OwedCounts(
        due=counted["due"],
        oldest_due_at=counted["oldest"],
        later=counted["later"],
        busy=counted["busy"],
        dead=counted["dead"],
    )


# --- How learners stand -------------------------------------------------------------------------------------------

_Standing = Counter[tuple[UUID, str, str]]


def _count_newest(customer_of: dict[UUID, UUID], customer_uuid: UUID | None) -> _Standing:
    """Return how many learners stand how, by intention, outcome and reason. Deleted intentions are nobody's concern."""
    newest = RealizationAttempt.objects.newest().order_by()
    if customer_uuid is not None:
        newest = newest.filter(intention__customer_id=customer_uuid)
    rows = newest.values_list("intention_id", "outcome", "reason").annotate(learners=Count("pk"))
    return Counter({tuple(key): learners for *key, learners in rows if key[0] in customer_of})


def _is_waiting(outcome: str, reason: str) -> bool:
    return outcome in (Outcome.SENDING, Outcome.IN_DOUBT) or is_waiting(reason)


def _sum_up(standing: _Standing) -> DecisionCounts:
    sums: Counter[str] = Counter()
    for (_, outcome, reason), count in standing.items():
        sums[_kind_of(outcome, reason)] += count
    return DecisionCounts(
        realized=sums["realized"], not_needed=sums["not_needed"], blocked=sums["blocked"], waiting=sums["waiting"]
    )


def _kind_of(outcome: str, reason: str) -> str:
    if outcome in (Outcome.REALIZED, Outcome.NOT_NEEDED):
        return str(outcome)
    return "waiting" if _is_waiting(outcome, reason) else "blocked"


def _list_obstacles(standing: _Standing) -> tuple[Obstacle, ...]:
    """Return what stands in the way, the most frequent first."""
    counts: Counter[tuple[str, bool]] = Counter()
    for (_, outcome, reason), count in standing.items():
        if outcome not in (Outcome.REALIZED, Outcome.NOT_NEEDED):
            counts[reason, _is_waiting(outcome, reason)] += count
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Obstacle(reason=reason, is_waiting=waits, count=count) for (reason, waits), count in ranked)


def _list_customers(standing: _Standing, customer_of: dict[UUID, UUID]) -> tuple[CustomerCounts, ...]:
    """Return the customers with most in the way; those with nothing in the way come after them, if there is room."""
    counts: dict[UUID, Counter[str]] = {customer: Counter() for customer in customer_of.values()}
    for customer in customer_of.values():
        counts[customer]["intentions"] += 1
    for (intention, outcome, reason), count in standing.items():
        counts[customer_of[intention]][_kind_of(outcome, reason)] += count
    ranked = sorted(counts, key=lambda uuid: (-counts[uuid]["blocked"], -counts[uuid]["realized"], str(uuid)))
    names = name_customers(ranked[:MOST_CUSTOMERS])
    return tuple(
        CustomerCounts(
            customer_uuid=uuid,
            name=names[uuid],
            intentions=counts[uuid]["intentions"],
            realized=counts[uuid]["realized"],
            blocked=counts[uuid]["blocked"],
            waiting=counts[uuid]["waiting"],
        )
        for uuid in ranked[:MOST_CUSTOMERS]
    )


# --- What was made, and what cannot be made -----------------------------------------------------------------------


def _count_realizations(realizations: QuerySet[Realization]) -> RealizationCounts:
    there = Q(left_at=None)
    counted = realizations.aggregate(
        rows=Count("pk"),
        left=Count("pk", filter=~there),
        downgraded=Count("pk", filter=there & Q(downgraded_at__isnull=False)),
        compared_at=Min("compared_at", filter=there),
    )
    return RealizationCounts(**counted)


def _count_days(realizations: QuerySet[Realization], now: datetime) -> tuple[Day, ...]:
    """Return the last days, the oldest first, those without an enrollment among them.

    One statement with a part for each day, which is counted off the index; cutting the time off every row is slow.
    """
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=days) for days in reversed(range(DAYS))]
    first, *others = (
        realizations.filter(realized_at__gte=start, realized_at__lt=start + timedelta(days=1))
        .annotate(number=Value(number))
        .values("number")
        .annotate(realized=Count("pk"))
        .values_list("number", "realized")
        for number, start in enumerate(starts)
    )
    counts = dict(first.union(*others, all=True))
    return tuple(Day(date=start.date(), realized=counts.get(number, 0)) for number, start in enumerate(starts))


def _count_intentions(customer_of: dict[UUID, UUID], of_request: dict[str, Any]) -> IntentionCounts:
    counted = _health_of(of_request).aggregate(rows=Count("pk"), healthy=Count("pk", filter=Q(is_healthy=True)))
    return IntentionCounts(
        healthy=counted["healthy"],
        unhealthy=counted["rows"] - counted["healthy"],
        unchecked=max(0, len(customer_of) - counted["rows"]),
    )


def _list_troubles(of_request: dict[str, Any]) -> tuple[Trouble, ...]:
    unhealthy = _health_of(of_request).filter(is_healthy=False).select_related("intention__customer")
    return tuple(
        Trouble(health=health, explanation=explain(health.reason))
        for health in unhealthy.order_by("reason_since", "pk")[:MOST_INTENTIONS]
    )


def _health_of(of_request: dict[str, Any]) -> QuerySet[IntentionHealth]:
    mine = {f"intention__{name}": value for name, value in of_request.items()}
    return IntentionHealth.objects.filter(intention__deleted_at=None, **mine)
