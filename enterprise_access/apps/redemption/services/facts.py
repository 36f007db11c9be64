"""Reading everything that the rules ask about one learner, each upstream service once for all policies and runs."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.conf import settings
from django.db import models
from django.db.models import QuerySet

from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.groups.domain import Membership
from enterprise_access.apps.groups.services import memberships_of
from enterprise_access.apps.redemption.domain.assignments import Assignment
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.assignments import (
    AssignmentRow,
    assignments_by_policy,
    list_assignments_of,
    read_of_assignments,
)
from enterprise_access.apps.redemption.services.links import read_enrollments_of, read_links
from enterprise_access.apps.subsidy_access_policies.selectors import PolicyUse, learner_uses_of
from enterprise_access.apps.subsidy_access_policies.selectors.learners import (
    Account,
    LearnerTransaction,
    Policy,
    list_transactions_of,
    read_of_transactions,
)
from enterprise_access.apps.subsidy_access_policies.selectors.policies import read_of_all_policies
from enterprise_access.apps.subsidy_access_policies.selectors.usage import (
    LearnerUse,
    read_of_learner_uses,
    totals_of_customer,
)
from enterprise_access.apps.subsidy_access_policies.services import (
    Offer,
    begin_to_refresh_accounts,
    begin_to_refresh_transactions,
    fetch_offers_of_catalogs,
)
from enterprise_access.lib.http import deadline
from enterprise_access.lib.prepared import Prepared, Read, read_together

# How old copies may be for a question, and for a redemption.
READING_AGE: Final = timedelta(seconds=60)
REDEEMING_AGE: Final = timedelta(seconds=10)


@frozen(kw_only=True)
class OpenAttempt:
    """What an open attempt of the learner holds for a run. Redeeming the run joins it."""

    policy_uuid: UUID
    subsidy_uuid: UUID
    amount_cents: int
    assignment_uuid: UUID | None


@frozen(kw_only=True)
class CreditFacts:
    """What is known of one learner of one customer. `is_linked` and `enrollments` None: could not be asked.

    `accounts` has no row of an account that could not be asked. `known_ledgers`: the accounts whose transactions of
    this learner are known. `started_here`: the transactions of our own attempts. `open_runs` is by folded run key,
    `offers` by catalog (one of `catalogs`) and folded run key, `groups` (to which a policy is restricted) by policy. A
    group that is missing in `memberships`: the learner is no member.
    """

    customer_uuid: UUID
    lms_user_id: int
    policies: tuple[Policy, ...]
    ledgers: frozenset[UUID]
    is_linked: bool | None
    enrollments: tuple[EnrollmentCopy, ...] | None
    known_ledgers: frozenset[UUID]
    transactions: tuple[LearnerTransaction, ...]
    started_here: frozenset[UUID]
    open_runs: Mapping[str, "OpenAttempt"]
    accounts: Mapping[UUID, Account]
    uses: Mapping[UUID, PolicyUse]
    learner_uses: Mapping[UUID, LearnerUse]
    catalogs: tuple[UUID, ...]
    offers: Mapping[tuple[UUID, str], Offer]
    groups: Mapping[UUID, frozenset[UUID]]
    assignment_rows: tuple[AssignmentRow, ...]
    assignments: Mapping[UUID, tuple[Assignment, ...]]
    memberships: Mapping[UUID, Membership]


def fetch_credit_facts(
    *,
    customer_uuid: UUID,
    lms_user_id: int,
    policies: Iterable[Policy],
    ledgers: Collection[UUID],
    run_keys: Collection[str],
    max_age: timedelta,
    now: datetime,
) -> CreditFacts:
    """Ask for what our copies are too old for, and return everything. What could not be asked is unknown.

    `ledgers`: the accounts in which the learner may have redeemed; those of the policies are asked.
    """
    facts = fetch_facts_of_learners(
        customer_uuid=customer_uuid,
        lms_user_ids=[lms_user_id],
        policies=policies,
        ledgers=ledgers,
        run_keys=run_keys,
        max_age=max_age,
        now=now,
    )
    return facts[lms_user_id]


def fetch_facts_of_learners(
    *,
    customer_uuid: UUID,
    lms_user_ids: Collection[int],
    policies: Iterable[Policy],
    ledgers: Collection[UUID],
    run_keys: Collection[str],
    max_age: timedelta,
    now: datetime,
) -> dict[int, CreditFacts]:
    """Do the same for several learners, by learner, with as many statements as for one."""
    rows = tuple(policies)
    own_ledgers = frozenset(policy.subsidy_id for policy in rows)
    # Altogether no longer than a request may take: what was not answered by then is unknown.
    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
        # The ledger answers while the LMS is asked.
        read = {policy.subsidy_id: policy.subsidy for policy in rows}
        asked_accounts = begin_to_refresh_accounts(read, own_ledgers, since=now - max_age)
        asked_ledgers = begin_to_refresh_transactions(lms_user_ids, subsidy_uuids=own_ledgers, since=now - max_age)
        links = read_links(customer_uuid, lms_user_ids, max_age=max_age, now=now)
        enrollments = read_enrollments_of(links, max_age=max_age) if run_keys else dict.fromkeys(lms_user_ids, ())
        accounts, known = asked_accounts(), asked_ledgers()
        catalogs = tuple(dict.fromkeys(policy.catalog_uuid for policy in rows))
        offers = fetch_offers_of_catalogs(
            customer_uuid=customer_uuid, catalog_uuids=catalogs if run_keys else (), content_keys=run_keys
        )
        groups = {policy.pk: groups_of(policy) for policy in rows}
        memberships = memberships_of(lms_user_ids, groups={each for own in groups.values() for each in own})
    # Last: what the budget uses is compared with the newest balance.
    with read_together(*reads_of_facts(customer_uuid, lms_user_ids)):
        transactions = list_transactions_of(lms_user_ids, subsidy_uuids={*ledgers, *own_ledgers})
        attempts = _attempts_of(lms_user_ids)
        assigned = list_assignments_of(lms_user_ids, policy_uuids=[policy.pk for policy in rows])
        uses, learner_uses = totals_of_customer(customer_uuid), learner_uses_of(rows, lms_user_ids=lms_user_ids)
    return {
        learner: CreditFacts(
            customer_uuid=customer_uuid,
            lms_user_id=learner,
            policies=rows,
            ledgers=own_ledgers,
            is_linked=links[learner].is_linked,
            enrollments=enrollments[learner],
            known_ledgers=known[learner],
            transactions=tuple(transactions[learner]),
            started_here=frozenset(row.transaction_uuid for row in attempts[learner] if row.transaction_uuid),
            open_runs=_open_runs(attempts[learner]),
            accounts=accounts,
            uses=uses,
            learner_uses=learner_uses[learner],
            catalogs=catalogs,
            offers=offers,
            groups=groups,
            assignment_rows=tuple(assigned[learner]),
            assignments=assignments_by_policy(assigned[learner]),
            memberships=memberships[learner],
        )
        for learner in lms_user_ids
    }


def reads_of_facts(customer_uuid: UUID, lms_user_ids: Collection[int]) -> tuple[Read, ...]:
    """Return the statements about one learner and the budgets; about several learners, Django writes them."""
    if len(lms_user_ids) != 1:
        return ()
    (lms_user_id,) = lms_user_ids
    return (
        read_of_transactions(lms_user_id),
        _OF_LEARNER.read_of(lms_user_id=lms_user_id),
        read_of_assignments(lms_user_id),
        read_of_all_policies(customer_uuid),
        read_of_learner_uses(lms_user_id),
    )


def _attempts_of(lms_user_ids: Collection[int]) -> dict[int, list["_Attempt"]]:
    """Return, by learner, the attempts that were not refused."""
    ids = list(lms_user_ids)
    rows: Iterable[Sequence[Any]] = _OF_LEARNER.rows(lms_user_id=ids[0]) if len(ids) == 1 else _attempts(ids)
    found: dict[int, list[_Attempt]] = {lms_user_id: [] for lms_user_id in ids}
    for values in rows:
        attempt = _Attempt(*values)
        found[attempt.lms_user_id].append(attempt)
    return found


@frozen
class _Attempt:
    """What facts need of an attempt, in the order in which it is read."""

    lms_user_id: int
    transaction_uuid: UUID | None
    content_key_folded: str
    policy_uuid: UUID
    subsidy_uuid: UUID
    amount: int | None
    assignment_uuid: UUID | None
    open_for: str | None


def _attempts(lms_user_ids: Collection[int]) -> QuerySet[RedemptionAttempt, Any]:
    rows = RedemptionAttempt.objects.filter(lms_user_id__in=lms_user_ids).exclude(state=AttemptState.REFUSED.value)
    return rows.order_by().values_list(
        "lms_user_id",
        "transaction_uuid",
        "content_key_folded",
        "policy_id",
        "subsidy_uuid",
        "amount",
        "assignment_uuid",
        "open_for",
    )


_OF_LEARNER: Final = Prepared(lambda lms_user_id: _attempts([lms_user_id]), lms_user_id=models.BigIntegerField())


def _open_runs(attempts: Iterable[_Attempt]) -> Mapping[str, OpenAttempt]:
    return {
        row.content_key_folded: OpenAttempt(
            policy_uuid=row.policy_uuid,
            subsidy_uuid=row.subsidy_uuid,
            amount_cents=row.amount or 0,
            assignment_uuid=row.assignment_uuid,
        )
        for row in attempts
        if row.open_for is not None
    }


def groups_of(policy: Policy) -> frozenset[UUID]:
    """Return the groups that a policy is restricted to (prefetched)."""
    return frozenset(association.group_uuid for association in policy.group_associations.all())
