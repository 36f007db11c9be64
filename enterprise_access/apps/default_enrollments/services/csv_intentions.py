"""Many intentions at once, from a CSV file and back.

A file has a line of headings with at least `customer` (slug or uuid) and `content_key`; other columns are passed over,
so that what was exported can be imported again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import evolve, frozen

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, IntentionExists
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_saved
from enterprise_access.apps.default_enrollments.services.intentions.describing import Preview, preview_keys
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention, restore_intention
from enterprise_access.lib.csv_files import read_table, write_table
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.keys import fold

Owner = UUID | ServiceError

CUSTOMER: Final = "customer"
CONTENT_KEY: Final = "content_key"
COLUMNS: Final = (CUSTOMER, CONTENT_KEY, "customer_uuid", "uuid", "content_type", "state", "last_check", "created")
MOST_BYTES: Final = 1_000_000
MOST_ROWS: Final = 2_000


class RowState(StrEnum):
    """What would come of a row."""

    ADD = "add"
    RESTORE = "restore"
    EXISTS = "exists"
    ERROR = "error"


@frozen(kw_only=True)
class Row:
    """A row as it stands in the file. `line` is the line where it begins, the headings being in line 1."""

    line: int
    customer: str
    content_key: str


@frozen(kw_only=True)
class CheckedRow:
    """A row, and what would come of it. `problem` says what is wrong; `warnings` what stands in the way for now."""

    row: Row
    state: RowState
    customer_uuid: UUID | None = None
    problem: str = ""
    preview: Preview | None = None

    @property
    def line(self) -> int:
        return self.row.line

    @property
    def warnings(self) -> tuple[Reason, ...]:
        return self.preview.description.warnings if self.preview is not None else ()

    @property
    def is_to_do(self) -> bool:
        """Whether importing would change anything."""
        return self.state in (RowState.ADD, RowState.RESTORE)


def read_csv(content: bytes) -> tuple[Row, ...]:
    """Return the rows of a file. Raises FileMalformed, with the line, when it is no such file."""
    rows = read_table(content, needed=(CUSTOMER, CONTENT_KEY), max_bytes=MOST_BYTES, max_rows=MOST_ROWS)
    return tuple(Row(line=row.line, customer=row.cells[CUSTOMER], content_key=row.cells[CONTENT_KEY]) for row in rows)


def check_rows(
    rows: Iterable[Row], *, customers: Mapping[str, Owner] | None = None, before: Iterable[Row] = ()
) -> list[CheckedRow]:
    """Say what would come of every row. Nothing is saved (but copies of customers that we did not know).

    The content of all keys of one customer is requested at once. `customers`: what `find_owners` has found already.
    `before`: rows that were checked already, so that a repetition of one of them is an error.
    """
    rows = list(rows)
    customers = find_owners(rows) if customers is None else customers
    keys: dict[UUID, list[str]] = {}
    for row in rows:
        if isinstance(owner := customers[row.customer], UUID):
            keys.setdefault(owner, []).append(row.content_key)
    found = {owner: preview_keys(customer_uuid=owner, content_keys=wanted) for owner, wanted in keys.items()}
    checked = [_check(row, customers[row.customer], found) for row in rows]
    return _without_repeats(checked, {_identity(row, customers.get(row.customer)): row.line for row in before})


def find_owners(rows: Iterable[Row]) -> dict[str, Owner]:
    """Look up every customer once, by the name that the file gives it: its uuid, or why it cannot be had."""
    found: dict[str, Owner] = {}
    for name in dict.fromkeys(row.customer for row in rows):
        try:
            found[name] = get_customer_named(slug_or_uuid=name).pk
        except ServiceError as error:
            found[name] = error
    return found


def _check(row: Row, owner: UUID | ServiceError, found: dict[UUID, dict[str, Preview | ServiceError]]) -> CheckedRow:
    if isinstance(owner, ServiceError):
        problem = owner.detail if row.customer else "The customer is missing."
        return CheckedRow(row=row, state=RowState.ERROR, problem=problem)
    preview = found[owner][fold(row.content_key)]
    if isinstance(preview, ServiceError):
        problem = preview.detail if row.content_key else "The content key is missing."
        return CheckedRow(row=row, state=RowState.ERROR, customer_uuid=owner, problem=problem)
    return CheckedRow(row=row, state=_state_of(preview.twin), customer_uuid=owner, preview=preview)


def _state_of(twin: Intention | None) -> RowState:
    if twin is None:
        return RowState.ADD
    return RowState.RESTORE if twin.is_deleted else RowState.EXISTS


def _identity(row: Row, owner: Owner | None) -> tuple[UUID | None, str]:
    return owner if isinstance(owner, UUID) else None, fold(row.content_key)


def _without_repeats(checked: list[CheckedRow], first: dict[tuple[UUID | None, str], int]) -> list[CheckedRow]:
    result = []
    for each in checked:
        line = first.setdefault(_identity(each.row, each.customer_uuid), each.line)
        if each.state is not RowState.ERROR and line != each.line:
            each = evolve(each, state=RowState.ERROR, problem=f"The same as line {line}.")
        result.append(each)
    return result


@frozen(kw_only=True)
class ImportedIntentions:
    """What came of an import. `problems` are rows that went wrong only when they were saved, by line."""

    added: tuple[Intention, ...]
    restored: tuple[Intention, ...]
    problems: tuple[tuple[int, str], ...]


def import_rows(checked: Iterable[CheckedRow], *, restore_deleted: bool = False) -> ImportedIntentions:
    """Save what there is to save. Each row stands for itself, and importing again changes nothing."""
    added, restored, problems = [], [], []
    for each in checked:
        try:
            if each.state is RowState.ADD and each.customer_uuid is not None:
                added.append(add_intention(customer_uuid=each.customer_uuid, content_key=each.row.content_key)[0])
            elif each.state is RowState.RESTORE and restore_deleted and each.preview and each.preview.twin:
                restore_intention(each.preview.twin)
                restored.append(each.preview.twin)
        except (IntentionExists, IntentionDeleted):
            continue  # Somebody was quicker.
        except ServiceError as error:
            problems.append((each.line, error.detail))
    check_saved([*added, *restored], asks_lms=False)
    return ImportedIntentions(added=tuple(added), restored=tuple(restored), problems=tuple(problems))


def count_states(checked: Iterable[CheckedRow]) -> dict[RowState, int]:
    """Return how many rows are in each state; also of states in which there are none."""
    counted = Counter(each.state for each in checked)
    return {state: counted[state] for state in RowState}


def write_csv(intentions: Iterable[Intention]) -> str:
    """Return intentions (with `customer` and `health` read) as a file that a spreadsheet opens without running it."""
    return write_table(COLUMNS, map(_cells_of, intentions))


def _cells_of(row: Intention) -> tuple[str, ...]:
    health = getattr(row, "health", None)
    return (
        row.customer.slug,
        row.content_key,
        str(row.customer_id),
        str(row.pk),
        row.content_type,
        "deleted" if row.is_deleted else "living",
        health.reason if health else "",
        row.created.isoformat(),
    )
