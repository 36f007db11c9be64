"""Taking over assignments with their actions from another installation: the money with them, no mails, no links.

Rows are locked in the usual order: the assignments, their accounts, the totals of budgets.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import asdict, field, frozen
from django.conf import settings
from django.db.models import Sum

from enterprise_access.apps.content_assignments.domain.emails import is_cleared
from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.services.writing import insert, overwrite, shown
from enterprise_access.apps.subsidy_access_policies.services.allocations import (
    Promise,
    SubsidyAccessPolicy,
    held_for_assignments,
    hold_allocations,
    is_being_redeemed,
    lock_budget,
    lock_promises,
    release_allocations,
)
from enterprise_access.apps.subsidy_access_policies.services.importing import list_budgets_of_configurations
from enterprise_access.lib.importing import (
    IMPORTED,
    PastImports,
    RowFate,
    RowOutcome,
    columns_of,
    judge,
    past_of,
    refused,
)
from enterprise_access.lib.transactions import retry_deadlocks, upsert
from enterprise_access.lib.work.queues import lock_in_order

_ACKNOWLEDGED: Final = ("cancelled_acknowledged", "expired_acknowledged")
_ACTION_COLUMNS: Final = ("action_type", "modified", "completed_at", "error_reason")
# The instant that belongs to a state. The source does not always have it; the last change of the row stands for it.
_INSTANTS: Final = {
    AssignmentState.ACCEPTED: "accepted_at",
    AssignmentState.CANCELLED: "cancelled_at",
    AssignmentState.EXPIRED: "expired_at",
    AssignmentState.ERRORED: "errored_at",
    AssignmentState.REVERSED: "reversed_at",
}


@frozen(kw_only=True)
class ArrivingAction:
    """Something that was done about an assignment, as the source has it."""

    uuid: UUID
    action_type: str
    created: datetime
    modified: datetime
    completed_at: datetime | None
    error_reason: str


@frozen(kw_only=True)
class ArrivingAssignment:
    """An assignment as the source has it. `content_quantity`: in cents, not positive."""

    uuid: UUID
    configuration_uuid: UUID
    learner_email: str = field(repr=False)
    lms_user_id: int | None
    content_key: str
    parent_content_key: str
    is_assigned_course_run: bool
    preferred_course_run_key: str
    content_title: str
    content_quantity: int
    state: AssignmentState
    allocated_at: datetime
    accepted_at: datetime | None
    cancelled_at: datetime | None
    expired_at: datetime | None
    errored_at: datetime | None
    reversed_at: datetime | None
    allocation_batch_id: UUID | None
    admin_lms_user_id: int | None
    transaction_uuid: UUID | None
    created: datetime
    modified: datetime
    actions: tuple[ArrivingAction, ...] = ()


# Everything else of a row follows from these, or is this service's own. (Not who allocated: an admin who was forgotten
# here is not brought back.)
_COLUMNS: Final = (
    "policy_uuid",
    "acknowledged_at",
    *columns_of(ArrivingAssignment, without={"configuration_uuid", "admin_lms_user_id"}),
)


@frozen(kw_only=True)
class MoneyOfAssignments:
    """What allocated assignments come to, and what is held for them, in cents. The two have to be equal."""

    allocated_cents: int
    held_cents: int


def get_money_of_assignments() -> MoneyOfAssignments:
    """Return what all allocated assignments come to, and what is held for them."""
    rows = Assignment.objects.filter(state=AssignmentState.ALLOCATED.value)
    quantity = rows.aggregate(sum=Sum("content_quantity"))["sum"] or 0
    return MoneyOfAssignments(allocated_cents=-quantity, held_cents=held_for_assignments())


@retry_deadlocks
def import_assignments(arriving: Sequence[ArrivingAssignment], *, now: datetime) -> list[RowOutcome]:
    """Take over assignments, all those that can be, in one transaction; return what became of each."""
    budgets = list_budgets_of_configurations([one.configuration_uuid for one in arriving])
    stored = {row.pk: row for row in lock_in_order(Assignment.objects.filter(pk__in=[one.uuid for one in arriving]))}
    promises = lock_promises(list(stored), policy_uuids={budget.pk for budget in budgets.values()})
    past = past_of(Assignment, [one.uuid for one in arriving])
    wanted = {one.uuid: _row_of(one, budgets[one.configuration_uuid]) for one in arriving if _has(budgets, one)}
    taken = _identities_of_others(wanted)
    news = _news_of(arriving)
    outcomes: list[RowOutcome] = []
    written: list[Assignment] = []
    for one in arriving:
        outcome = _judge(wanted.get(one.uuid), stored.get(one.uuid), one, past, taken, has_news=one.uuid in news)
        if outcome.fate is RowFate.CHANGED and is_being_redeemed(promises.get(one.uuid)):
            outcome = RowOutcome(name=outcome.name, fate=RowFate.CONFLICT, why="It is being redeemed here.")
        outcomes.append(outcome)
        if outcome.is_written:
            written.append(wanted[one.uuid])
    release_allocations(promises[row.pk] for row in written if row.pk in promises)
    _write(written, stored, now=now)
    _hold(written)
    actions = [action for row in written for action in news.get(row.pk, ())]
    upsert(LearnerContentAssignmentAction, actions, fields=_ACTION_COLUMNS)
    return outcomes


def _has(budgets: Mapping[UUID, SubsidyAccessPolicy], one: ArrivingAssignment) -> bool:
    return one.configuration_uuid in budgets


def _row_of(one: ArrivingAssignment, budget: SubsidyAccessPolicy) -> Assignment:
    """Return the assignment as it is to be stored."""
    values = asdict(one, recurse=False, filter=lambda attribute, _: attribute.name != "actions")
    row = Assignment(**{**values, "policy_uuid": budget.pk, "customer_uuid": budget.customer_uuid})
    row.state = one.state.value
    instant = _INSTANTS.get(one.state)
    if instant is not None and getattr(row, instant) is None:
        setattr(row, instant, one.modified)
    row.email_cleared_at = one.modified if is_cleared(one.learner_email) else None
    seen = [action.completed_at for action in one.actions if action.action_type in _ACKNOWLEDGED]
    row.acknowledged_at = max((at for at in seen if at is not None and at >= one.allocated_at), default=None)
    # The daily job finds out whether the run or the account ends earlier.
    row.expires_at = one.allocated_at + timedelta(days=settings.ASSIGNMENT_DAYS)
    row.expires_because = ExpirationReason.NINETY_DAYS_PASSED.value
    for name, value in shown(row, list(_actions_of(one))).items():
        setattr(row, name, value)
    row.follow()
    return row


def _actions_of(one: ArrivingAssignment) -> Iterator[LearnerContentAssignmentAction]:
    for action in one.actions:
        yield LearnerContentAssignmentAction(**asdict(action), assignment_id=one.uuid)


def _identities_of_others(wanted: Mapping[UUID, Assignment]) -> dict[str, UUID]:
    """Return who has which identity already: rows that are here, and the first of several that arrive."""
    identities = {row.identity for row in wanted.values()}
    rows = Assignment.objects.filter(identity__in=identities).values_list("identity", "pk")
    taken: dict[str, UUID] = dict(rows)
    for row in wanted.values():
        taken.setdefault(row.identity, row.pk)
    return taken


def _judge(
    wanted: Assignment | None,
    stored: Assignment | None,
    one: ArrivingAssignment,
    past: PastImports,
    taken: Mapping[str, UUID],
    *,
    has_news: bool,
) -> RowOutcome:
    """Say what to do with an assignment. `has_news`: an action of it is not here yet, or another one than there."""
    if wanted is None:
        return refused(one.uuid, f"No budget here has its assignment configuration {one.configuration_uuid}.")
    other = taken[wanted.identity]
    if other != one.uuid:
        return refused(one.uuid, f"Assignment {other} is for the same budget, address and content.")
    is_kept = stored is not None and _was_forgotten(stored, wanted)
    return judge(one.uuid, stored, wanted, columns=_COLUMNS, past=past, has_news=has_news, is_kept=is_kept)


def _was_forgotten(stored: Assignment, wanted: Assignment) -> bool:
    """Say whether the person was taken out of the row here: an import never brings anyone back."""
    has_lost_account = stored.lms_user_id is None and wanted.lms_user_id is not None
    return stored.email_cleared_at is not None and (wanted.email_cleared_at is None or has_lost_account)


def _write(rows: Sequence[Assignment], stored: Mapping[UUID, Assignment], *, now: datetime) -> None:
    new = [row for row in rows if row.pk not in stored]
    changed = [row for row in rows if row.pk in stored]
    if new:
        insert(new, now=now, reason=IMPORTED)
    for row in changed:
        here = stored[row.pk]
        if here.allocated_at == row.allocated_at and here.admin_lms_user_id is None:
            # The admin was forgotten here.
            row.admin_lms_user_id = None
    if changed:
        overwrite(changed, now=now, reason=IMPORTED)


def _hold(rows: Sequence[Assignment]) -> None:
    """Promise the money of allocated rows. Whether it fits was decided where they were allocated."""
    held = [row for row in rows if row.state == AssignmentState.ALLOCATED.value]
    for policy_uuid in sorted({row.policy_uuid for row in held}):
        hold_allocations(
            lock_budget(policy_uuid=policy_uuid),
            [
                Promise(
                    assignment_uuid=row.pk,
                    lms_user_id=row.lms_user_id,
                    content_key=row.content_key,
                    amount_cents=row.price_cents,
                )
                for row in held
                if row.policy_uuid == policy_uuid
            ],
        )


def _news_of(arriving: Iterable[ArrivingAssignment]) -> dict[UUID, list[LearnerContentAssignmentAction]]:
    """Return the actions that are not here yet, or not as they are in the source, by assignment."""
    rows = [row for one in arriving for row in _actions_of(one)]
    known = LearnerContentAssignmentAction.objects.in_bulk([row.pk for row in rows])
    news: dict[UUID, list[LearnerContentAssignmentAction]] = defaultdict(list)
    for row in rows:
        here = known.get(row.pk)
        if here is None or any(getattr(here, name) != getattr(row, name) for name in _ACTION_COLUMNS):
            news[row.assignment_id].append(row)
    return news
