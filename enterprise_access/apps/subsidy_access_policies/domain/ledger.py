"""Our copies of the ledger's transactions, and how news about one is merged into its copy."""

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import evolve, frozen


class TransactionState(StrEnum):
    """The ledger's states. `failed` is not final: the ledger takes a failed transaction up again by its key."""

    CREATED = "created"
    PENDING = "pending"
    COMMITTED = "committed"
    FAILED = "failed"


RUNNING: Final = frozenset({TransactionState.CREATED, TransactionState.PENDING})

# Which of two reports with the same instant is the later one. Any fixed order does; this one follows the ledger.
_PROGRESS: Final = (TransactionState.CREATED, TransactionState.PENDING, TransactionState.FAILED)


@frozen(kw_only=True)
class TransactionCopy:
    """What we know of one transaction: its state, whether its reversal is committed, and the ledger's `modified`."""

    state: TransactionState
    is_reversed: bool
    modified: datetime

    @property
    def is_success(self) -> bool:
        """Whether the money is spent for good: committed, and not given back."""
        return self.state is TransactionState.COMMITTED and not self.is_reversed


def merge_copy(have: TransactionCopy | None, news: TransactionCopy) -> TransactionCopy:
    """Return the copy that both reports make together. Order and repetition of reports do not matter.

    A committed reversal ends a transaction, committed overrides everything before it, and of the other states the
    ledger's latest counts.
    """
    first = _settled(news)
    if have is None:
        return first
    latest = max(have.modified, first.modified)
    if have.is_reversed or first.is_reversed:
        return TransactionCopy(state=TransactionState.COMMITTED, is_reversed=True, modified=latest)
    if TransactionState.COMMITTED in (have.state, first.state):
        return TransactionCopy(state=TransactionState.COMMITTED, is_reversed=False, modified=latest)
    return max(have, first, key=lambda copy: (copy.modified, _PROGRESS.index(copy.state)))


def _settled(news: TransactionCopy) -> TransactionCopy:
    """Only committed transactions are reversed, and a reversed one stays so when its key is taken up again."""
    return evolve(news, state=TransactionState.COMMITTED) if news.is_reversed else news


@frozen(kw_only=True)
class LedgerEntry:
    """One transaction as the budget counts it.

    `quantity_cents` is negative for spending. `seen_at` is when our record of it was written. `policy_uuid` and
    `lms_user_id` are None for deposits and for what other tools wrote.
    """

    uuid: UUID
    policy_uuid: UUID | None
    lms_user_id: int | None
    quantity_cents: int
    state: TransactionState
    is_reversed: bool
    seen_at: datetime

    @property
    def spent_cents(self) -> int:
        """What it takes out of the account."""
        return max(0, -self.quantity_cents)

    @property
    def is_redemption(self) -> bool:
        """Whether it pays for something. A deposit does not."""
        return self.quantity_cents <= 0

    @property
    def is_success(self) -> bool:
        return self.state is TransactionState.COMMITTED and not self.is_reversed

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING and not self.is_reversed
