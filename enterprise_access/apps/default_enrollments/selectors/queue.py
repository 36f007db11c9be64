"""Reads of the queue for evaluation, and of overrides."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen
from django.db.models import Count, Q, QuerySet

from enterprise_access.apps.default_enrollments.errors import OverrideUnknown
from enterprise_access.apps.default_enrollments.models import RealizationOverride, RealizationRequest


class EvaluationRequestState(StrEnum):
    """How a pending evaluation stands; of several that fit, the first."""

    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    SETTLED = "settled"
    DUE = "due"
    SCHEDULED = "scheduled"


def state_of(row: RealizationRequest, *, now: datetime) -> EvaluationRequestState:
    """Say how a request stands at `now`."""
    if row.failed_at is not None:
        return EvaluationRequestState.FAILED
    if row.leased_until is not None and row.leased_until >= now:
        return EvaluationRequestState.IN_PROGRESS
    if row.due_at is None:
        return EvaluationRequestState.SETTLED
    return EvaluationRequestState.DUE if row.due_at <= now else EvaluationRequestState.SCHEDULED


def find_requests(
    *,
    now: datetime,
    customer_uuid: UUID | None = None,
    lms_user_id: int | None = None,
    state: EvaluationRequestState | None = None,
) -> QuerySet[RealizationRequest]:
    """Return the requests, the latest first. `state` None: in any state."""
    rows: QuerySet[RealizationRequest] = RealizationRequest.objects.all()
    if customer_uuid is not None:
        rows = rows.filter(customer_id=customer_uuid)
    if lms_user_id is not None:
        rows = rows.filter(lms_user_id=lms_user_id)
    free = Q(failed_at=None) & (Q(leased_until=None) | Q(leased_until__lt=now))
    match state:
        case EvaluationRequestState.FAILED:
            rows = rows.filter(failed_at__isnull=False)
        case EvaluationRequestState.IN_PROGRESS:
            rows = rows.filter(failed_at=None, leased_until__gte=now)
        case EvaluationRequestState.SETTLED:
            rows = rows.filter(free, due_at=None)
        case EvaluationRequestState.DUE:
            rows = rows.filter(free, due_at__lte=now)
        case EvaluationRequestState.SCHEDULED:
            rows = rows.filter(free, due_at__gt=now)
    return rows.order_by("-pk")


# Counted no further: a page says "or more".
MOST_COUNTED = 10_000


@frozen(kw_only=True)
class QueuedLearners:
    """How many learners of a customer are evaluated without anybody doing anything: now, or once they come due."""

    now: int
    later: int

    @property
    def count(self) -> int:
        return self.now + self.later

    @property
    def is_cut_off(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > MOST_COUNTED


def count_queued(*, customer_uuid: UUID, now: datetime) -> QueuedLearners:
    """Count the pending evaluations of a customer that have not failed, in one bounded statement."""
    rows = RealizationRequest.objects.filter(customer_id=customer_uuid, failed_at=None, due_at__isnull=False)
    counted = rows.order_by()[: MOST_COUNTED + 1].aggregate(
        now=Count("pk", filter=Q(due_at__lte=now)), later=Count("pk", filter=Q(due_at__gt=now))
    )
    return QueuedLearners(now=counted["now"], later=counted["later"])


def find_overrides(
    *,
    now: datetime,
    customer_uuid: UUID | None = None,
    lms_user_id: int | None = None,
    intention_uuid: UUID | None = None,
    is_active: bool | None = None,
) -> QuerySet[RealizationOverride]:
    """Return the overrides, newest first. `is_active` None: all of them."""
    rows: QuerySet[RealizationOverride] = RealizationOverride.objects.select_related("intention")
    active = RealizationOverride.objects.active(now).values("pk")
    if customer_uuid is not None:
        rows = rows.filter(intention__customer_id=customer_uuid)
    if lms_user_id is not None:
        rows = rows.filter(lms_user_id=lms_user_id)
    if intention_uuid is not None:
        rows = rows.filter(intention_id=intention_uuid)
    if is_active is not None:
        rows = rows.filter(pk__in=active) if is_active else rows.exclude(pk__in=active)
    return rows.order_by("-pk")


def get_override(*, override_id: int) -> RealizationOverride:
    """Return an override with its intention. Raises OverrideUnknown."""
    found = RealizationOverride.objects.select_related("intention__customer").filter(pk=override_id).first()
    if found is None:
        raise OverrideUnknown(f"There is no override {override_id}.")
    return found
