"""What the ledger said of one transaction."""

from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState


@frozen(kw_only=True)
class LedgerNews:
    """What the ledger said of one transaction. `source`: answer, event or reconciliation.

    `attempt_uuid`: the attempt whose uuid is the transaction's key, if the key is one of ours.
    """

    uuid: UUID
    subsidy_uuid: UUID
    policy_uuid: UUID | None
    lms_user_id: int | None
    content_key: str | None
    quantity_cents: int
    state: TransactionState
    is_reversed: bool
    created: datetime
    modified: datetime
    source: str
    attempt_uuid: UUID | None = None
