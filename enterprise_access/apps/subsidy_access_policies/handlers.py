"""What budgets do with events: transactions of the ledger are copied."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from openedx_events.enterprise.signals import (
    LEDGER_TRANSACTION_COMMITTED,
    LEDGER_TRANSACTION_CREATED,
    LEDGER_TRANSACTION_FAILED,
    LEDGER_TRANSACTION_REVERSED,
)

from enterprise_access.apps.subsidy_access_policies import services
from enterprise_access.events.handling import Event, handles


@handles(
    LEDGER_TRANSACTION_CREATED, LEDGER_TRANSACTION_COMMITTED, LEDGER_TRANSACTION_FAILED, LEDGER_TRANSACTION_REVERSED
)
def take_over(events: Sequence[Event]) -> None:
    """Copy the transactions of our budgets; what other tools do elsewhere is left to reconciliation."""
    services.record_told(list(_told(events)))


def _told(events: Sequence[Event]) -> Iterator[services.ToldTransaction]:
    for event in events:
        row = event.data["ledger_transaction"]
        yield services.ToldTransaction(
            uuid=row.uuid,
            policy_uuid=_uuid_or_none(row.subsidy_access_policy_uuid),
            lms_user_id=row.lms_user_id,
            content_key=str(row.content_key) if row.content_key else None,
            quantity_cents=row.quantity,
            state=row.state,
            reversal_state=row.reversal.state if row.reversal else None,
            idempotency_key=row.idempotency_key,
            created=row.created,
            modified=row.modified,
        )


def _uuid_or_none(value: Any) -> UUID | None:
    return value if isinstance(value, UUID) else None
