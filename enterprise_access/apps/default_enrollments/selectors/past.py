"""What is stored of a customer's intentions, and of their results for learners."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet, Value

from enterprise_access.apps.default_enrollments.models import (
    Intention,
    Realization,
    RealizationAttempt,
    RealizationOverride,
    override_validity,
)
from enterprise_access.lib.prepared import Prepared, Read


def list_intentions(*, customer_uuid: UUID) -> tuple[Intention, ...]:
    """Return the customer's living intentions, oldest first."""
    return tuple(Intention.objects.living().of_customer(customer_uuid))


@frozen(kw_only=True)
class LastLook:
    """The result of the last evaluation of one intention for one learner."""

    at: datetime
    outcome: str
    reason: str


def list_intentions_for(
    *, customer_uuid: UUID, lms_user_id: int, now: datetime
) -> tuple[tuple[Intention, ...], frozenset[tuple[int, UUID]]]:
    """Return the living intentions, and the learner's active overrides as `list_overrides` does; in one statement.

    The intentions are not to be changed: as long as the database answers the same, they are the same objects.
    """
    rows = _read_of_intentions(customer_uuid, lms_user_id, now).raw_rows()
    intentions = _as_intentions(tuple(row[:-1] for row in rows))
    overridden = (intention.pk for intention, row in zip(intentions, rows, strict=True) if row[-1])
    return intentions, frozenset((lms_user_id, intention_id) for intention_id in overridden)


def reads_of_history(*, customer_uuid: UUID, lms_user_id: int, now: datetime) -> tuple[Read, ...]:
    """Return the statements of `list_intentions_for` and `get_past`, for `read_together`."""
    return _read_of_intentions(customer_uuid, lms_user_id, now), _PAST.read_of(lms_user_id=lms_user_id)


def _read_of_intentions(customer_uuid: UUID, lms_user_id: int, now: datetime) -> Read:
    return _INTENTIONS_AND_OVERRIDES.read_of(
        customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now, earliest=now - override_validity()
    )


_INTENTION: Final = [field.attname for field in Intention._meta.concrete_fields]
# What readers use of a realization. (Django would read any other column when it is asked for it.)
_REALIZATION_FIELDS: Final = [
    field for field in Realization._meta.concrete_fields if field.name not in {"created", "compared_at"}
]
_REALIZATION: Final = [field.attname for field in _REALIZATION_FIELDS]


def _intentions_and_overrides(
    customer_uuid: UUID, lms_user_id: int, now: datetime, earliest: datetime
) -> QuerySet[Intention, Any]:
    active = RealizationOverride.objects.valid(now=now, earliest=earliest)
    mine = active.filter(intention=OuterRef("pk"), lms_user_id=lms_user_id)
    return Intention.objects.living().of_customer(customer_uuid).values_list(*_INTENTION, Exists(mine))


_INTENTIONS_AND_OVERRIDES: Final = Prepared(
    _intentions_and_overrides,
    customer_uuid=models.UUIDField(),
    lms_user_id=models.BigIntegerField(),
    now=models.DateTimeField(),
    earliest=models.DateTimeField(),
)


@lru_cache(maxsize=1024)
def _as_intentions(raw_rows: tuple[tuple[object, ...], ...]) -> tuple[Intention, ...]:
    rows = _INTENTIONS_AND_OVERRIDES.converted([(*row, False) for row in raw_rows])
    return tuple(Intention.from_db("default", _INTENTION, row[:-1]) for row in rows)


Realizations = dict[int, tuple[Realization, ...]]


def list_realizations(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> Realizations:
    """Return by learner what was realized for this customer, also of intentions that are deleted by now."""
    ids = list(lms_user_ids)
    return _by_learner(Realization.objects.filter(intention__customer_id=customer_uuid, lms_user_id__in=ids), ids)


def list_realized_elsewhere(*, customer_uuid: UUID, lms_user_ids: Iterable[int]) -> Realizations:
    """Return by learner what was realized for other customers."""
    ids = list(lms_user_ids)
    elsewhere = Realization.objects.filter(lms_user_id__in=ids).exclude(intention__customer_id=customer_uuid)
    return _by_learner(elsewhere, ids)


@frozen(kw_only=True)
class Past:
    """One learner's results: what was realized `here` (for this customer), `elsewhere` (for others), and the last
    evaluation of each intention. Absent: there was none yet."""

    here: Realizations
    elsewhere: Realizations
    last_looks: Mapping[UUID, LastLook]


def get_past(*, customer_uuid: UUID, lms_user_id: int) -> Past:
    """Return `list_realizations` and `list_realized_elsewhere` of one learner, and the last looks; in one statement."""
    here: list[Realization] = []
    elsewhere: list[Realization] = []
    looks: dict[UUID, tuple[int, LastLook]] = {}
    for *values, customer_id in _PAST.rows(lms_user_id=lms_user_id):
        if customer_id is not None:
            row = Realization.from_db("default", _REALIZATION, values)
            (here if customer_id == customer_uuid else elsewhere).append(row)
            continue
        at, intention_id, number, outcome, reason = (values[place] for place in _LOOK_PLACES)
        if intention_id not in looks or looks[intention_id][0] < number:
            looks[intention_id] = number, LastLook(at=at, outcome=outcome, reason=reason)
    for rows in (here, elsewhere):  # newest first, as everywhere
        rows.sort(key=lambda row: (-row.realized_at.timestamp(), row.pk))
    return Past(
        here=_by_learner(here, [lms_user_id]),
        elsewhere=_by_learner(elsewhere, [lms_user_id]),
        last_looks={intention_id: look for intention_id, (_, look) in looks.items()},
    )


# Which columns of an attempt stand below which ones of a realization, being of the same kind. There is nothing below
# the others, the customer among them: that is how an attempt is told from a realization.
_LOOK_BELOW: Final = {
    "modified": "last_seen_at",
    "intention_id": "intention_id",
    "enterprise_customer_user_id": "pk",
    "course_key": "outcome",
    "course_run_key": "reason",
}
_LOOK_PLACES: Final = [_REALIZATION.index(name) for name in _LOOK_BELOW]


def _past(lms_user_id: int) -> QuerySet[Realization, Any]:
    # (The newest alone: a learner who cannot be enrolled gets more attempts every day.)
    attempts = RealizationAttempt.objects.newest().filter(lms_user_id=lms_user_id).order_by()
    columns = [_LOOK_BELOW.get(field.attname, Value(None, output_field=field)) for field in _REALIZATION_FIELDS]
    realizations = Realization.objects.filter(lms_user_id=lms_user_id).order_by()
    return realizations.values_list(*_REALIZATION, "intention__customer_id").union(
        attempts.values_list(*columns, Value(None, output_field=models.UUIDField())), all=True
    )


_PAST: Final = Prepared(_past, lms_user_id=models.BigIntegerField())


def _by_learner(rows: Iterable[Realization], lms_user_ids: Iterable[int]) -> Realizations:
    found: dict[int, list[Realization]] = {lms_user_id: [] for lms_user_id in lms_user_ids}
    for row in rows:
        found[row.lms_user_id].append(row)
    return {lms_user_id: tuple(of_learner) for lms_user_id, of_learner in found.items()}


def list_overrides(*, customer_uuid: UUID, lms_user_ids: Iterable[int], now: datetime) -> frozenset[tuple[int, UUID]]:
    """Return the active overrides of these learners, as pairs of learner and intention."""
    active = RealizationOverride.objects.active(now).filter(
        intention__customer_id=customer_uuid, lms_user_id__in=list(lms_user_ids)
    )
    return frozenset(active.values_list("lms_user_id", "intention_id"))
