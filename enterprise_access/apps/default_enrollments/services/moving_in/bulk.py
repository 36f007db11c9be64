"""Many intentions of one customer at once, while the caller waits."""

from collections.abc import Sequence
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.default_enrollments.services.csv_intentions import (
    CheckedRow,
    Row,
    RowState,
    check_rows,
    import_rows,
)
from enterprise_access.lib.keys import fold

ADDED, RESTORED = "added", "restored"


@frozen(kw_only=True)
class KeyOutcome:
    """The outcome of one key, or what would happen. `detail` says what is wrong, if anything is."""

    checked: CheckedRow
    outcome: str
    detail: str


def add_many(
    *, customer_uuid: UUID, content_keys: Sequence[str], saves: bool, restores: bool = False
) -> list[KeyOutcome]:
    """Check every key, and (`saves`) add what can be added; return the outcome of each, in the order given.

    `restores`: bring back those that were deleted, too. Raises CustomerUnknown for a customer that was never asked for.
    """
    if get_customer(customer_uuid=customer_uuid) is None:
        raise CustomerUnknown(f"No customer {customer_uuid} is known here. Add it in the admin first.")
    name = str(customer_uuid)
    rows = [Row(line=line, customer=name, content_key=key.strip()) for line, key in enumerate(content_keys, start=1)]
    checked = check_rows(rows, customers={name: customer_uuid})
    outcomes = {each.line: (each.state.value, each.problem) for each in checked}
    if saves:
        outcomes |= _save(checked, restores=restores)
    return [KeyOutcome(checked=each, outcome=outcomes[each.line][0], detail=outcomes[each.line][1]) for each in checked]


def _save(checked: Sequence[CheckedRow], *, restores: bool) -> dict[int, tuple[str, str]]:
    """Save, and return the outcome of the rows that there was something to do for, by line."""
    imported = import_rows(checked, restore_deleted=restores)
    done = {intention.content_key_folded: ADDED for intention in imported.added}
    done |= {intention.content_key_folded: RESTORED for intention in imported.restored}
    outcomes = {}
    for each in checked:
        if (outcome := done.get(fold(each.row.content_key))) and each.is_to_do:
            outcomes[each.line] = (outcome, "")
        elif each.state is RowState.ADD:
            outcomes[each.line] = (RowState.EXISTS.value, "")  # Somebody was quicker.
    return outcomes | {line: (RowState.ERROR.value, problem) for line, problem in imported.problems}
