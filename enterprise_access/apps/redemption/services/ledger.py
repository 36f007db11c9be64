"""Asking enterprise-subsidy about attempts: calling, listing, and telling what an answer means."""

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from enterprise_access.apps.redemption.domain.settling import LedgerCall
from enterprise_access.apps.redemption.domain.transactions import Transaction
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.services import LedgerNews
from enterprise_access.apps.subsidy_access_policies.services.transactions import ANSWER, as_news
from enterprise_access.lib.errors import UpstreamError, UpstreamReason
from enterprise_access.lib.keys import same_key
from enterprise_access.upstream import subsidy
from enterprise_access.upstream.subsidy.types import LedgerTransaction

# Failures before anything was sent: a call that did not take place, unlike one without an answer.
_NOT_SENT: Final = frozenset({UpstreamReason.CIRCUIT_OPEN, UpstreamReason.AUTHENTICATION})
_BAD_REQUEST: Final = 400
_NOT_OURS: Final = 401


@frozen(kw_only=True)
class Called:
    """What a call to the ledger brought. `row`: the transaction in the answer, as the client read it."""

    call: LedgerCall
    row: LedgerTransaction | None = None


def call_ledger(attempt: RedemptionAttempt) -> Called:
    """Ask the ledger to redeem, once. A lost answer is an outcome, too; nothing is raised."""
    client = subsidy.from_settings()
    if client is None or attempt.lms_user_id is None or attempt.amount is None:
        return Called(call=LedgerCall(status=_NOT_OURS))
    metadata = {**attempt.metadata, **({"allow_late_enrollment": True} if attempt.allow_late else {})}
    try:
        answer = client.redeem(
            subsidy_uuid=attempt.subsidy_uuid,
            policy_uuid=attempt.policy_id,
            lms_user_id=attempt.lms_user_id,
            content_key=attempt.content_key,
            idempotency_key=str(attempt.uuid),
            # The ledger takes 0 for "not given", and charges the full price.
            requested_price_cents=attempt.amount or None,
            metadata=metadata or None,
        )
    except UpstreamError as error:
        return Called(call=LedgerCall(status=_status_of(error)))
    transaction = None if answer.transaction is None else transaction_of(answer.transaction)
    return Called(
        call=LedgerCall(status=answer.status, code=answer.code, transaction=transaction), row=answer.transaction
    )


def _status_of(error: UpstreamError) -> int | None:
    """Return the status that the rules decide by; None = no answer, and it may have happened."""
    if error.may_have_happened:
        return None
    if error.reason is UpstreamReason.REFUSED_LOCALLY:
        return _BAD_REQUEST
    if error.reason in _NOT_SENT or error.reason is UpstreamReason.CONNECTION or error.reason is UpstreamReason.TIMEOUT:
        # Nothing was sent.
        return _NOT_OURS
    if error.reason is UpstreamReason.LOCKED:
        return 429
    return error.status


def list_run(attempt: RedemptionAttempt) -> list[LedgerTransaction] | None:
    """Return every transaction of the attempt's learner and run; None when the list is not known as a whole."""
    client = subsidy.from_settings()
    if client is None or attempt.lms_user_id is None:
        return None
    try:
        rows = client.list_transactions(subsidy_uuid=attempt.subsidy_uuid, lms_user_id=attempt.lms_user_id)
    except UpstreamError:
        return None
    return None if rows.unreadable else _of_run(attempt, rows)


def _of_run(attempt: RedemptionAttempt, rows: Iterable[LedgerTransaction]) -> list[LedgerTransaction] | None:
    found = [row for row in rows if row.content_key is not None and same_key(row.content_key, attempt.content_key)]
    # In a state that is new to us, a transaction proves nothing, and neither does the list.
    return None if any(transaction_of(row) is None for row in found) else found


def transaction_of(row: LedgerTransaction) -> Transaction | None:
    """Return a transaction as the rules know it; None when its state is new to us."""
    if row.state not in {state.value for state in TransactionState}:
        return None
    return Transaction(
        uuid=row.uuid,
        lms_user_id=row.lms_user_id,
        content_key=row.content_key,
        state=TransactionState(row.state),
        reversal_state=None if row.reversal is None else row.reversal.state,
        idempotency_key=row.idempotency_key,
    )


def news_of(row: LedgerTransaction, attempt: RedemptionAttempt) -> LedgerNews:
    """Return what the ledger said of a transaction in a state that we know, for the budget."""
    return next(iter(as_news([row], subsidy_uuid=attempt.subsidy_uuid, source=ANSWER)))
