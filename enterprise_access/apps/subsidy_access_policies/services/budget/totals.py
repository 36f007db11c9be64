"""The running totals: locked in one order, and moved by the difference of what the changed rows come to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import models
from django.db.models import F

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservedMoney, charges_of
from enterprise_access.apps.subsidy_access_policies.domain.ledger import LedgerEntry
from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals, PolicyTotals, Subsidy, SubsidyTotals
from enterprise_access.apps.subsidy_access_policies.selectors import balance_of, sums_of
from enterprise_access.lib.transactions import retry_deadlocks, upsert

Sums = Mapping[tuple[str, ...], int]

# Up to so many rows are changed one by one.
FEW_ROWS = 4

_POLICY_FIELDS = ("held", "allocated", "spent", "redemptions")
_LEARNER_FIELDS = ("held", "spent", "redemptions")


def lock_account(subsidy_uuid: UUID) -> SubsidyTotals:
    """Lock the account: everything that changes its money waits here, for one short transaction each."""
    locked = SubsidyTotals.objects.select_for_update().filter(pk=subsidy_uuid).first()
    if locked is None:
        ensure(SubsidyTotals, subsidy_id=subsidy_uuid)
        locked = SubsidyTotals.objects.select_for_update().get(pk=subsidy_uuid)
    return locked


@retry_deadlocks
def ensure(model: type[models.Model], **key: UUID | int) -> None:
    """Make the row of totals where there is none yet.

    Looked for first: on MySQL an insert that meets a row locks it as a reader, and two of those who then want to write
    are a deadlock.
    """
    if not model._default_manager.filter(**key).exists():
        model._default_manager.bulk_create([model(**key)], ignore_conflicts=True)


def sums_for(
    subsidy: Subsidy, *, reservations: Collection[ReservedMoney], entries: Collection[LedgerEntry]
) -> dict[tuple[str, ...], int]:
    """Return what some promises and transactions of an account come to."""
    return sums_of(charges_of(reservations=reservations, entries=entries, balance=balance_of(subsidy)))


def move_totals(subsidy: Subsidy, *, before: Sums, after: Sums) -> None:
    """Move the totals by what the changed rows come to. The account is locked."""
    changes = {key: after.get(key, 0) - before.get(key, 0) for key in {*before, *after}}
    changes = {key: change for key, change in changes.items() if change}
    if promised := changes.pop(("subsidy", "promised"), 0):
        SubsidyTotals.objects.filter(pk=subsidy.pk).update(promised=F("promised") + promised)
    if not changes:
        return
    rows = _by_row(changes)
    if len(rows) <= FEW_ROWS:
        rows = {key: added for key, added in rows.items() if not _updated(key, added)}
        changes = {key: change for key, change in changes.items() if key[:-1] in rows}
    if not rows:
        return
    # A policy that another tool named, and that we do not have, has no totals here.
    named = {UUID(key[1]) for key in changes}
    own = sorted(subsidy.policies.filter(pk__in=named).values_list("pk", flat=True))
    _move_policies(own, changes)
    _move_learners(own, changes)


def _by_row(changes: Sums) -> dict[tuple[str, ...], dict[str, int]]:
    """Return the changes of each row of totals, by the name of the column."""
    rows: dict[tuple[str, ...], dict[str, int]] = {}
    for key in sorted(changes, key=lambda key: (key[0] != "policy", key)):
        rows.setdefault(key[:-1], {})[key[-1]] = changes[key]
    return rows


def _updated(key: tuple[str, ...], added: Mapping[str, int]) -> bool:
    """Change a row of totals if it is there: most often one row of a policy and one of a learner, a statement each."""
    columns = {name: F(name) + change for name, change in added.items()}
    if key[0] == "policy":
        return bool(PolicyTotals.objects.filter(pk=UUID(key[1])).update(**columns))
    return bool(LearnerTotals.objects.filter(policy_id=UUID(key[1]), lms_user_id=int(key[2])).update(**columns))


def _move_policies(own: Sequence[UUID], changes: Sums) -> None:
    moved = {UUID(key[1]) for key in changes if key[0] == "policy"} & set(own)
    if not moved:
        return
    rows = {row.pk: row for row in PolicyTotals.objects.select_for_update().filter(pk__in=moved).order_by("pk")}
    for policy_uuid in sorted(moved):
        row = rows.setdefault(policy_uuid, PolicyTotals(policy_id=policy_uuid))
        _add(row, changes, ("policy", str(policy_uuid)), _POLICY_FIELDS)
    upsert(PolicyTotals, rows.values(), fields=_POLICY_FIELDS)


def _move_learners(own: Sequence[UUID], changes: Sums) -> None:
    pairs = {(UUID(key[1]), int(key[2])) for key in changes if key[0] == "learner"}
    moved = sorted(pair for pair in pairs if pair[0] in set(own))
    if not moved:
        return
    found = LearnerTotals.objects.select_for_update().filter(
        policy_id__in={policy for policy, _ in moved}, lms_user_id__in={learner for _, learner in moved}
    )
    rows = {(row.policy_id, row.lms_user_id): row for row in found.order_by("policy_id", "lms_user_id")}
    for policy, learner in moved:
        row = rows.setdefault((policy, learner), LearnerTotals(policy_id=policy, lms_user_id=learner))
        _add(row, changes, ("learner", str(policy), str(learner)), _LEARNER_FIELDS)
    upsert(LearnerTotals, [rows[pair] for pair in moved], unique=("policy", "lms_user_id"), fields=_LEARNER_FIELDS)


def _add(row: PolicyTotals | LearnerTotals, changes: Sums, key: tuple[str, ...], fields: Iterable[str]) -> None:
    for name in fields:
        setattr(row, name, getattr(row, name) + changes.get((*key, name), 0))
