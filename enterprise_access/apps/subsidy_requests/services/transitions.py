"""Moving requests from state to state: the only code that writes the state of a request that exists.

Callers hold locks on the rows (`lock_requests`) in a transaction. What a move brings with it (an event, a promise of
money) belongs in the same transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from enterprise_access.apps.subsidy_requests.domain.requests import ActionType, is_open, learner_request_state
from enterprise_access.apps.subsidy_requests.domain.states import (
    RequestAction,
    RequestOutcome,
    RequestState,
    request_transition,
)
from enterprise_access.apps.subsidy_requests.errors import RequestStateRefused, RequestUnknown
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestAction
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order


def lock_requests(rows: QuerySet[SubsidyRequest], *, uuids: Collection[UUID] = ()) -> list[SubsidyRequest]:
    """Lock these requests, oldest first. Raises RequestUnknown when one of `uuids` is not among them."""
    locked = lock_in_order(rows)
    refuse_unknown(locked, uuids=uuids)
    return sorted(locked, key=lambda row: (row.created, row.pk))


def refuse_unknown(rows: Iterable[SubsidyRequest], *, uuids: Collection[UUID]) -> None:
    """Raise RequestUnknown when one of `uuids` is not among the rows."""
    missing = sorted(map(str, set(uuids) - {row.pk for row in rows}))
    if missing:
        raise RequestUnknown(f"There is no request {missing[0]}.", extra={"unknown": missing})


def movable(rows: Iterable[SubsidyRequest], action: RequestAction) -> list[SubsidyRequest]:
    """Return the requests that the action changes. Raises RequestStateRefused when it is refused for any of them."""
    moves = [(row, _outcome(row, action)) for row in rows]
    refused = [(row.pk, row.state) for row, outcome in moves if outcome is RequestOutcome.REFUSED]
    if refused:
        uuid, state = refused[0]
        raise RequestStateRefused(f"Request {uuid} is {state}: {action} is not possible.", refused=refused)
    return [row for row, outcome in moves if outcome is RequestOutcome.DONE]


def can_move(row: SubsidyRequest, action: RequestAction) -> bool:
    """Say whether the action changes the request."""
    return _outcome(row, action) is RequestOutcome.DONE


def _outcome(row: SubsidyRequest, action: RequestAction) -> RequestOutcome:
    return request_transition(subsidy_type=row.kind, state=RequestState(row.state), action=action).outcome


def move(
    rows: Sequence[SubsidyRequest],
    action: RequestAction,
    *,
    now: datetime,
    actor_lms_user_id: int | None = None,
    error_reason: str = "",
    **columns: Any,
) -> list[SubsidyRequest]:
    """Apply an action to locked requests of one kind, write `columns` of all that change, and return those.

    `actor_lms_user_id` None: this service. Raises RequestStateRefused, and changes nothing then.
    """
    changed = movable(rows, action)
    by_state: dict[RequestState, list[SubsidyRequest]] = {}
    for row in changed:
        after = request_transition(subsidy_type=row.kind, state=RequestState(row.state), action=action).state
        by_state.setdefault(after, []).append(row)
    for state, group in by_state.items():
        _write(group, state, now=now, error_reason=error_reason, columns=columns)
        note(group, ActionType(state.value), now=now, actor_lms_user_id=actor_lms_user_id, error_reason=error_reason)
    return changed


@retry_deadlocks
def _write(
    rows: Sequence[SubsidyRequest], state: RequestState, *, now: datetime, error_reason: str, columns: dict[str, Any]
) -> None:
    values = {
        **columns,
        "state": state.value,
        "learner_request_state": learner_request_state(state, error_reason=error_reason).value,
        "modified": now,
    }
    if not is_open(subsidy_type=rows[0].kind, state=state):
        values["open_key"] = None
    SubsidyRequest.objects.filter(pk__in=[row.pk for row in rows]).update(**values)
    for row in rows:
        for name, value in values.items():
            setattr(row, name, value)
    SubsidyRequest.history.bulk_history_create(list(rows), update=True, default_date=now)


@retry_deadlocks
def note(
    rows: Sequence[SubsidyRequest],
    action: ActionType,
    *,
    now: datetime,
    actor_lms_user_id: int | None = None,
    error_reason: str = "",
) -> None:
    """Write down what happened to requests, without changing their state."""
    SubsidyRequestAction.objects.bulk_create(
        SubsidyRequestAction(
            request=row, type=action.value, error_reason=error_reason, actor_lms_user_id=actor_lms_user_id, created=now
        )
        for row in rows
    )
    latest = {"latest_action_type": action.value, "latest_action_at": now, "error_reason": error_reason}
    SubsidyRequest.objects.filter(pk__in=[row.pk for row in rows]).update(**latest)
    for row in rows:
        row.latest_action_type, row.latest_action_at, row.error_reason = action.value, now, error_reason
