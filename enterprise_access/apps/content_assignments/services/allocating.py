"""Allocating: facts first, then all of it or nothing in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4

from attrs import field, frozen
from django.conf import settings
from django.db.models import Q

from enterprise_access.apps.content_assignments.domain.allocation import (
    Account,
    Allocation,
    AllocationCase,
    AllocationRequest,
    AssignmentRow,
    BudgetUse,
    allocate,
)
from enterprise_access.apps.content_assignments.domain.emails import fold_email, normalize_emails
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import AllocationInvalid, AllocationRefused
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.offered import (
    AllocationFacts,
    content_of,
    fetch_facts,
    placement_of,
)
from enterprise_access.apps.content_assignments.services.people import known_people
from enterprise_access.apps.content_assignments.services.placing import Person, announce, place
from enterprise_access.apps.content_assignments.services.requesting import allocate_for_request as allocate_for_request
from enterprise_access.apps.subsidy_access_policies.domain.money import PriceBounds, cents_from_client
from enterprise_access.apps.subsidy_access_policies.domain.policies import PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.services.allocations import (
    LockedBudget,
    Promise,
    SubsidyAccessPolicy,
    hold_allocations,
    lock_budget,
)
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order


@frozen(kw_only=True)
class Allocated:
    """The assignments of all people that were named, by what became of them."""

    created: list[Assignment]
    updated: list[Assignment]
    no_change: list[Assignment]


def allocate_to_people(
    policy: SubsidyAccessPolicy,
    *,
    learner_emails: object,
    content_key: str,
    content_price_cents: object,
    admin_lms_user_id: int | None,
    now: datetime,
) -> Allocated:
    """Allocate content to people by email: to all of them, or to none. Repeating it changes nothing.

    Raises AllocationInvalid, and AllocationRefused with the reason that clients know.
    """
    call = _call_of(policy, learner_emails, content_key, content_price_cents, admin_lms_user_id, now=now)
    return _allocate(policy.pk, call, now)


def preview_allocation(
    policy: SubsidyAccessPolicy,
    *,
    learner_emails: object,
    content_key: str,
    content_price_cents: object,
    now: datetime,
) -> Allocation:
    """Return what `allocate_to_people` would do now, as folded addresses, and change nothing.

    Raises AllocationInvalid and AllocationRefused as it does.
    """
    return _preview(policy, _call_of(policy, learner_emails, content_key, content_price_cents, None, now=now), now=now)


@retry_deadlocks
def _preview(policy: SubsidyAccessPolicy, call: "_Call", *, now: datetime) -> Allocation:
    people = known_people(list(call.emails))
    rows, budget = _lock(policy.pk, call.facts.content_key, list(call.emails), list(people.values()))
    return _decide(budget, call, rows, people, now)


@frozen(kw_only=True)
class _Call:
    """What is requested, and what was found out before the transaction. `emails`: as typed, by their folded form."""

    emails: Mapping[str, str] = field(repr=False)
    price_cents: int
    facts: AllocationFacts
    admin_lms_user_id: int | None


def _call_of(
    policy: SubsidyAccessPolicy,
    learner_emails: object,
    content_key: str,
    content_price_cents: object,
    admin_lms_user_id: int | None,
    *,
    now: datetime,
) -> _Call:
    """Return what is requested with the facts that it needs. Raises AllocationInvalid."""
    emails, price = normalize_emails(learner_emails), cents_from_client(content_price_cents)
    if emails is None or price is None:
        raise AllocationInvalid("The addresses or the price make no sense.")
    return _Call(
        emails={fold_email(email): email for email in emails},
        price_cents=price,
        facts=fetch_facts(policy, content_key.strip(), now=now),
        admin_lms_user_id=admin_lms_user_id,
    )


@retry_deadlocks
def _allocate(policy_uuid: UUID, call: _Call, now: datetime) -> Allocated:
    people = known_people(list(call.emails))
    rows, budget = _lock(policy_uuid, call.facts.content_key, list(call.emails), list(people.values()))
    done = _decide(budget, call, rows, people, now)
    found = _rows_of(list(call.emails), rows, people)
    placed = _place(budget, call, done, found, people, now) if done.changes_rows else {}
    return Allocated(
        created=[placed[email] for email in done.created],
        updated=[placed[email] for email in done.updated],
        no_change=[found[email] for email in done.no_change],
    )


def _decide(
    budget: LockedBudget, call: _Call, rows: Sequence[Assignment], people: dict[str, int], now: datetime
) -> Allocation:
    done = allocate(_case(budget, call, rows, people), now=now)
    if done.reason is not None:
        raise AllocationRefused(done.reason)
    return done


def _lock(
    policy_uuid: UUID, content_key: str, folded: Sequence[str], lms_user_ids: Sequence[int]
) -> tuple[list[Assignment], LockedBudget]:
    """Lock the rows that exist, then the budget; and the rows that another admin has added in between."""
    wanted = Q(learner_email_folded__in=folded) | Q(email_cleared_at__isnull=False, lms_user_id__in=lms_user_ids)
    query = Assignment.objects.filter(wanted, policy_uuid=policy_uuid, content_key_folded=fold(content_key))
    rows = lock_in_order(query)
    budget = lock_budget(policy_uuid=policy_uuid)
    known = {row.pk for row in rows}
    if any(pk not in known for pk in query.values_list("pk", flat=True)):
        rows = lock_in_order(query)
    return rows, budget


def _case(budget: LockedBudget, call: _Call, rows: Sequence[Assignment], people: dict[str, int]) -> AllocationCase:
    policy, subsidy = budget.policy, budget.subsidy
    account = Account(
        period=SubsidyPeriod(start=subsidy.starts_at, expiration=subsidy.expires_at),
        balance_cents=subsidy.balance or 0,
        promised_cents=budget.promised_cents,
    )
    return AllocationCase(
        budget=BudgetUse(
            policy_type=PolicyType(policy.policy_type),
            is_active=policy.active,
            is_retired=policy.retired,
            late_redemption_allowed_until=policy.late_redemption_allowed_until,
            spend_limit_cents=policy.spend_limit,
            used_cents=budget.used_cents,
        ),
        subsidy=account if call.facts.has_account and subsidy.balance is not None else None,
        content=content_of(call.facts.offer),
        request=AllocationRequest(
            learner_emails=list(call.emails.values()),
            content_key=call.facts.content_key,
            content_price_cents=call.price_cents,
        ),
        users=people,
        rows=[_as_row(row) for row in rows],
        bounds=PriceBounds(
            lower=Decimal(str(settings.ALLOCATION_PRICE_LOWER)), upper=Decimal(str(settings.ALLOCATION_PRICE_UPPER))
        ),
    )


def _as_row(row: Assignment) -> AssignmentRow:
    return AssignmentRow(
        learner_email=None if row.email_cleared_at else row.learner_email,
        lms_user_id=row.lms_user_id,
        content_key=row.content_key,
        state=AssignmentState(row.state),
    )


def _rows_of(folded: Sequence[str], rows: Sequence[Assignment], people: dict[str, int]) -> dict[str, Assignment]:
    """Return the row of each address that has one, as the rule finds it: by address, else by the account."""
    by_email = {row.learner_email_folded: row for row in rows if row.email_cleared_at is None}
    cleared = {row.lms_user_id: row for row in rows if row.email_cleared_at is not None and row.lms_user_id}
    found = {email: by_email.get(email) or cleared.pop(people.get(email, 0), None) for email in folded}
    return {email: row for email, row in found.items() if row is not None}


def _place(
    budget: LockedBudget,
    call: _Call,
    done: Allocation,
    found: Mapping[str, Assignment],
    people: Mapping[str, int],
    now: datetime,
) -> dict[str, Assignment]:
    """Write the rows that newly hold money, and return them by folded address."""
    placement = placement_of(
        budget.policy,
        content_key=call.facts.content_key,
        offer=call.facts.offer,
        content=call.facts.content,
        price=call.price_cents,
        admin_lms_user_id=call.admin_lms_user_id,
        batch_id=uuid4(),
        now=now,
    )
    wanted = (*done.created, *done.updated)
    persons = {email: Person(email=call.emails[email], lms_user_id=people.get(email)) for email in wanted}
    placed = place(placement, {person: found.get(email) for email, person in persons.items()}, now=now)
    rows = list(placed.values())
    hold_allocations(budget, [_promise(row) for row in rows])
    announce(rows, now=now)
    return {email: placed[person] for email, person in persons.items()}


def _promise(row: Assignment) -> Promise:
    return Promise(
        assignment_uuid=row.pk,
        lms_user_id=row.lms_user_id,
        content_key=row.content_key,
        amount_cents=row.price_cents,
    )
