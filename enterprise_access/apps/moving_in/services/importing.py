"""Taking over an installation of openedx/enterprise-access, table by table, what others refer to first.

Every batch is a transaction, so that an import that was stopped is simply started again. A dry run does the same in one
transaction, and takes it back.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from attrs import field, frozen
from django.db import DataError, IntegrityError, transaction

from enterprise_access.apps.content_assignments.services.importing import (
    MoneyOfAssignments,
    get_money_of_assignments,
    import_assignments,
)
from enterprise_access.apps.moving_in.domain import tables
from enterprise_access.apps.moving_in.domain.cells import Cells
from enterprise_access.apps.moving_in.domain.tables import Table
from enterprise_access.apps.moving_in.errors import RowUnreadable
from enterprise_access.apps.moving_in.services import reading
from enterprise_access.apps.moving_in.services.sources import BATCH, SourceDatabase
from enterprise_access.apps.redemption.services.importing import import_redemptions
from enterprise_access.apps.subsidy_access_policies.services import list_differences_now
from enterprise_access.apps.subsidy_access_policies.services.importing import (
    import_associations,
    import_policies,
    list_accounts,
    list_associations,
)
from enterprise_access.apps.subsidy_requests.services.importing import import_configurations, import_requests
from enterprise_access.lib import clock
from enterprise_access.lib.importing import RowFate, RowOutcome, refused

A = TypeVar("A")
Tell = Callable[[Table, RowOutcome], None]
# A row of the source, and what became of it.
Judged = Iterator[tuple[Cells, RowOutcome]]
TakeOver = Callable[[SourceDatabase, Sequence[Cells]], Judged]

ENDED_THERE: Final = (
    "The budget is limited to this group here, and not in the source. End that here if it was ended there."
)


@frozen(kw_only=True)
class ImportSummary:
    """What an import came to. `different_totals`: running totals of budgets that are not what their rows come to."""

    counts: Counter[tuple[str, RowFate]] = field(factory=Counter)
    money: MoneyOfAssignments
    different_totals: int

    @property
    def problems(self) -> int:
        """How many rows were not taken over."""
        return sum(count for (_, fate), count in self.counts.items() if fate in (RowFate.REFUSED, RowFate.CONFLICT))

    @property
    def is_money_right(self) -> bool:
        return self.different_totals == 0 and self.money.allocated_cents == self.money.held_cents


def import_everything(source: SourceDatabase, *, commit: bool, tell: Tell) -> ImportSummary:
    """Take over everything that can be; `tell` hears of each row that was not, or that was changed.

    Without `commit` all of it is taken back at the end.
    """
    with nullcontext() if commit else transaction.atomic():
        counts: Counter[tuple[str, RowFate]] = Counter()
        for table, outcome in _outcomes(source):
            counts[table.kind, outcome.fate] += 1
            tell(table, outcome)
        imported = ImportSummary(
            counts=counts,
            money=get_money_of_assignments(),
            different_totals=sum(len(list_differences_now(subsidy_uuid=uuid)) for uuid in list_accounts()),
        )
        if not commit:
            transaction.set_rollback(True)
    return imported


def _outcomes(source: SourceDatabase) -> Iterator[tuple[Table, RowOutcome]]:
    for table, take_over in (
        (tables.POLICIES, _policies),
        (tables.ASSOCIATIONS, _associations),
        (tables.ASSIGNMENTS, _assignments),
        (tables.REQUEST_CONFIGURATIONS, _configurations),
        (tables.LICENSE_REQUESTS, partial(_requests, reading.license_request_of)),
        (tables.COUPON_REQUESTS, partial(_requests, reading.coupon_request_of)),
        (tables.CREDIT_REQUESTS, _credit_requests),
        (tables.FORCED_REDEMPTIONS, _redemptions),
    ):
        for outcome in _of_table(source, table, take_over):
            yield table, outcome
    for outcome in _groups_of_here(source):
        yield tables.ASSOCIATIONS, outcome


def _of_table(source: SourceDatabase, table: Table, take_over: TakeOver) -> Iterator[RowOutcome]:
    """Take over a table. What another row stood in the way of is tried again when that one has changed since."""
    waiting: list[tuple[Cells, RowOutcome]] = []
    is_changed = False
    for rows in source.batches(table):
        for row, outcome in take_over(source, rows):
            is_changed |= outcome.fate is RowFate.CHANGED
            if outcome.fate is RowFate.REFUSED:
                waiting.append((row, outcome))
            else:
                yield outcome
    while is_changed and waiting:
        judged = [
            one
            for start in range(0, len(waiting), BATCH)
            for one in take_over(source, [row for row, _ in waiting[start : start + BATCH]])
        ]
        waiting = [one for one in judged if one[1].fate is RowFate.REFUSED]
        is_changed = len(waiting) < len(judged)
        yield from (outcome for _, outcome in judged if outcome.fate is not RowFate.REFUSED)
    yield from (outcome for _, outcome in waiting)


def _groups_of_here(source: SourceDatabase) -> Iterator[RowOutcome]:
    """Yield the groups that budgets of the source are limited to here alone."""
    policies = {_uuid_of(row, "uuid") for rows in source.batches(tables.POLICIES) for row in rows}
    there = {
        (_uuid_of(row, "subsidy_access_policy_id"), _uuid_of(row, "enterprise_group_uuid"))
        for rows in source.batches(tables.ASSOCIATIONS)
        for row in rows
    }
    for policy_uuid, group_uuid in list_associations():
        if policy_uuid in policies and (policy_uuid, group_uuid) not in there:
            name = f"{group_uuid} of budget {policy_uuid}"
            yield RowOutcome(name=name, fate=RowFate.CONFLICT, why=ENDED_THERE)


def _uuid_of(row: Cells, column: str) -> UUID | None:
    try:
        return row.uuid(column)
    except RowUnreadable:
        return None


def _policies(source: SourceDatabase, rows: Sequence[Cells]) -> Judged:
    column = "learner_credit_request_config_id"
    found = source.matching(tables.CREDIT_CONFIGURATIONS, "uuid", [row.raw(column) for row in rows])
    active = {key for key, found_rows in found.items() if any(one.truth("active") for one in found_rows)}
    return _taken(
        rows, lambda row: reading.policy_of(row, is_taking_requests=row.raw(column) in active), import_policies
    )


def _associations(_source: SourceDatabase, rows: Sequence[Cells]) -> Judged:
    return _taken(rows, reading.association_of, import_associations, key="id")


def _assignments(source: SourceDatabase, rows: Sequence[Cells]) -> Judged:
    actions = source.matching(tables.ASSIGNMENT_ACTIONS, "assignment_id", [row.raw("uuid") for row in rows])
    return _taken(
        rows,
        lambda row: reading.assignment_of(row, actions.get(row.raw("uuid"), ())),
        partial(import_assignments, now=clock.now()),
    )


def _configurations(source: SourceDatabase, rows: Sequence[Cells]) -> Judged:
    users = _users(source, rows, "changed_by_id")
    return _taken(
        rows,
        lambda row: reading.configuration_of(row, users),
        import_configurations,
        key=tables.REQUEST_CONFIGURATIONS.key,
    )


def _requests(
    read: Callable[[Cells, reading.Users], reading.ArrivingRequest], source: SourceDatabase, rows: Sequence[Cells]
) -> Judged:
    users = _users(source, rows, "user_id", "reviewer_id")
    return _taken(rows, lambda row: read(row, users), partial(import_requests, now=clock.now()))


def _credit_requests(source: SourceDatabase, rows: Sequence[Cells]) -> Judged:
    column = "learner_credit_request_config_id"
    users = _users(source, rows, "user_id", "reviewer_id")
    policies = source.matching(tables.POLICIES, column, [row.raw(column) for row in rows])
    uuids = [row.raw("uuid") for row in rows]
    actions = source.matching(tables.CREDIT_REQUEST_ACTIONS, "learner_credit_request_id", uuids)

    def policy_of(row: Cells) -> UUID | None:
        return next((one.uuid("uuid") for one in policies.get(row.raw(column), ())), None)

    def read(row: Cells) -> reading.ArrivingRequest:
        own = actions.get(row.raw("uuid"), ())
        return reading.credit_request_of(row, users, policy_uuid=policy_of(row), actions=own)

    return _taken(rows, read, partial(import_requests, now=clock.now()))


def _redemptions(_source: SourceDatabase, rows: Sequence[Cells]) -> Judged:
    return _taken(rows, reading.redemption_of, import_redemptions)


def _users(source: SourceDatabase, rows: Sequence[Cells], *columns: str) -> reading.Users:
    found = source.matching(tables.USERS, "id", [row.raw(column) for row in rows for column in columns])
    return {key: users[0] for key, users in found.items()}


def _taken(
    rows: Sequence[Cells],
    read: Callable[[Cells], A],
    take_over: Callable[[Sequence[A]], list[RowOutcome]],
    *,
    key: str = "uuid",
) -> Judged:
    """Read and take over the rows of a batch; one that cannot be read holds up no other."""
    arriving: list[tuple[Cells, A]] = []
    for row in rows:
        try:
            arriving.append((row, read(row)))
        except RowUnreadable as error:
            yield row, refused(row.raw(key), str(error))
    outcomes = _together([(row.raw(key), one) for row, one in arriving], take_over)
    yield from zip((row for row, _ in arriving), outcomes, strict=True)


def _together(
    arriving: Sequence[tuple[object, A]], take_over: Callable[[Sequence[A]], list[RowOutcome]]
) -> Sequence[RowOutcome]:
    """Take over rows in one transaction; where the database refuses it, each in its own, so that one is found out.

    Return the outcomes in the order of the rows.
    """
    if not arriving:
        return []
    try:
        with _savepoint():
            return take_over([one for _, one in arriving])
    except (IntegrityError, DataError) as error:
        if len(arriving) == 1:
            return [refused(arriving[0][0], f"The database refuses the row: {type(error).__name__}.")]
    return [outcome for one in arriving for outcome in _together([one], take_over)]


def _savepoint() -> AbstractContextManager[object]:
    """Keep a dry run's transaction alive when a statement fails; an import's batches have their own."""
    return transaction.atomic() if transaction.get_connection().in_atomic_block else nullcontext()
