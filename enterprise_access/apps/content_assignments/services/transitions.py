"""Every change of an assignment's state: rows locked, one transaction, the money and the mails with it.

Rows are locked in one order: the assignments, their accounts, the totals of budgets. All rows of a call change, or none
does (AssignmentTransitionRefused). A row that is in the wanted state already counts as done.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.domain.showing import LINKED
from enterprise_access.apps.content_assignments.domain.states import (
    ActionOutcome,
    AssignmentAction,
    AssignmentState,
    MoneyMove,
    StateChange,
    transition,
)
from enterprise_access.apps.content_assignments.errors import AssignmentTransitionRefused, AssignmentUnknown
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.mails import AssignmentMailKind, ask_for_mails
from enterprise_access.apps.content_assignments.services.signals import assignment_changed
from enterprise_access.apps.content_assignments.services.writing import add_actions, set_columns, shown
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.services.allocations import (
    is_being_redeemed,
    lock_promises,
    release_allocations,
)
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order

WRONG_STATE: Final = "wrong_state"
REDEEMING: Final = CreditReason.REDEMPTION_IN_PROGRESS.value


@frozen(kw_only=True)
class TransitionStep:
    """What one transition writes besides the state. `mail`: what the learner is told."""

    action: AssignmentAction
    columns: Mapping[str, Any]
    action_type: str
    error_reason: str = ""
    mail: AssignmentMailKind | None = None
    actor_lms_user_id: int | None = None


@retry_deadlocks
def cancel(
    assignment_uuids: Collection[UUID], *, now: datetime, actor_lms_user_id: int | None = None
) -> list[Assignment]:
    """Cancel assignments and give their money back; return those that changed.

    Raises AssignmentTransitionRefused, and AssignmentUnknown where one does not exist.
    """
    step = TransitionStep(
        action=AssignmentAction.CANCEL,
        columns={"cancelled_at": now},
        action_type="cancelled",
        mail=AssignmentMailKind.CANCELLED,
        actor_lms_user_id=actor_lms_user_id,
    )
    return move(lock(assignment_uuids), step, now=now)


@retry_deadlocks
def expire(assignment_uuids: Collection[UUID], *, reason: ExpirationReason, now: datetime) -> list[Assignment]:
    """Expire assignments for one reason and give their money back; return those that changed."""
    step = TransitionStep(
        action=AssignmentAction.EXPIRE,
        columns={"expired_at": now, "expiration_reason": reason.value},
        action_type="expired",
        mail=AssignmentMailKind.EXPIRED,
    )
    return move(lock(assignment_uuids), step, now=now)


@retry_deadlocks
def error(assignment_uuid: UUID, *, reason: str, now: datetime) -> list[Assignment]:
    """Mark an assignment whose person can never be linked to the customer, and give its money back."""
    step = TransitionStep(
        action=AssignmentAction.ERROR, columns={"errored_at": now}, action_type=LINKED, error_reason=reason
    )
    return move(lock([assignment_uuid]), step, now=now)


@retry_deadlocks
def accept(assignment_uuid: UUID, *, transaction_uuid: UUID, lms_user_id: int, now: datetime) -> list[Assignment]:
    """Mark an assignment as redeemed. Its promise is spent by the redemption, in the same transaction."""
    columns = {
        "accepted_at": now,
        "transaction_uuid": transaction_uuid,
        "lms_user_id": lms_user_id,
        "account_unclear_at": None,
    }
    step = TransitionStep(action=AssignmentAction.ACCEPT, columns=columns, action_type="redeemed")
    return move(lock([assignment_uuid]), step, now=now)


@retry_deadlocks
def reverse(assignment_uuid: UUID, *, now: datetime) -> list[Assignment]:
    """Mark an assignment whose money the ledger gave back."""
    step = TransitionStep(action=AssignmentAction.REVERSE, columns={"reversed_at": now}, action_type="reversed")
    return move(lock([assignment_uuid]), step, now=now)


def lock(assignment_uuids: Collection[UUID]) -> list[Assignment]:
    """Lock assignments until the end of the transaction. Raises AssignmentUnknown where one does not exist."""
    wanted = set(assignment_uuids)
    rows = lock_in_order(Assignment.objects.filter(pk__in=wanted))
    if missing := wanted - {row.pk for row in rows}:
        raise AssignmentUnknown(f"There is no assignment {min(missing)}.")
    return rows


def move(rows: Sequence[Assignment], step: TransitionStep, *, now: datetime) -> list[Assignment]:
    """Take locked assignments through one transition, all or none; return those that changed."""
    promises = lock_promises([row.pk for row in rows], policy_uuids={row.policy_uuid for row in rows})
    moves = {
        row.pk: transition(
            state=AssignmentState(row.state),
            action=step.action,
            is_attempt_open=is_being_redeemed(promises.get(row.pk)),
        )
        for row in rows
    }
    _refuse(moves, rows, being_redeemed={uuid for uuid, promise in promises.items() if is_being_redeemed(promise)})
    changed = [row for row in rows if moves[row.pk].outcome is ActionOutcome.DONE]
    if not changed:
        return []
    freed = [row.pk for row in changed if moves[row.pk].money is MoneyMove.RELEASE]
    release_allocations(promises[uuid] for uuid in freed if uuid in promises)
    _write(changed, step, state=moves[changed[0].pk].state, now=now)
    return changed


def _refuse(moves: Mapping[UUID, StateChange], rows: Sequence[Assignment], *, being_redeemed: set[UUID]) -> None:
    refused = {
        row.pk: REDEEMING if row.pk in being_redeemed else WRONG_STATE
        for row in rows
        if moves[row.pk].outcome is ActionOutcome.REFUSED
    }
    if refused:
        raise AssignmentTransitionRefused(refused)


def _write(rows: list[Assignment], step: TransitionStep, *, state: AssignmentState, now: datetime) -> None:
    for row in rows:
        row.state = state.value
    is_told = shown(rows[0], [])
    # What was done last before the end stays what was done last.
    columns = {name: is_told[name] for name in ("learner_state", "learner_state_order")}
    set_columns(rows, now=now, state=state.value, **columns, **step.columns)
    add_actions(
        rows,
        step.action_type,
        now=now,
        error_reason=step.error_reason,
        actor_lms_user_id=step.actor_lms_user_id,
    )
    if step.mail is not None:
        ask_for_mails(step.mail, rows, now=now)
    tell(rows, step.action, now=now)


def tell(rows: Sequence[Assignment], action: AssignmentAction, *, now: datetime) -> None:
    """Tell the apps above, in this transaction, that assignments changed."""
    assignment_changed.send(sender=Assignment, assignments=tuple(rows), action=action, now=now)
