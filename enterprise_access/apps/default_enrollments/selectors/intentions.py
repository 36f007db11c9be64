"""Reads of what customers intend, of its history, and of what was found at the last check."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Window
from django.db.models.functions import Lag

from enterprise_access.apps.default_enrollments.errors import IntentionUnknown
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.lib.keys import fold


class WhichIntentions(StrEnum):
    """Which intentions are meant. A deleted one is kept, since what came of it is."""

    LIVING = "living"
    DELETED = "deleted"
    ALL = "all"


class HealthState(StrEnum):
    """What the last check of an intention said, if there was one."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNCHECKED = "unchecked"


def find_intentions(
    *, customer_uuid: UUID, state: WhichIntentions, content_key: str | None = None, content_type: str | None = None
) -> QuerySet[Intention]:
    """Return the customer's intentions, oldest first. A key is compared ignoring case."""
    rows: QuerySet[Intention] = Intention.objects.of_customer(customer_uuid)
    if state is not WhichIntentions.ALL:
        rows = rows.filter(deleted_at__isnull=state is WhichIntentions.LIVING)
    if content_key is not None:
        rows = rows.filter(content_key_folded=fold(content_key))
    if content_type is not None:
        rows = rows.filter(content_type=content_type)
    return rows.order_by("created", "uuid")


def get_intention(*, intention_uuid: UUID, customers: frozenset[UUID] | None) -> Intention:
    """Return an intention, deleted or not, of one of these customers (None: of any). Raises IntentionUnknown."""
    rows = Intention.objects.filter(pk=intention_uuid)
    intention = rows.first() if customers is None else rows.filter(customer_id__in=customers).first()
    if intention is None:
        raise IntentionUnknown(f"There is no intention {intention_uuid}.")
    return intention


def find_twin(*, customer_uuid: UUID, content_key: str) -> Intention | None:
    """Return the customer's intention for this key, deleted or not, if there is one."""
    return find_intentions(customer_uuid=customer_uuid, state=WhichIntentions.ALL, content_key=content_key).first()


def find_twins(*, customer_uuid: UUID, content_keys: Iterable[str]) -> dict[str, Intention]:
    """Return the customer's intentions for these keys, deleted or not, by folded key."""
    rows = Intention.objects.of_customer(customer_uuid).filter(content_key_folded__in=set(map(fold, content_keys)))
    return {row.content_key_folded: row for row in rows}


def list_changes(intention: Intention) -> QuerySet[Any]:
    """Return the history of an intention, newest first, each row with what was so before it (`previous_…`)."""
    order = ["history_date", "history_id"]
    rows: QuerySet[Any] = intention.history.select_related("history_user")
    return rows.annotate(
        previous_content_key=Window(Lag("content_key"), order_by=order),
        previous_deleted_at=Window(Lag("deleted_at"), order_by=order),
    ).order_by(F("history_date").desc(), F("history_id").desc())


def find_checked(*, customer_uuid: UUID, state: HealthState | None = None) -> QuerySet[Intention]:
    """Return the customer's living intentions, oldest first, each with its `health` where it was ever checked."""
    rows: QuerySet[Intention] = Intention.objects.living().of_customer(customer_uuid).select_related("health")
    match state:
        case HealthState.UNCHECKED:
            rows = rows.filter(health__isnull=True)
        case HealthState.HEALTHY | HealthState.UNHEALTHY:
            rows = rows.filter(health__is_healthy=state is HealthState.HEALTHY)
    return rows.order_by("created", "uuid")
