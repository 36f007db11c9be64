"""What budgets know of one learner's money."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from attrs import fields, frozen
from django.db import models
from django.db.models import QuerySet

from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy, SubsidyTransaction
from enterprise_access.lib.prepared import Prepared, Read

# The rows that selectors and services return, for annotations of the apps above.
Policy: TypeAlias = SubsidyAccessPolicy
Account: TypeAlias = Subsidy


@frozen(kw_only=True)
class LearnerTransaction:
    """Our copy of a transaction of one learner. `quantity_cents` is negative for spending."""

    uuid: UUID
    subsidy_uuid: UUID
    customer_uuid: UUID
    policy_uuid: UUID | None
    lms_user_id: int
    content_key: str
    quantity_cents: int
    state: TransactionState
    is_reversed: bool
    reversed_at: datetime | None
    created: datetime
    modified: datetime


def list_learner_transactions(*, lms_user_id: int, subsidy_uuids: Collection[UUID]) -> list[LearnerTransaction]:
    """Return our copies of a learner's transactions in these accounts, the newest first, in one statement."""
    return list_transactions_of([lms_user_id], subsidy_uuids=subsidy_uuids)[lms_user_id]


def list_transactions_of(
    lms_user_ids: Collection[int], *, subsidy_uuids: Collection[UUID]
) -> dict[int, list[LearnerTransaction]]:
    """Do the same for several learners, by learner, in one statement."""
    ids = list(lms_user_ids)
    rows: Iterable[Sequence[Any]]
    if len(ids) == 1:
        rows = _OF_LEARNER.rows(lms_user_id=ids[0])
    else:
        rows = SubsidyTransaction.objects.filter(lms_user_id__in=ids).values_list(*_READ)
    wanted = set(subsidy_uuids)
    found: dict[int, list[LearnerTransaction]] = {lms_user_id: [] for lms_user_id in ids}
    for values in rows:
        read = dict(zip(_NAMES, values, strict=True))
        if read["subsidy_uuid"] in wanted:
            read["state"] = TransactionState(read["state"])
            found[read["lms_user_id"]].append(LearnerTransaction(**read))
    return found


def list_accounts_of(customer_uuid: UUID) -> frozenset[UUID]:
    """Return every account of a customer's budgets, those of retired ones included."""
    return frozenset(subsidy_uuid for (subsidy_uuid,) in _ACCOUNTS.rows(customer_uuid=customer_uuid))


def read_of_accounts(customer_uuid: UUID) -> Read:
    """Return the statement of `list_accounts_of`, for `read_together`."""
    return _ACCOUNTS.read_of(customer_uuid=customer_uuid)


def read_of_transactions(lms_user_id: int) -> Read:
    """Return the statement of `list_learner_transactions`, for `read_together`."""
    return _OF_LEARNER.read_of(lms_user_id=lms_user_id)


_COLUMNS: Final = {
    "subsidy_uuid": "subsidy_id",
    "customer_uuid": "subsidy__customer_uuid",
    "quantity_cents": "quantity",
}
_NAMES: Final = [field.name for field in fields(LearnerTransaction)]
_READ: Final = [_COLUMNS.get(name, name) for name in _NAMES]


def _of_learner(lms_user_id: int) -> QuerySet[SubsidyTransaction, Any]:
    return SubsidyTransaction.objects.filter(lms_user_id=lms_user_id).values_list(*_READ)


def _accounts(customer_uuid: UUID) -> QuerySet[SubsidyAccessPolicy, Any]:
    rows = SubsidyAccessPolicy.objects.filter(customer_uuid=customer_uuid)
    return rows.order_by().values_list("subsidy_id").distinct()


_ACCOUNTS: Final = Prepared(_accounts, customer_uuid=models.UUIDField())
_OF_LEARNER: Final = Prepared(_of_learner, lms_user_id=models.BigIntegerField())


def find_transaction(*, transaction_uuid: UUID) -> LearnerTransaction | None:
    """Return our copy of a transaction; None for one that we do not have, and for one without a learner."""
    rows = SubsidyTransaction.objects.filter(pk=transaction_uuid).exclude(lms_user_id=None)
    row = rows.select_related("subsidy").first()
    return None if row is None or row.lms_user_id is None else _value_of(row, row.lms_user_id)


def _value_of(row: SubsidyTransaction, lms_user_id: int) -> LearnerTransaction:
    return LearnerTransaction(
        uuid=row.uuid,
        subsidy_uuid=row.subsidy_id,
        customer_uuid=row.subsidy.customer_uuid,
        policy_uuid=row.policy_uuid,
        lms_user_id=lms_user_id,
        content_key=row.content_key,
        quantity_cents=row.quantity,
        state=TransactionState(row.state),
        is_reversed=row.is_reversed,
        reversed_at=row.reversed_at,
        created=row.created,
        modified=row.modified,
    )
