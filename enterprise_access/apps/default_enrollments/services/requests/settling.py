"""When everything that could be done is done: when each learner is looked at again."""

import random
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting, next_look
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.realizing.doubts import list_calls_over_at
from enterprise_access.apps.default_enrollments.services.requests.work_items import RealizationLease, settlement
from enterprise_access.lib import clock
from enterprise_access.lib.work import leases
from enterprise_access.lib.work.leases import Settlement

# What a learner does: these looks come with somebody who is there.
VISITS = frozenset({Trigger.LOGIN, Trigger.PORTAL})


@frozen(kw_only=True)
class Open:
    """Something of one learner that is not served, and why. `look_at` is set where the pause is known already."""

    lms_user_id: int
    reason: str
    intention_uuid: UUID | None = None
    enrollment_starts_at: datetime | None = None
    last_login_at: datetime | None = None
    look_at: datetime | None = None


def settle_all(
    lease: RealizationLease, still_open: Iterable[Open], *, lms_user_ids: Collection[int] | None = None
) -> None:
    """Give requests their next check: the earliest that anything of its learner asks for; none if all is served.

    `lms_user_ids`: of whom (everybody of the lease by default).
    """
    by_learner: dict[int, list[Open]] = {}
    for entry in still_open:
        by_learner.setdefault(entry.lms_user_id, []).append(entry)
    requests = [row for row in lease.requests if lms_user_ids is None or row.lms_user_id in lms_user_ids]
    unknown = [row.lms_user_id for row in requests if _is_outcome_unknown(by_learner.get(row.lms_user_id, ()))]
    over_at = list_calls_over_at(unknown) if unknown else {}
    leases.settle(
        lease,
        [_settlement(row, by_learner.get(row.lms_user_id, []), over_at.get(row.lms_user_id)) for row in requests],
    )


def _is_outcome_unknown(entries: Iterable[Open]) -> bool:
    return any(entry.reason == Reason.OUTCOME_UNKNOWN for entry in entries)


def _settlement(
    request: RealizationRequest, entries: Sequence[Open], call_over_at: datetime | None
) -> Settlement[RealizationRequest]:
    now = clock.now()
    is_anyone_silent = any(is_waiting(entry.reason) for entry in entries)
    failures = request.failures + 1 if is_anyone_silent else 0
    looks = [(look, entry) for entry in entries if (look := _next_look(entry, request, failures, now)) is not None]
    at, because = min(looks, key=lambda pair: pair[0], default=(None, None))
    if at is not None and call_over_at is not None and call_over_at > now:
        # The outcome is known for certain then; waiting longer helps no one.
        at = min(at, call_over_at)
    return settlement(
        request,
        due_at=at,
        waiting_for=because.reason if because else "",
        failures=failures,
        trigger=_next_trigger(request, entries, at),
    )


def _next_trigger(request: RealizationRequest, entries: Sequence[Open], at: datetime | None) -> str:
    """Return what will have made us look next time: a look that comes by itself is no visit of the learner.

    When nothing could be asked about the learner, the visit was not noted yet, and is still to be.
    """
    is_noted = all(entry.intention_uuid is not None for entry in entries)
    return Trigger.SWEEP if at is not None and is_noted else request.trigger


def _next_look(entry: Open, request: RealizationRequest, failures: int, now: datetime) -> datetime | None:
    if entry.look_at is not None:
        return entry.look_at
    return next_look(
        entry.reason,
        now=now,
        failures=failures,
        spread=random.random(),  # noqa: S311 - so that those who failed together do not come back together
        enrollment_starts_at=entry.enrollment_starts_at,
        last_login_at=now if request.trigger in VISITS else entry.last_login_at,
    )
