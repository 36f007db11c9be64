"""Reads of what came of intentions, learner by learner: realizations and attempts, as far as a caller may see them."""

from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from attrs import frozen
from django.db.models import Model, Q, QuerySet

from enterprise_access.apps.core.domain import Caller
from enterprise_access.apps.default_enrollments.errors import AttemptUnknown, RealizationUnknown
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    Realization,
    RealizationAttempt,
)

Rows = TypeVar("Rows", bound=Model)


class RealizationState(StrEnum):
    """How a realization stands: a learner who left has left, in whatever mode."""

    REALIZED = "realized"
    DOWNGRADED = "downgraded"
    LEFT = "left"


_CONDITIONS = {
    RealizationState.REALIZED: Q(left_at=None, downgraded_at=None),
    RealizationState.DOWNGRADED: Q(left_at=None, downgraded_at__isnull=False),
    RealizationState.LEFT: Q(left_at__isnull=False),
}


def state_of(realization: Realization) -> RealizationState:
    """Say how a realization stands."""
    if realization.left_at is not None:
        return RealizationState.LEFT
    return RealizationState.REALIZED if realization.downgraded_at is None else RealizationState.DOWNGRADED


@frozen(kw_only=True)
class RecordFilter:
    """Which records are requested; None is everything that the caller may see.

    `since` and `until` are aware instants, both included: when it was realized, or when an attempt was last seen.
    `reason` is why the learner left a realization, or why an attempt ended as it did.
    """

    customer_uuid: UUID | None = None
    lms_user_id: int | None = None
    intention_uuid: UUID | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def find_realizations(
    *, caller: Caller, wanted: RecordFilter, state: RealizationState | None = None
) -> QuerySet[Realization]:
    """Return the realizations that the caller may see, newest first."""
    rows = _visible(Realization.objects.all(), caller, wanted.customer_uuid)
    rows = _wanted(rows, wanted, instant="realized_at", reason="left_reason")
    if state is not None:
        rows = rows.filter(_CONDITIONS[state])
    return rows.select_related("intention").order_by("-realized_at", "-uuid")


def find_attempts(*, caller: Caller, wanted: RecordFilter, outcome: str | None = None) -> QuerySet[RealizationAttempt]:
    """Return the attempts that the caller may see, in the order in which they began, newest first.

    That order is stable: looking again with the same outcome moves an attempt's `last_seen_at`, but not its place.
    """
    rows = _visible(RealizationAttempt.objects.all(), caller, wanted.customer_uuid)
    rows = _wanted(rows, wanted, instant="last_seen_at", reason="reason")
    if outcome is not None:
        rows = rows.filter(outcome=outcome)
    return rows.select_related("intention").order_by("-pk")


def get_realization(*, caller: Caller, realization_uuid: UUID) -> Realization:
    """Return a realization that the caller may see. Raises RealizationUnknown."""
    row = _visible(Realization.objects.filter(pk=realization_uuid), caller).select_related("intention").first()
    if row is None:
        raise RealizationUnknown(f"There is no realization {realization_uuid}.")
    return row


def get_attempt(*, caller: Caller, attempt_id: int) -> RealizationAttempt:
    """Return an attempt that the caller may see. Raises AttemptUnknown."""
    row = _visible(RealizationAttempt.objects.filter(pk=attempt_id), caller).select_related("intention").first()
    if row is None:
        raise AttemptUnknown(f"There is no attempt {attempt_id}.")
    return row


def _visible(rows: QuerySet[Rows], caller: Caller, customer_uuid: UUID | None = None) -> QuerySet[Rows]:
    """Leave what the caller may see: every learner of the customers administered, and of the others oneself.

    `customer_uuid`: the rows are narrowed down to it anyway.
    """
    administered, readable = caller.administered_customers(), caller.readable_customers()
    if administered is None or readable is None or customer_uuid in administered:
        return rows
    visible = Q(intention__customer_id__in=administered)
    elsewhere = readable - administered
    if elsewhere and caller.lms_user_id is not None:
        visible |= Q(intention__customer_id__in=elsewhere, lms_user_id=caller.lms_user_id)
    return rows.filter(visible)


def _wanted(rows: QuerySet[Rows], wanted: RecordFilter, *, instant: str, reason: str) -> QuerySet[Rows]:
    intentions = DefaultEnterpriseEnrollmentIntention.objects.all()
    given = {
        # By the intentions' ids, so that the rows' own indexes serve.
        "intention__in": wanted.customer_uuid and intentions.of_customer(wanted.customer_uuid).order_by().values("pk"),
        "lms_user_id": wanted.lms_user_id,
        "intention_id": wanted.intention_uuid,
        reason: wanted.reason,
        f"{instant}__gte": wanted.since,
        f"{instant}__lte": wanted.until,
    }
    return rows.filter(**{lookup: value for lookup, value in given.items() if value is not None})
