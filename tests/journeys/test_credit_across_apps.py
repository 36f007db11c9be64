"""Learner credit across apps: an admin gives a course, the learner takes it, leaves, and the money comes back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from enterprise_access.apps.content_assignments.tests.scene import (
    ADA,
    DEMO,
    DEMO_RUN,
    PRICE,
    allocated,
    check_money,
    held_cents,
    make_assigned_budget,
)
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.tests.ledgers import charged, is_enrolled, make_policy
from enterprise_access.apps.subsidy_access_policies.models import SubsidyTransaction
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

BASE = "/api/v1/policy-redemption/"


def credit_of(client: Any) -> list[dict[str, Any]]:
    query = {"enterprise_customer_uuid": str(ACME), "lms_user_id": ADA}
    answer = client.get(f"{BASE}credits_available/", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def said_of(client: Any) -> dict[str, Any]:
    (row,) = client.get(f"{BASE}enterprise-customer/{ACME}/can-redeem/", {"content_key": DEMO_RUN}).json()
    return row


def redeem(client: Any, policy_uuid: UUID) -> Any:
    body = {"lms_user_id": ADA, "content_key": DEMO_RUN, "metadata": {}}
    return client.post(f"{BASE}{policy_uuid}/redeem/", body, format="json")


def test_an_assignment_to_an_address_is_seen_redeemed_and_accepted(world, api_as):
    ada, budget = api_as("ada"), make_assigned_budget()
    row = allocated(budget, "Ada@Example.com")
    assert row.lms_user_id is None
    (credit,) = credit_of(ada)
    (shown,) = credit["learner_content_assignments"]
    assert (shown["content_key"], shown["state"], shown["lms_user_id"]) == (DEMO, "allocated", ADA)
    assert said_of(ada)["redeemable_subsidy_access_policy"]["uuid"] == str(budget.pk)
    assert redeem(ada, budget.pk).status_code == 200
    # While it is under way, the promise is the redemption's, and the assignment cannot be cancelled.
    assert held_cents(budget) == 0
    work_on_attempts()
    row.refresh_from_db()
    assert (row.state, charged(world), is_enrolled(world)) == ("accepted", PRICE, True)
    assert row.transaction_uuid == SubsidyTransaction.objects.get(lms_user_id=ADA).uuid
    check_money(budget)
    (credit,) = credit_of(ada)
    assert [one["state"] for one in credit["learner_content_assignments"]] == ["accepted"]


def test_an_assignment_that_was_cancelled_is_named_as_the_reason_and_pays_no_more(world, api_as):
    ada, budget = api_as("ada"), make_assigned_budget()
    row = allocated(budget)
    path = f"/api/v1/assignment-configurations/{budget.assignment_configuration}/admin/assignments/cancel/"
    cancelled = api_as("amy_admin").post(path, {"assignment_uuids": [str(row.pk)]}, format="json")
    assert cancelled.status_code == 200, cancelled.content
    assert said_of(ada)["display_reason"]["reason"] == "reason_learner_assignment_cancelled"
    refused = redeem(ada, budget.pk)
    assert (refused.status_code, refused.json()[0]["reason"]) == (422, "reason_learner_assignment_cancelled")
    work_on_attempts()
    assert (charged(world), is_enrolled(world)) == (0, False)
    (credit,) = credit_of(ada)
    assert [one["state"] for one in credit["learner_content_assignments"]] == ["cancelled"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("accepted", None),
        ("pending", "learner_not_in_enterprise_group"),
        ("removed", "learner_not_in_enterprise_group"),
        (None, "learner_not_in_enterprise_group"),
    ],
)
def test_a_budget_of_a_group_is_for_its_members(world, api_as, status, reason):
    ada, policy = api_as("ada"), make_policy()
    group = world.add_group(customer="acme", name="Engineers").uuid
    policy.group_associations.create(group_uuid=group)
    if status:
        world.set_member(group_uuid=group, username="ada", status=status)
    row = said_of(ada)
    assert row["can_redeem"] is (reason is None)
    assert (row["display_reason"] or {}).get("reason") == reason
    assert bool(credit_of(ada)) is (reason is None)


def test_a_group_that_is_added_to_a_budget_counts_immediately_wherever_credit_is_judged(world, api_as, time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    ada, operator, policy = api_as("ada"), api_as("enterprise_access_worker"), make_policy()
    group = world.add_group(customer="acme", name="Engineers").uuid
    groups = f"/api/v1/subsidy-access-policies/{policy.pk}/group-associations/"
    assert said_of(ada)["can_redeem"] is True
    assert operator.post(groups, {"group_uuid": str(group)}, format="json").status_code == 201
    assert (said_of(ada)["can_redeem"], credit_of(ada)) == (False, [])
    refused = redeem(ada, policy.pk)
    assert (refused.status_code, refused.json()[0]["reason"]) == (422, "learner_not_in_enterprise_group")
    query = {"content_key": DEMO_RUN, "lms_user_id": ADA}
    explained = operator.get(f"{BASE}enterprise-customer/{ACME}/explain/", query).json()
    assert "learner_not_in_enterprise_group" in str(explained)
    # The learner joins: that is noticed within five minutes.
    world.set_member(group_uuid=group, username="ada")
    time_machine.move_to(now + timedelta(minutes=5, seconds=1), tick=False)
    assert (said_of(ada)["can_redeem"], bool(credit_of(ada))) == (True, True)
    world.set_member(group_uuid=group, username="ada", status="removed")
    assert operator.delete(f"{groups}{group}/").status_code == 204
    assert redeem(ada, policy.pk).status_code == 200
    work_on_attempts()
    assert (charged(world), is_enrolled(world)) == (PRICE, True)


def test_a_group_is_asked_for_once_for_all_budgets(world, api_as):
    ada, policies = api_as("ada"), [make_policy(), make_policy()]
    group = world.add_group(customer="acme", name="Engineers").uuid
    for policy in policies:
        policy.group_associations.create(group_uuid=group)
    world.set_member(group_uuid=group, username="ada", status="accepted")
    assert said_of(ada)["can_redeem"] is True
    assert sum(call.endpoint == "lms.group_members" for call in world.journal.calls()) == 1


def test_a_group_that_cannot_be_asked_is_unknown_and_not_a_no(world, api_as, simulator):
    ada, policy = api_as("ada"), make_policy()
    policy.group_associations.create(group_uuid=world.add_group(customer="acme", name="Engineers").uuid)
    simulator.faults.add(kind="status", endpoint="lms.group_members", status=500, times=None)
    assert said_of(ada)["display_reason"]["reason"] == "learner_state_unknown"
