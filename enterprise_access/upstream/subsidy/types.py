"""What enterprise-subsidy tells us, as values. Money is in cents."""

from datetime import datetime
from uuid import UUID

import attrs

from enterprise_access.lib.structure import Fields, field, text


@attrs.frozen(kw_only=True)
class SubsidyRecord:
    """An account of a customer. `balance_cents` counts created and pending transactions as spent.

    Its own `is_active` is not read: whether an account is active is our rule, from its two dates.
    """

    uuid: UUID
    title: str = ""
    customer_uuid: UUID = field("enterprise_customer_uuid")
    starts_at: datetime | None = field("active_datetime")
    expires_at: datetime | None = field("expiration_datetime")
    balance_cents: int = field("current_balance")
    deposits_cents: int = field("total_deposits")


@attrs.frozen(kw_only=True)
class Reversal:
    """Money that was given back, or is about to be."""

    uuid: UUID
    state: str
    quantity_cents: int = field("quantity")


@attrs.frozen(kw_only=True)
class LedgerTransaction:
    """Money in or out of an account; out is negative. A deposit has neither learner nor content.

    `state` is created, pending, committed or failed, or one that is new to us.
    """

    uuid: UUID
    state: str
    idempotency_key: str
    lms_user_id: int | None
    content_key: str | None
    quantity_cents: int = field("quantity")
    policy_uuid: UUID | None = field("subsidy_access_policy_uuid")
    fulfillment_identifier: str | None
    created: datetime
    modified: datetime
    reversal: Reversal | None


@attrs.frozen(kw_only=True)
class RedeemAnswer:
    """What the ledger answered to a redemption: a transaction (200, 201), or the code of a refusal (422)."""

    status: int
    transaction: LedgerTransaction | None = None
    code: str | None = None


@attrs.frozen(kw_only=True)
class DepositRecord:
    """Money that was added to an account."""

    uuid: UUID
    transaction_uuid: UUID = field("transaction")
    quantity_cents: int = field("desired_deposit_quantity")


def read_code(value: object) -> str | None:
    """Return the code of a refusal; None where it has none."""
    return Fields(value).optional("code", text)
