"""Cancelling and reminding many assignments with one call: all of them, or nothing."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.showing import LearnerState
from enterprise_access.apps.content_assignments.domain.states import (
    ActionOutcome,
    AssignmentAction,
    AssignmentState,
    transition,
)


class BulkAction(StrEnum):
    """What is done to the rows."""

    CANCEL = "cancel"
    REMIND = "remind"
    CANCEL_ALL = "cancel-all"
    REMIND_ALL = "remind-all"


class BulkOutcome(StrEnum):
    """How the call ends: 200 or 202, 400, 404, 422."""

    DONE = "done"
    INVALID = "invalid"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


@frozen(kw_only=True)
class BulkRow:
    """One assignment."""

    uuid: UUID
    configuration: str
    state: AssignmentState
    learner_state: LearnerState | None
    is_attempt_open: bool


@frozen(kw_only=True)
class BulkResult:
    """Which rows are cancelled or reminded; and of a refused call, which rows stand against it."""

    outcome: BulkOutcome
    changed: tuple[UUID, ...] = ()
    refused: tuple[UUID, ...] = ()


# The columns that these filters compare. An `__in` takes several values, separated by commas.
_FILTERED_COLUMNS: Final[Mapping[str, tuple[Callable[[BulkRow], str | None], frozenset[str]]]] = {
    "state": (lambda row: row.state.value, frozenset(AssignmentState)),
    "learner_state": (
        lambda row: row.learner_state.value if row.learner_state else None,
        frozenset(LearnerState),
    ),
}
_MANY: Final = "__in"

# Known names that the database answers (the rows that are given have matched them), or that say nothing here.
_DATABASE_FILTERS: Final = frozenset({"search", "content_key", "learner_email", "lms_user_id"})
_WITHOUT_EFFECT: Final = frozenset({"ordering", "page", "page_size"})


def bulk(
    *,
    action: BulkAction,
    configuration: str,
    uuids: Sequence[UUID] | None,
    filters: Mapping[str, str],
    rows: Collection[BulkRow],
) -> BulkResult:
    """Return what one call does. `uuids` None: every row that the filters leave (the calls that end in `-all`)."""
    own = [row for row in rows if row.configuration == configuration]
    if action in (BulkAction.CANCEL, BulkAction.REMIND):
        return _by_uuid(action, list(dict.fromkeys(uuids or ())), own)
    wanted = _matching(own, filters)
    if wanted is None:
        return BulkResult(outcome=BulkOutcome.INVALID)
    taken = [row for row in wanted if _is_taken(action, row)]
    return _applied(action, taken) if taken else BulkResult(outcome=BulkOutcome.NOT_FOUND)


def _by_uuid(action: BulkAction, uuids: list[UUID], rows: list[BulkRow]) -> BulkResult:
    by_uuid = {row.uuid: row for row in rows}
    if any(one not in by_uuid for one in uuids):
        return BulkResult(outcome=BulkOutcome.NOT_FOUND)
    return _applied(action, [by_uuid[one] for one in uuids])


def _applied(action: BulkAction, rows: list[BulkRow]) -> BulkResult:
    """Apply an action to all rows, or to none when one of them stands against it."""
    outcomes = {row.uuid: _outcome(action, row) for row in rows}
    refused = tuple(one for one, outcome in outcomes.items() if outcome is ActionOutcome.REFUSED)
    if refused:
        return BulkResult(outcome=BulkOutcome.REFUSED, refused=refused)
    changed = tuple(one for one, outcome in outcomes.items() if outcome is ActionOutcome.DONE)
    return BulkResult(outcome=BulkOutcome.DONE, changed=changed)


def _outcome(action: BulkAction, row: BulkRow) -> ActionOutcome:
    if action in (BulkAction.REMIND, BulkAction.REMIND_ALL):
        return ActionOutcome.DONE if row.state is AssignmentState.ALLOCATED else ActionOutcome.REFUSED
    return transition(state=row.state, action=AssignmentAction.CANCEL, is_attempt_open=row.is_attempt_open).outcome


def _is_taken(action: BulkAction, row: BulkRow) -> bool:
    """Say whether an `-all` call takes a row: the rows that the admin portal counts on its button."""
    if action is BulkAction.REMIND_ALL:
        return row.state is AssignmentState.ALLOCATED and row.learner_state is LearnerState.WAITING
    return row.state in (AssignmentState.ALLOCATED, AssignmentState.ERRORED)


def _matching(rows: list[BulkRow], filters: Mapping[str, str]) -> list[BulkRow] | None:
    """Return the rows that all filters leave; None when a name or value is unknown: a typo must not cancel all."""
    for name, value in filters.items():
        column = name.removesuffix(_MANY)
        if column in _DATABASE_FILTERS or name in _WITHOUT_EFFECT or (column in _FILTERED_COLUMNS and not value):
            continue
        if column not in _FILTERED_COLUMNS:
            return None
        read, known = _FILTERED_COLUMNS[column]
        wanted = {one.strip() for one in value.split(",")} if name.endswith(_MANY) else {value}
        if not wanted <= known:
            return None
        rows = [row for row in rows if read(row) in wanted]
    return rows
