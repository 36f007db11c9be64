"""The rules of enterprise-subsidy: redeeming with all its traps, reversing, depositing. README of its recordings.

What enrolls is handed in (the LMS's bulk call), because the ledger calls the LMS and not the other way round.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from attrs import frozen

from .ledger_rows import LedgerTransaction, Reversal, Subsidy, TransactionState
from .store import Store
from .values import EXECUTIVE_EDUCATION, Course, Run, uuid_for

LOWEST_PRICE_RATIO = 0.8
HIGHEST_PRICE_RATIO = 1.2
LOCKED = "Attempt to lock the Ledger failed, please try again."


class LmsAnswer(StrEnum):
    """How the LMS answers the ledger's next call (`quirks.ledger_lms_answers`), besides a status such as "503"."""

    OK = "ok"
    SLOW = "slow"  # it enrolls, and answers after the ledger gave up
    LOST = "lost"  # the connection breaks before it does anything
    STUCK = "stuck"  # the ledger's worker dies meanwhile: the transaction stays pending
    STUCK_CREATED = "stuck_created"  # it dies before the call: the transaction stays created


class Refused(Exception):
    """422, or 429 without a code."""

    def __init__(self, text: str, *, code: str = "", status: int = 422) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


class WorkerDied(Exception):
    """The worker died: a 500, and the transaction stays as it is."""


@frozen(kw_only=True)
class Enrolled:
    """What the LMS answered the ledger: a fulfillment when it is a success, else its status and text."""

    status: int
    fulfillment: str | None = None
    text: str = ""


@frozen(kw_only=True)
class Content:
    """A run with the price that the catalog asks, in cents; None counts as 0."""

    course: Course
    run: Run
    price: int | None


@frozen(kw_only=True)
class Request:
    """A redemption as it was asked for."""

    lms_user_id: int | None
    content_key: str
    policy_uuid: UUID
    metadata: dict[str, Any]
    idempotency_key: str | None = None
    requested_price: int | None = None


Enroll = Callable[[UUID], Enrolled]


# -- accounts ---------------------------------------------------------------------------------------------------------


def add_subsidy(
    world: Store,
    *,
    customer_uuid: UUID,
    title: str = "Learner credit",
    starting_balance: int = 1_000_000,
    uuid: UUID | None = None,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    is_deleted: bool = False,
) -> Subsidy:
    """Add an account, active for a year unless dated, with its first deposit."""
    now = world.now()
    subsidy = Subsidy(
        uuid=uuid or uuid_for("subsidy", customer_uuid, title),
        customer_uuid=customer_uuid,
        title=title,
        starts_at=starts_at or world.seeded_at - timedelta(days=90),
        expires_at=expires_at or world.seeded_at + timedelta(days=275),
        reference_id=f"00k{uuid_for('reference', title).hex[:15]}",
        created_at=now,
        is_deleted=is_deleted,
    )
    world.put("subsidy added", subsidy)
    if starting_balance:
        key = f"ledger-for-subsidy-{subsidy.uuid}-{starting_balance}-initial-deposit"
        _deposit(world, subsidy, quantity=starting_balance, idempotency_key=key)
    return subsidy


def transactions_of(world: Store, subsidy_uuid: UUID) -> list[LedgerTransaction]:
    """Return the transactions of an account, oldest first."""
    return world.tables.ledger_transactions.where(subsidy=subsidy_uuid)


def balance_of(world: Store, subsidy_uuid: UUID) -> int:
    """Return the balance: everything that is not failed counts, created and pending ones too."""
    rows = [row for row in transactions_of(world, subsidy_uuid) if row.state is not TransactionState.FAILED]
    return sum(row.quantity + (row.reversal.quantity if row.reversal and row.is_reversed else 0) for row in rows)


def deposits_of(world: Store, subsidy_uuid: UUID) -> list[LedgerTransaction]:
    return [row for row in transactions_of(world, subsidy_uuid) if row.quantity > 0]


def deposit(world: Store, subsidy: Subsidy, *, quantity: int, idempotency_key: str) -> LedgerTransaction:
    """Add value. Raises Refused for a key that was used: the row is written already, and never returned again."""
    old = _by_key(world, subsidy, idempotency_key)
    if old is not None:
        text = f"(1062, \"Duplicate entry '{old.uuid.hex}' for key 'transaction_id'\")"
        raise Refused(text, code="deposit_creation_error")
    return _deposit(world, subsidy, quantity=quantity, idempotency_key=idempotency_key)


def _deposit(world: Store, subsidy: Subsidy, *, quantity: int, idempotency_key: str) -> LedgerTransaction:
    now = world.now()
    row = LedgerTransaction(
        uuid=uuid_for("deposit", subsidy.uuid, idempotency_key),
        subsidy_uuid=subsidy.uuid,
        idempotency_key=idempotency_key,
        quantity=quantity,
        state=TransactionState.COMMITTED,
        created_at=now,
        modified_at=now,
    )
    world.put("value deposited", row)
    return row


# -- redeeming --------------------------------------------------------------------------------------------------------


def successful(
    world: Store, subsidy: Subsidy, *, lms_user_id: int | None, content_key: str
) -> LedgerTransaction | None:
    """Return the committed, unreversed transaction of a learner and a key, which is compared literally."""
    for row in transactions_of(world, subsidy.uuid):
        is_same = row.lms_user_id is not None and (row.lms_user_id, row.content_key) == (lms_user_id, content_key)
        if is_same and row.state is TransactionState.COMMITTED and not row.is_reversed:
            return row
    return None


def redeem(
    world: Store, subsidy: Subsidy, *, request: Request, content: Content | None, enroll: Enroll
) -> tuple[LedgerTransaction, bool]:
    """Redeem; return the transaction, and whether it was written or taken up. Raises Refused or WorkerDied."""
    if not subsidy.is_active(world.now()):
        raise Refused("Cannot create a transaction in an inactive subsidy", code="inactive_subsidy_creation_error")
    old = successful(world, subsidy, lms_user_id=request.lms_user_id, content_key=request.content_key)
    if old is not None:
        return old, False
    if content is None:
        raise Refused("The given content_key is not in any catalog for this customer.", code="content_not_found")
    price = _price(content, request)
    _check_lock(world, subsidy)
    if balance_of(world, subsidy.uuid) < price:
        raise Refused("Transaction was None after attempting to redeem", code="transaction_creation_error")
    world.ledger_locks.hold(subsidy.uuid, now=world.now())
    row = _by_key(world, subsidy, _key(subsidy, request, price)) or _new(world, subsidy, request, content, price)
    redeemed = _fulfill(world, row, content=content, enroll=enroll)
    world.ledger_locks.release(subsidy.uuid)
    if isinstance(redeemed, Refused):
        raise redeemed
    return redeemed, True


def _price(content: Content, request: Request) -> int:
    price = content.price or 0
    if not request.requested_price:
        return price
    if not LOWEST_PRICE_RATIO * price <= request.requested_price <= HIGHEST_PRICE_RATIO * price:
        text = (
            f"['Requested price {request.requested_price} for {request.content_key} outside of acceptable interval"
            f" on canonical course price of {price}.']"
        )
        raise Refused(text, code="invalid_requested_price")
    return request.requested_price


def _check_lock(world: Store, subsidy: Subsidy) -> None:
    """Nobody waits for the lock of a ledger."""
    if world.quirks.ledger_locks > 0:
        world.quirks.ledger_locks -= 1
        raise Refused(LOCKED, status=429)
    if world.ledger_locks.is_held(subsidy.uuid, now=world.now()):
        raise Refused(LOCKED, status=429)


def _key(subsidy: Subsidy, request: Request, price: int) -> str:
    if request.idempotency_key:
        return request.idempotency_key
    parts = (request.lms_user_id, request.content_key, request.policy_uuid)
    return f"ledger-for-subsidy-{subsidy.uuid}-{-price}-{uuid_for('key', *parts).hex}"


def _by_key(world: Store, subsidy: Subsidy, key: str) -> LedgerTransaction | None:
    return world.tables.ledger_transactions.first(key=(subsidy.uuid, key))


def _new(world: Store, subsidy: Subsidy, request: Request, content: Content, price: int) -> LedgerTransaction:
    now, number = world.now(), len(world.tables.ledger_transactions)
    user = world.tables.users.first(id=request.lms_user_id)
    key = _key(subsidy, request, price)
    return LedgerTransaction(
        uuid=uuid_for("transaction", subsidy.uuid, key, number),
        subsidy_uuid=subsidy.uuid,
        idempotency_key=key,
        quantity=-price,
        state=TransactionState.CREATED,
        created_at=now,
        modified_at=now,
        lms_user_id=request.lms_user_id,
        lms_user_email=user.email if user else None,
        content_key=request.content_key,
        parent_content_key=content.course.key,
        content_title=content.course.title,
        course_run_start=content.run.start,
        policy_uuid=request.policy_uuid,
        metadata=json.dumps(request.metadata),
    )


def _fulfill(world: Store, row: LedgerTransaction, *, content: Content, enroll: Enroll) -> LedgerTransaction | Refused:
    """Enroll through the LMS and commit; or mark the transaction as failed, whatever the LMS did meanwhile."""
    answers = world.quirks.ledger_lms_answers
    how = answers.pop(0) if answers else LmsAnswer.OK
    row = put_state(world, row, TransactionState.CREATED)
    if how == LmsAnswer.STUCK_CREATED:
        raise WorkerDied
    row = put_state(world, row, TransactionState.PENDING)
    if how == LmsAnswer.STUCK:
        raise WorkerDied
    if content.course.course_type == EXECUTIVE_EDUCATION:
        what = f"GEAG transaction Transaction object ({row.uuid})"
        text = f"Missing variant_id needed for {what}, not attempting fulfillment"
        return _failed(world, row, text, code="fulfillment_error")
    enrolled = _enroll(how, row, enroll)
    if enrolled.status >= 400:
        subsidy = world.tables.subsidies.get(row.subsidy_uuid)
        text = _error_text(enrolled.status, subsidy.customer_uuid if subsidy else None)
        return _failed(world, row, text, code="enrollment_error")
    if enrolled.fulfillment is None:
        return _failed(world, row, enrolled.text, code="transaction_creation_error")
    return put_state(world, row, TransactionState.COMMITTED, fulfillment_identifier=enrolled.fulfillment)


def _enroll(how: str, row: LedgerTransaction, enroll: Enroll) -> Enrolled:
    if how.isdigit():
        return Enrolled(status=int(how))
    if how == LmsAnswer.LOST:
        return Enrolled(status=0, text="('Connection aborted.', RemoteDisconnected('Remote end closed connection'))")
    enrolled = enroll(row.uuid)
    return Enrolled(status=0, text="Read timed out. (read timeout=20)") if how == LmsAnswer.SLOW else enrolled


def _error_text(status: int, customer_uuid: UUID | None) -> str:
    names = {400: "Bad Request", 409: "Conflict", 500: "Internal Server Error", 503: "Service Unavailable"}
    side = "Client" if status < 500 else "Server"
    path = f"enterprise/api/v1/enterprise-customer/{customer_uuid}/enroll_learners_in_courses/"
    return f"{status} {side} Error: {names.get(status, 'Error')} for url: https://lms.example.com/{path}"


def _failed(world: Store, row: LedgerTransaction, text: str, *, code: str) -> Refused:
    put_state(world, row, TransactionState.FAILED)
    return Refused(text, code=code)


def put_state(world: Store, row: LedgerTransaction, state: TransactionState, **about: Any) -> LedgerTransaction:
    """Store a transaction in a state; the bus tells of it."""
    changed = attrs.evolve(row, state=state, modified_at=world.now(), **about)
    world.put(f"transaction {state}", changed)
    return changed


# -- reversing --------------------------------------------------------------------------------------------------------


def reverse(world: Store, row: LedgerTransaction) -> LedgerTransaction:
    """Give the money back, as the service does after an unenrollment in time. A reversed transaction stays as it is."""
    if row.reversal is not None:
        return row
    now = world.now()
    reversal = Reversal(
        uuid=uuid_for("reversal", row.uuid),
        state=TransactionState.COMMITTED,
        idempotency_key=f"unenrollment-reversal-{row.fulfillment_identifier}-{now.isoformat()}",
        quantity=-row.quantity,
        created_at=now,
    )
    reversed_row = attrs.evolve(row, reversal=reversal, modified_at=now)
    world.put("transaction reversed", reversed_row)
    return reversed_row
