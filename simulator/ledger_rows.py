"""What enterprise-subsidy keeps: accounts, the transactions of their ledgers, and the locks of the ledgers."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from attrs import define, field, frozen

# A lock that a dead worker leaves vanishes with the entry of the cache.
LOCK_TIMEOUT = timedelta(seconds=300)


class TransactionState(StrEnum):
    CREATED = "created"
    PENDING = "pending"
    COMMITTED = "committed"
    FAILED = "failed"


@frozen(kw_only=True)
class Subsidy:
    """An account of a customer. Deleted ones are only marked."""

    uuid: UUID
    customer_uuid: UUID
    title: str
    starts_at: datetime | None
    expires_at: datetime | None
    reference_id: str
    created_at: datetime
    is_deleted: bool = False

    def is_active(self, now: datetime) -> bool:
        """Say what the service says: both ends belong to it."""
        is_started = self.starts_at is None or self.starts_at <= now
        return is_started and (self.expires_at is None or now <= self.expires_at)


@frozen(kw_only=True)
class Reversal:
    uuid: UUID
    state: TransactionState
    idempotency_key: str
    quantity: int
    created_at: datetime


@frozen(kw_only=True)
class LedgerTransaction:
    """Money in or out, in cents; out is negative. A deposit has no learner. `metadata` is JSON text."""

    uuid: UUID
    subsidy_uuid: UUID
    idempotency_key: str
    quantity: int
    state: TransactionState
    created_at: datetime
    modified_at: datetime
    lms_user_id: int | None = None
    lms_user_email: str | None = None
    content_key: str | None = None
    parent_content_key: str | None = None
    content_title: str | None = None
    course_run_start: datetime | None = None
    fulfillment_identifier: str | None = None
    policy_uuid: UUID | None = None
    metadata: str = "{}"
    reversal: Reversal | None = None

    @property
    def is_reversed(self) -> bool:
        return self.reversal is not None and self.reversal.state is TransactionState.COMMITTED


@define
class LedgerLocks:
    """Which ledgers are locked, and until when. Nothing of it outlives a restart."""

    _until: dict[UUID, datetime] = field(factory=dict)

    def hold(self, subsidy_uuid: UUID, *, now: datetime) -> None:
        self._until[subsidy_uuid] = now + LOCK_TIMEOUT

    def release(self, subsidy_uuid: UUID) -> None:
        self._until.pop(subsidy_uuid, None)

    def is_held(self, subsidy_uuid: UUID, *, now: datetime) -> bool:
        until = self._until.get(subsidy_uuid)
        return until is not None and now < until
