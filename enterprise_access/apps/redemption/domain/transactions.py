"""A learner's transactions for a run: which one answers a redemption, and what a redeem call begins with."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.ledger import RUNNING, TransactionState
from enterprise_access.lib.keys import same_key


@frozen(kw_only=True)
class Transaction:
    """One transaction as the ledger tells it. `reversal_state` None: it has no reversal."""

    uuid: UUID
    lms_user_id: int | None
    content_key: str | None
    state: TransactionState
    reversal_state: str | None = None
    idempotency_key: str | None = None

    @property
    def is_reversed(self) -> bool:
        """Whether the money was given back. A reversal that is not committed changes nothing."""
        return self.reversal_state == TransactionState.COMMITTED.value

    @property
    def is_success(self) -> bool:
        return self.state is TransactionState.COMMITTED and not self.is_reversed

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING

    def is_for(self, *, lms_user_id: int, run_key: str) -> bool:
        """Say whether it pays for this run for this learner. Keys may differ in case only."""
        return self.lms_user_id == lms_user_id and self.content_key is not None and same_key(self.content_key, run_key)


@frozen(kw_only=True)
class ExistingRedemption:
    """The transaction that answers, if any, and everything that is shown."""

    transaction: Transaction | None
    redemptions: tuple[Transaction, ...]


def existing_redemption(*, lms_user_id: int, run_key: str, transactions: Iterable[Transaction]) -> ExistingRedemption:
    """Return the learner's successful redemption of a run, and all that are shown: failed ones are not."""
    own = [one for one in transactions if one.is_for(lms_user_id=lms_user_id, run_key=run_key)]
    return ExistingRedemption(
        transaction=next((one for one in own if one.is_success), None),
        redemptions=tuple(one for one in own if one.state is not TransactionState.FAILED),
    )


class AttemptState(StrEnum):
    """What became of a try to redeem."""

    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    COMMITTED = "committed"
    REFUSED = "refused"
    DEAD = "dead"

    @property
    def is_open(self) -> bool:
        """Whether money is held for it and no other attempt of the learner and run may begin."""
        return self in (AttemptState.SENDING, AttemptState.IN_DOUBT, AttemptState.DEAD)


@frozen(kw_only=True)
class Attempt:
    """One try to redeem."""

    uuid: UUID
    lms_user_id: int
    run_key: str
    state: AttemptState


class BeginAction(StrEnum):
    """What a redeem call does first."""

    ANSWER = "answer"
    """Answer with the transaction that exists."""
    JOIN = "join"
    """Wait for the outcome of the attempt that is open."""
    NEW = "new"
    """Read the facts and ask `can_redeem`."""


@frozen(kw_only=True)
class Beginning:
    """What to do first, and the uuid of that transaction or attempt."""

    action: BeginAction
    uuid: UUID | None = None


def begin(
    *, lms_user_id: int, run_key: str, attempts: Collection[Attempt], transactions: Collection[Transaction]
) -> Beginning:
    """Say what a redeem call begins with. A learner has one open attempt for a run, whatever policy it names."""
    existing = existing_redemption(lms_user_id=lms_user_id, run_key=run_key, transactions=transactions)
    if existing.transaction is not None:
        return Beginning(action=BeginAction.ANSWER, uuid=existing.transaction.uuid)
    for attempt in attempts:
        if attempt.state.is_open and attempt.lms_user_id == lms_user_id and same_key(attempt.run_key, run_key):
            return Beginning(action=BeginAction.JOIN, uuid=attempt.uuid)
    return Beginning(action=BeginAction.NEW)
