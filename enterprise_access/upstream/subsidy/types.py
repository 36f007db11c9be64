"""What enterprise-subsidy tells us, as values. Money is in cents."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, instant, integer, text, uuid


@attrs.frozen
class Subsidy:
    """An account of a customer. `balance_cents` counts created and pending transactions as spent.

    Its own `is_active` is not read: whether an account is active is our rule, from its two dates.
    """

    uuid: UUID
    title: str
    customer_uuid: UUID
    starts_at: datetime | None
    expires_at: datetime | None
    balance_cents: int
    deposits_cents: int


@attrs.frozen
class Reversal:
    """Money that was given back, or is about to be."""

    uuid: UUID
    state: str
    quantity_cents: int


@attrs.frozen
class LedgerTransaction:
    """Money in or out of an account; out is negative. A deposit has neither learner nor content.

    `state` is created, pending, committed or failed, or one that is new to us.
    """

    uuid: UUID
    state: str
    idempotency_key: str
    lms_user_id: int | None
    content_key: str | None
    quantity_cents: int
    policy_uuid: UUID | None
    fulfillment_identifier: str | None
    created: datetime
    modified: datetime
    reversal: Reversal | None


@attrs.frozen
class RedeemAnswer:
    """What the ledger answered to a redemption: a transaction (200, 201), or the code of a refusal (422)."""

    status: int
    transaction: LedgerTransaction | None = None
    code: str | None = None


@attrs.frozen
class Deposit:
    """Money that was added to an account."""

    uuid: UUID
    transaction_uuid: UUID
    quantity_cents: int


def read_subsidy(value: object) -> Subsidy:
    row = Fields(value)
    return Subsidy(
        uuid=row.need("uuid", uuid),
        title=row.nullable("title", text) or "",
        customer_uuid=row.need("enterprise_customer_uuid", uuid),
        starts_at=row.nullable("active_datetime", instant),
        expires_at=row.nullable("expiration_datetime", instant),
        balance_cents=row.need("current_balance", integer),
        deposits_cents=row.need("total_deposits", integer),
    )


def read_transaction(value: object) -> LedgerTransaction:
    row = Fields(value)
    return LedgerTransaction(
        uuid=row.need("uuid", uuid),
        state=row.need("state", text),
        idempotency_key=row.need("idempotency_key", text),
        lms_user_id=row.nullable("lms_user_id", integer),
        content_key=row.nullable("content_key", text),
        quantity_cents=row.need("quantity", integer),
        policy_uuid=row.nullable("subsidy_access_policy_uuid", uuid),
        fulfillment_identifier=row.nullable("fulfillment_identifier", text),
        created=row.need("created", instant),
        modified=row.need("modified", instant),
        reversal=row.nullable("reversal", read_reversal),
    )


def read_reversal(value: object) -> Reversal:
    row = Fields(value)
    return Reversal(
        uuid=row.need("uuid", uuid), state=row.need("state", text), quantity_cents=row.need("quantity", integer)
    )


def read_deposit(value: object) -> Deposit:
    row = Fields(value)
    return Deposit(
        uuid=row.need("uuid", uuid),
        transaction_uuid=row.need("transaction", uuid),
        quantity_cents=row.need("desired_deposit_quantity", integer),
    )


def read_code(value: object) -> str | None:
    return Fields(value).optional("code", text)
