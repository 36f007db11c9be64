"""Taking over budgets and their groups from another installation: under their uuids, without an announcement.

Nothing is asked of other services: what the source has was valid there. Accounts are read by the next reconciliation.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import asdict, frozen
from django.db import DatabaseError, transaction
from django.db.models import Q

from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyGroupAssociation,
    PolicyTotals,
    Subsidy,
    SubsidyAccessPolicy,
)
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import ensure, lock_account
from enterprise_access.apps.subsidy_access_policies.services.policies.checking import type_problems
from enterprise_access.lib.importing import (
    IMPORTED,
    PastImports,
    RowFate,
    RowOutcome,
    columns_of,
    judge,
    outcome_of,
    past_of,
    refused,
)
from enterprise_access.lib.transactions import is_lost, retry_deadlocks


@frozen(kw_only=True)
class ArrivingPolicy:
    """A budget as the source has it. Limits are in cents, or a number of enrollments; None: no limit."""

    uuid: UUID
    customer_uuid: UUID
    subsidy_id: UUID
    catalog_uuid: UUID
    policy_type: PolicyType
    access_method: AccessMethod
    display_name: str
    description: str
    active: bool
    retired: bool
    retired_at: datetime | None
    spend_limit: int | None
    per_learner_spend_limit: int | None
    per_learner_enrollment_limit: int | None
    late_redemption_allowed_until: datetime | None
    assignment_configuration: UUID | None
    learner_credit_request_config: UUID | None
    created: datetime
    modified: datetime


@frozen(kw_only=True)
class ArrivingAssociation:
    """A group that a budget is limited to."""

    name: str
    policy_uuid: UUID
    group_uuid: UUID
    created: datetime
    modified: datetime


# Money hangs on these: they never change under a budget that exists.
_FIXED: Final = ("customer_uuid", "subsidy_id", "policy_type")
_COLUMNS: Final = columns_of(ArrivingPolicy)


def import_policies(arriving: Sequence[ArrivingPolicy]) -> list[RowOutcome]:
    """Take over budgets, each in a transaction of its own; return what became of each."""
    past = past_of(SubsidyAccessPolicy, [one.uuid for one in arriving])
    return [_import_policy(one, past) for one in arriving]


def _import_policy(one: ArrivingPolicy, past: PastImports) -> RowOutcome:
    try:
        return _take_over(one, past)
    except DatabaseError as error:
        if is_lost(error):
            raise
        return refused(one.uuid, f"The database refuses the row: {type(error).__name__}.")


@retry_deadlocks
def _take_over(one: ArrivingPolicy, past: PastImports) -> RowOutcome:
    with transaction.atomic():
        wanted = _row_of(one)
        stored = SubsidyAccessPolicy.objects.select_for_update().filter(pk=one.uuid).first()
        problem = _problem(wanted)
        if problem:
            return refused(one.uuid, problem)
        is_moved = _is_moved(stored, wanted)
        outcome = judge(one.uuid, stored, wanted, columns=_COLUMNS, past=past, is_kept=is_moved)
        if outcome.is_written:
            _write(stored, wanted)
        return outcome


def _row_of(one: ArrivingPolicy) -> SubsidyAccessPolicy:
    """Return the budget as it is to be stored. One that is assigned from needs a configuration for its admins."""
    words = {"policy_type": one.policy_type.value, "access_method": one.access_method.value}
    row = SubsidyAccessPolicy(**{**asdict(one, recurse=False), **words})
    if row.assignment_configuration is None and TYPE_RULES[one.policy_type].is_assignable:
        row.assignment_configuration = row.configuration_of_assignments
    return row


def _is_moved(stored: SubsidyAccessPolicy | None, wanted: SubsidyAccessPolicy) -> bool:
    return stored is not None and any(getattr(stored, name) != getattr(wanted, name) for name in _FIXED)


def _problem(wanted: SubsidyAccessPolicy) -> str:
    """Return why a budget cannot be taken over; nothing where it can."""
    if problems := type_problems(wanted):
        return " ".join(f"{name}: {problem}" for name, problem in sorted(problems.items()))
    if wanted.bnr_enabled and not TYPE_RULES[PolicyType(wanted.policy_type)].may_browse_and_request:
        return "A budget of this type takes no requests. Switch Browse & Request off in the source."
    owner = Subsidy.objects.filter(pk=wanted.subsidy_id).values_list("customer_uuid", flat=True).first()
    if owner not in (None, wanted.customer_uuid):
        return f"Its account {wanted.subsidy_id} belongs to customer {owner} here."
    return _collision(wanted)


def _collision(wanted: SubsidyAccessPolicy) -> str:
    """Return which other budget has what only one may have."""
    others = SubsidyAccessPolicy.objects.exclude(pk=wanted.pk)
    same = others.filter(active_key=wanted.key_when_active).first() if wanted.active else None
    if same is not None:
        return f"Another active budget is the same (name, account, catalog, type): {same.pk}. Deactivate one of them."
    shared = Q(assignment_configuration=wanted.assignment_configuration, assignment_configuration__isnull=False)
    shared |= Q(
        learner_credit_request_config=wanted.learner_credit_request_config,
        learner_credit_request_config__isnull=False,
    )
    other = others.filter(shared).first()
    return f"Another budget has the same configuration: {other.pk}." if other is not None else ""


def _write(stored: SubsidyAccessPolicy | None, wanted: SubsidyAccessPolicy) -> None:
    Subsidy.objects.get_or_create(uuid=wanted.subsidy_id, defaults={"customer_uuid": wanted.customer_uuid})
    lock_account(wanted.subsidy_id)
    row = wanted
    if stored is not None:
        row = stored
        for name in _COLUMNS:
            setattr(row, name, getattr(wanted, name))
    row._change_reason = IMPORTED  # type: ignore[attr-defined]
    row.save(force_insert=stored is None)
    ensure(PolicyTotals, policy_id=row.pk)


@retry_deadlocks
def import_associations(arriving: Sequence[ArrivingAssociation]) -> list[RowOutcome]:
    """Take over to which groups budgets are limited; return what became of each."""
    policies = {one.policy_uuid for one in arriving}
    known = set(SubsidyAccessPolicy.objects.filter(pk__in=policies).values_list("pk", flat=True))
    stored = set(
        PolicyGroupAssociation.objects.filter(policy__in=known).values_list("policy_id", "group_uuid").distinct()
    )
    new: list[PolicyGroupAssociation] = []
    outcomes: list[RowOutcome] = []
    for one in arriving:
        key = (one.policy_uuid, one.group_uuid)
        if one.policy_uuid not in known:
            outcomes.append(refused(one.name, f"Its budget {one.policy_uuid} is not here."))
            continue
        outcomes.append(outcome_of(one.name, RowFate.SAME if key in stored else RowFate.ADDED))
        if key not in stored:
            stored.add(key)
            new.append(
                PolicyGroupAssociation(
                    policy_id=one.policy_uuid, group_uuid=one.group_uuid, created=one.created, modified=one.modified
                )
            )
    PolicyGroupAssociation.objects.bulk_create(new)
    return outcomes


def list_budgets_of_configurations(configurations: Sequence[UUID]) -> dict[UUID, SubsidyAccessPolicy]:
    """Return budgets by their assignment configuration; one that no budget has is missing."""
    rows = SubsidyAccessPolicy.objects.filter(assignment_configuration__in=set(configurations))
    return {row.assignment_configuration: row for row in rows if row.assignment_configuration is not None}


def list_accounts() -> list[UUID]:
    """Return every account that is known here."""
    return list(Subsidy.objects.order_by("pk").values_list("pk", flat=True))


def list_associations() -> list[tuple[UUID, UUID]]:
    """Return every budget that is limited to a group, and the group."""
    return list(PolicyGroupAssociation.objects.order_by("pk").values_list("policy_id", "group_uuid"))
