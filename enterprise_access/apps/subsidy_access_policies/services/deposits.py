"""Adding money to the account of a budget: the row first, then the call by a worker, then the spend limit.

The ledger's deposit cannot be repeated. A call whose outcome is unknown is settled by looking for the deposit in the
ledger's list, by its key, and is never sent a second time by itself.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F

from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.errors import DepositInvalid
from enterprise_access.apps.subsidy_access_policies.models import Deposit, DepositState, Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.accounts import refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.announcing import Change
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import lock_account
from enterprise_access.apps.subsidy_access_policies.services.policies.saving import By, save_policy
from enterprise_access.apps.subsidy_access_policies.services.transactions import ANSWER, record_rows
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import leases, waking
from enterprise_access.lib.work.leases import Lease, Settlement
from enterprise_access.lib.work.queues import BackOff, Queue
from enterprise_access.upstream import subsidy as subsidy_service
from enterprise_access.upstream.subsidy.client import SubsidyClient
from enterprise_access.upstream.subsidy.types import LedgerTransaction

log = logging.getLogger(__name__)

DEPOSIT_JOB: Final = "subsidy_access_policies.deposit"
MAX_DEPOSIT_CENTS: Final = 10**13

NOT_IN_LEDGER: Final = "not_in_ledger"
UNAVAILABLE: Final = "ledger_unavailable"
NOT_SETTLED: Final = "not_settled"
# What was sent and is not listed after so many looks (about an hour) needs attention.
MAX_LOOKS: Final = 8

QUEUE: Final = Queue(
    name="subsidy_access_policies.deposits",
    model=Deposit,
    job=DEPOSIT_JOB,
    back_off=BackOff(first=timedelta(seconds=30), last=timedelta(minutes=30)),
    max_failures=MAX_LOOKS,
)

# The ledger refused to look at the call, and wrote nothing.
_NOT_LOOKED_AT: Final = frozenset(
    {UpstreamReason.AUTHENTICATION, UpstreamReason.FORBIDDEN, UpstreamReason.NOT_FOUND, UpstreamReason.THROTTLED}
)
_UNPROCESSABLE: Final = 422


def add_deposit(
    *,
    policy: SubsidyAccessPolicy,
    amount_cents: int,
    sales_contract_reference_id: str,
    sales_contract_reference_provider: str,
    by: By,
) -> Deposit:
    """Note a deposit; a worker makes it in a moment. Raises DepositInvalid."""
    if not 0 < amount_cents <= MAX_DEPOSIT_CENTS:
        raise DepositInvalid("A deposit is between one cent and a hundred billion dollars.")
    if policy.retired or not policy.active:
        raise DepositInvalid("This budget has ended. Add the deposit to another budget of the account.")
    return _written(
        Deposit(
            policy=policy,
            amount=amount_cents,
            sales_contract_reference_id=sales_contract_reference_id,
            sales_contract_reference_provider=sales_contract_reference_provider,
            actor=by.user if getattr(by.user, "pk", None) else None,
            due_at=clock.now(),
        )
    )


@retry_deadlocks
def _written(deposit: Deposit) -> Deposit:
    deposit.save(force_insert=True)
    waking.wake(QUEUE)
    return deposit


def work_on_deposits(*, limit: int) -> int:
    """Make the deposits that are due, and settle those whose outcome is unknown; return how many were worked on."""

    def one_round(_: Any, size: int) -> int:
        with leases.claim(QUEUE, limit=min(limit, size)) as lease:
            for deposit in lease.items:
                _work_on(lease, deposit)
            return len(lease.items)

    return waking.work(QUEUE, one_round, limit=limit)


def _work_on(lease: Lease[Deposit], deposit: Deposit) -> None:
    client = subsidy_service.from_settings()
    if client is None:
        leases.postpone(lease, [deposit], waiting_for=UNAVAILABLE, is_blamed=False)
        return
    lease.renew()
    if deposit.state == DepositState.PENDING:
        _send(lease, client, deposit)
    else:
        _look(lease, client, deposit)


def _send(lease: Lease[Deposit], client: SubsidyClient, deposit: Deposit) -> None:
    """Send a deposit once. That it may have been sent is committed before the call."""
    if not _mark_as_sent(lease, deposit):
        return
    try:
        client.deposit(
            subsidy_uuid=deposit.policy.subsidy_id,
            quantity_cents=deposit.amount,
            idempotency_key=str(deposit.pk),
            sales_contract_reference_id=deposit.sales_contract_reference_id,
            sales_contract_reference_provider=deposit.sales_contract_reference_provider,
        )
    except UpstreamError as error:
        _note_failure(lease, deposit, error)
        return
    # The answer names no key and no instants: the list has the row as our copies need it.
    _look(lease, client, deposit)


@retry_deadlocks
def _mark_as_sent(lease: Lease[Deposit], deposit: Deposit) -> bool:
    """Note that a deposit is about to be sent; False when another worker has taken it over."""
    now = clock.now()
    rows = Deposit.objects.held_by(lease.token).filter(pk=deposit.pk, state=DepositState.PENDING)
    deposit.state, deposit.sent_at = DepositState.SENT, now
    return bool(rows.update(state=DepositState.SENT, sent_at=now))


def _note_failure(lease: Lease[Deposit], deposit: Deposit, error: UpstreamError) -> None:
    log.warning("A deposit was not confirmed. deposit=%s reason=%s", deposit.pk, error.reason)
    is_refused = isinstance(error, UpstreamRefused)
    if error.reason in _NOT_LOOKED_AT or (not is_refused and not error.may_have_happened):
        _return_to_pending(deposit)
        leases.postpone(lease, [deposit], waiting_for=UNAVAILABLE, is_blamed=False)
    elif is_refused and error.status != _UNPROCESSABLE:
        columns = {"state": DepositState.REFUSED.value, "error": error.reason.value}
        leases.settle(lease, [Settlement(item=deposit, columns=columns)])
    else:
        # A 422 is also the answer to a key that the ledger has already.
        leases.postpone(lease, [deposit], waiting_for=NOT_SETTLED, is_blamed=True)


@retry_deadlocks
def _return_to_pending(deposit: Deposit) -> None:
    Deposit.objects.filter(pk=deposit.pk, state=DepositState.SENT).update(state=DepositState.PENDING, sent_at=None)


def _look(lease: Lease[Deposit], client: SubsidyClient, deposit: Deposit) -> None:
    """Look for a deposit in the ledger's list, from the newest down to when it was sent."""
    try:
        row = _find(client, deposit)
    except UpstreamError as error:
        log.warning("A deposit could not be looked for. deposit=%s reason=%s", deposit.pk, error.reason)
        leases.postpone(lease, [deposit], waiting_for=UNAVAILABLE, is_blamed=False)
        return
    if row is None:
        leases.postpone(lease, [deposit], waiting_for=NOT_IN_LEDGER, is_blamed=True)
        return
    _record_deposit(deposit, row, now=clock.now())
    columns = {"state": DepositState.DEPOSITED.value, "transaction_uuid": row.uuid, "error": ""}
    leases.settle(lease, [Settlement(item=deposit, columns=columns)])
    refresh_accounts([deposit.policy.subsidy_id], max_age=timedelta(0), now=clock.now())


def _find(client: SubsidyClient, deposit: Deposit) -> LedgerTransaction | None:
    # The clocks of both services may differ by some minutes.
    since = (deposit.sent_at or deposit.created) - timedelta(hours=1)
    for page in client.iterate_transactions(subsidy_uuid=deposit.policy.subsidy_id):
        for row in page.rows:
            if row.idempotency_key == str(deposit.pk) and row.state == TransactionState.COMMITTED:
                return row
        if any(row.created < since for row in page.rows):
            break
    return None


@retry_deadlocks
def _record_deposit(deposit: Deposit, row: LedgerTransaction, *, now: datetime) -> None:
    """Copy the transaction of a deposit, and raise the budget's spend limit by it: once, in one transaction."""
    subsidy_uuid: UUID = deposit.policy.subsidy_id
    lock_account(subsidy_uuid)
    fresh = Deposit.objects.select_related("policy", "actor").get(pk=deposit.pk)
    if fresh.transaction_uuid is not None:
        return
    Deposit.objects.filter(pk=fresh.pk).update(
        transaction_uuid=row.uuid, state=DepositState.DEPOSITED, error="", modified=now
    )
    record_rows(Rows([row]), subsidy_uuid=subsidy_uuid, source=ANSWER)
    deposits = Subsidy.objects.filter(pk=subsidy_uuid, total_deposits__isnull=False)
    deposits.update(total_deposits=F("total_deposits") + row.quantity_cents)
    policy = fresh.policy
    if policy.spend_limit is not None:
        policy.spend_limit += row.quantity_cents
        reason = f"Deposit {fresh.sales_contract_reference_id}"
        save_policy(policy, change=Change.UPDATED, by=By(user=fresh.actor, reason=reason), now=now)


@retry_deadlocks
def send_again(*, deposit: Deposit) -> bool:
    """Let a deposit that failed, and that the ledger does not list, be sent again with the same key; say whether it is.

    For staff who have looked into the ledger. The ledger refuses a key that it has, so this cannot add money twice.
    """
    rows = Deposit.objects.filter(pk=deposit.pk, failed_at__isnull=False, state=DepositState.SENT)
    columns = {"state": DepositState.PENDING, "failed_at": None, "failures": 0, "waiting_for": "", "sent_at": None}
    changed = rows.update(due_at=clock.now(), generation=F("generation") + 1, **columns)
    if changed:
        waking.wake(QUEUE)
    return bool(changed)


def is_due() -> bool:
    """Say whether any deposit waits for a worker."""
    return waking.is_anything_due(QUEUE)


def ask_for_work() -> None:
    """Tell a worker that deposits are due."""
    waking.wake(QUEUE)
