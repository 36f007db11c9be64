"""Reads that are written once: the same budgets and totals as the ORM reads, and what changed since."""

import gc
import weakref
from typing import Any
from uuid import uuid4

import pytest

from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import (
    list_all_policies,
    list_policies,
    policies,
    totals_of,
)
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.lib import clock
from simulator.seed import ACME

pytestmark = pytest.mark.django_db


def told(policy: SubsidyAccessPolicy) -> dict[str, Any]:
    """Return every column of a budget and of its account, and its groups."""
    columns = {field.attname: getattr(policy, field.attname) for field in policy._meta.concrete_fields}
    account = {field.attname: getattr(policy.subsidy, field.attname) for field in Subsidy._meta.concrete_fields}
    return {**columns, "account": account, "groups": [one.group_uuid for one in policy.group_associations.all()]}


def assert_same() -> list[SubsidyAccessPolicy]:
    found = list(list_all_policies(ACME))
    assert [told(policy) for policy in found] == [told(policy) for policy in list_policies(customer_uuid=ACME)]
    return found


def test_all_budgets_are_what_the_orm_reads_and_follow_every_change(world, django_assert_num_queries):
    policies = [make_budget(display_name=str(uuid4()), spend_limit=1000 * number) for number in range(3)]
    groups = [policies[1].group_associations.create(group_uuid=uuid4()) for _ in range(2)]
    make_budget(display_name="elsewhere", customer_uuid=uuid4())
    assert {policy.pk for policy in assert_same()} == {policy.pk for policy in policies}
    SubsidyAccessPolicy.objects.filter(pk=policies[0].pk).update(spend_limit=7, active=False, retired=True)
    Subsidy.objects.update(balance=1, fetched_at=clock.now())
    groups[0].delete()
    assert assert_same()[0].spend_limit == 7
    with django_assert_num_queries(1):
        assert [told(policy) for policy in list_all_policies(ACME)]


def test_of_budgets_that_have_changed_nothing_is_kept(world):
    make_budget()
    kept = list_all_policies(ACME)[0]
    assert list_all_policies(ACME)[0] is kept
    older = weakref.ref(kept)
    Subsidy.objects.update(balance=1)
    assert list_all_policies(ACME)[0].subsidy.balance == 1
    del kept
    gc.collect()
    assert older() is None


def test_budgets_are_kept_of_some_customers_only(world, monkeypatch):
    monkeypatch.setattr(policies, "MOST_KEPT", 2)
    for number in range(5):
        budget = make_budget(display_name=str(number), customer_uuid=uuid4())
        assert list_all_policies(budget.customer_uuid) == (budget,)
    assert len(policies._kept) <= 2


def test_totals_of_one_of_several_and_of_other_customers_are_the_same(world):
    policies = [make_budget(display_name=str(uuid4()), spend_limit=1000 * number) for number in range(3)]
    other = make_budget(display_name="elsewhere", customer_uuid=uuid4())
    mixed = totals_of([*policies, other])
    assert totals_of(policies) == {policy.pk: mixed[policy.pk] for policy in policies}
    assert totals_of(policies[:1]) == {policies[0].pk: mixed[policies[0].pk]}
    assert totals_of([]) == {}
