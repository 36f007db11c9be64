"""Budgets over REST: the shapes that clients read, what operators may change, and what no budget can be."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyGroupAssociation,
    Subsidy,
    SubsidyAccessPolicy,
)
from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_new
from enterprise_access.apps.subsidy_access_policies.tests.ledger import calls, make_budget, redeemed
from enterprise_access.events.models import Outbox
from simulator import ledger
from simulator.faults import FaultKind
from simulator.seed import ACME, ACME_CREDIT, ACME_LEADERSHIP, ACME_OPEN, GLOBEX

pytestmark = pytest.mark.django_db

# Of no account, catalog or budget.
ELSEWHERE = "d1b6f229-5c09-4cca-a6b7-fe0c18db7184"

PATH = "/api/v1/subsidy-access-policies/"
RECORDINGS = Path(__file__).resolve().parents[4] / "tests" / "recordings" / "enterprise-access"
NEW: dict[str, Any] = {
    "policy_type": "PerLearnerSpendCreditAccessPolicy",
    "enterprise_customer_uuid": str(ACME),
    "catalog_uuid": str(ACME_OPEN),
    "subsidy_uuid": str(ACME_CREDIT),
    "access_method": "direct",
    "display_name": "North 2027",
    "description": "x" * 300,
    "active": True,
    "per_learner_spend_limit": None,
    "spend_limit": 300_000,
}


@pytest.fixture
def operator(api_as):
    return api_as("enterprise_access_worker")


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return found


def add(client, **about):
    return client.post(PATH, {**NEW, **about}, format="json")


def change(client, uuid, **changes):
    return client.patch(f"{PATH}{uuid}/", changes, format="json")


def fields_of(answer) -> list[str]:
    assert answer.status_code == 400, answer.content
    return sorted(answer.json()["extra"]["fields"])


def shape_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape_of(inner) for key, inner in value.items()}
    return type(value)


class TestReading:
    @pytest.mark.parametrize("name", ["policies-retrieve-admin", "policies-retrieve-bnr", "policies-retrieve-group"])
    def test_the_shape_is_the_recorded_one_and_says_how_old_the_facts_are(self, world, operator, name):
        body = recorded(name)["response"]["body"]
        policy = make_budget(
            policy_type=body["policy_type"],
            access_method=body["access_method"],
            spend_limit=body["spend_limit"],
            assignment_configuration=uuid4() if body["assignment_configuration"] else None,
            learner_credit_request_config=uuid4() if body["bnr_enabled"] else None,
        )
        for _ in body["group_associations"]:
            PolicyGroupAssociation.objects.create(policy=policy, group_uuid=uuid4())
        got = operator.get(f"{PATH}{policy.pk}/").json()
        assert isinstance(got.pop("facts_fetched_at"), str)
        assert shape_of(got) == shape_of(body)

    def test_all_budgets_are_on_the_first_page_in_a_constant_number_of_statements(
        self, world, operator, django_assert_num_queries
    ):
        for number in range(12):
            make_budget(display_name=f"Budget {number}", spend_limit=100)
        retired = make_budget(display_name="Retired", retired=True, active=False)
        grouped = SubsidyAccessPolicy.objects.get(display_name="Budget 3")
        groups = [PolicyGroupAssociation.objects.create(policy=grouped, group_uuid=uuid4()) for _ in range(2)]
        operator.get(PATH, {"enterprise_customer_uuid": ACME})
        asked = len(calls(world))
        with django_assert_num_queries(2):
            got = operator.get(PATH, {"enterprise_customer_uuid": ACME}).json()
        assert len(calls(world)) == asked
        assert (got["count"], got["num_pages"], len(got["results"])) == (13, 1, 13)
        assert got["results"][-1]["uuid"] == str(retired.pk)
        assert [row["created"] for row in got["results"]] == sorted(row["created"] for row in got["results"])
        assert set(got) == set(recorded("policies-list-admin")["response"]["body"])
        active = operator.get(PATH, {"enterprise_customer_uuid": ACME, "active": "true"}).json()
        assert active["count"] == 12
        # A row is what the budget alone is, whatever else the list leaves out.
        row = next(row for row in active["results"] if row["uuid"] == str(grouped.pk))
        assert row == operator.get(f"{PATH}{grouped.pk}/").json()
        assert row["group_associations"] == [str(one.group_uuid) for one in groups]
        assert row["total_spend_limits_for_subsidy"] == 1_200
        of_type = {"enterprise_customer_uuid": ACME, "policy_type": retired.policy_type, "page_size": 5, "page": 3}
        assert len(operator.get(PATH, of_type).json()["results"]) == 3

    def test_amounts_come_to_the_limit_and_are_not_for_learners(self, world, operator, api_as):
        policy = make_budget(spend_limit=100_000)
        redeemed(world, policy.pk)
        reconcile_new()
        got = operator.get(f"{PATH}{policy.pk}/").json()
        assert got["aggregates"] == {
            "amount_redeemed_usd_cents": 14_900,
            "amount_redeemed_usd": 149.0,
            "amount_allocated_usd_cents": 0,
            "amount_allocated_usd": 0.0,
            "spend_available_usd_cents": 85_100,
            "spend_available_usd": 851.0,
        }
        learners = api_as("ada").get(f"{PATH}{policy.pk}/").json()
        assert (learners["aggregates"], learners["total_deposits_for_subsidy"]) == (None, None)

    def test_without_the_ledger_the_last_known_facts_are_shown_and_never_made_up(self, world, simulator, operator):
        policy = make_budget()
        Subsidy.objects.update(fetched_at=timezone.now() - timedelta(hours=5))
        simulator.faults.add(FaultKind.STATUS, "subsidy.*", status=503, times=None)
        got = operator.get(f"{PATH}{policy.pk}/").json()
        assert (got["aggregates"]["spend_available_usd_cents"], got["is_subsidy_active"]) == (500_000, True)
        Subsidy.objects.update(balance=None, total_deposits=None, fetched_at=None)
        assert operator.get(f"{PATH}{policy.pk}/").status_code == 503
        (row,) = operator.get(PATH, {"enterprise_customer_uuid": ACME}).json()["results"]
        assert row["aggregates"]["spend_available_usd_cents"] is None
        assert (row["is_subsidy_active"], row["total_deposits_for_subsidy"]) == (None, None)

    @pytest.mark.parametrize(
        "query", [{}, {"enterprise_customer_uuid": "x"}, {"enterprise_customer_uuid": ACME, "x": 1}]
    )
    def test_a_list_is_asked_for_strictly(self, world, operator, query):
        assert operator.get(PATH, query).status_code == 400

    def test_unknown_and_malformed_budgets_are_not_there(self, world, operator):
        assert operator.get(f"{PATH}{uuid4()}/").status_code == 404
        assert operator.get(f"{PATH}nope/").status_code == 404
        got = operator.get(PATH, {"enterprise_customer_uuid": ACME, "policy_type": "none"})
        assert (got.status_code, got.json()["count"]) == (200, 0)


class TestAdding:
    def test_the_support_tools_add_a_budget_and_get_the_same_again(self, world, operator):
        first = add(operator)
        assert first.status_code == 201
        assert set(recorded("client-support-tools-create")["response"]["body"]) <= set(first.json())
        again = add(operator, display_name=" north  2027")
        assert (again.status_code, again.json()["uuid"]) == (200, first.json()["uuid"])
        other = add(operator, spend_limit=200_000)
        assert (other.status_code, other.json()["extra"]["fields"]) == (409, ["spend_limit"])
        assert add(operator, display_name="South 2027", spend_limit=None).status_code == 201
        row = SubsidyAccessPolicy.objects.get(pk=first.json()["uuid"])
        assert row.history.get().history_user.username == "enterprise_access_worker"

    def test_an_assigned_budget_gets_its_configuration_whatever_access_is_named(self, world, operator):
        got = add(operator, policy_type="AssignedLearnerCreditAccessPolicy").json()
        assert (got["access_method"], got["assignment_configuration"]["active"]) == ("assigned", True)

    BAD: tuple[tuple[str, Any], ...] = (
        ("policy_type", "Nonsense"),
        ("policy_type", None),
        ("access_method", "assigned"),
        ("access_method", "none"),
        ("enterprise_customer_uuid", "x"),
        ("catalog_uuid", 5),
        ("catalog_uuid", ELSEWHERE),
        ("subsidy_uuid", ELSEWHERE),
        ("subsidy_uuid", "nope"),
        ("spend_limit", -1),
        ("spend_limit", 1.5),
        ("spend_limit", 2**63),
        ("spend_limit", True),
        ("spend_limit", "many"),
        ("spend_limit", 500_001),
        ("per_learner_spend_limit", -1),
        ("per_learner_enrollment_limit", 1),
        ("active", None),
        ("active", "yes"),
        ("display_name", "x" * 513),
        ("display_name", 5),
        ("description", "x" * 2_001),
        ("uuid", ELSEWHERE),
        ("nonsense", 1),
    )

    @pytest.mark.parametrize(("field", "value"), BAD)
    def test_what_no_budget_can_be_is_refused_on_its_field(self, world, operator, field, value):
        assert fields_of(add(operator, **{field: value})) == [field]
        assert not SubsidyAccessPolicy.objects.exists()

    @pytest.mark.parametrize(
        ("policy_type", "field"),
        [
            ("PerLearnerEnrollmentCreditAccessPolicy", "per_learner_spend_limit"),
            ("AssignedLearnerCreditAccessPolicy", "per_learner_spend_limit"),
            ("AssignedLearnerCreditAccessPolicy", "per_learner_enrollment_limit"),
        ],
    )
    def test_a_limit_that_does_not_fit_the_type_is_refused(self, world, operator, policy_type, field):
        assert fields_of(add(operator, policy_type=policy_type, **{field: 5})) == [field]

    def test_what_is_missing_is_named(self, world, operator):
        got = operator.post(PATH, {"enterprise_customer_uuid": str(ACME)}, format="json")
        assert fields_of(got) == ["access_method", "catalog_uuid", "policy_type", "subsidy_uuid"]

    def test_the_account_of_another_customer_is_not_there(self, world, operator):
        foreign = ledger.add_subsidy(world, customer_uuid=GLOBEX, title="Globex credit")
        assert fields_of(add(operator, subsidy_uuid=str(foreign.uuid))) == ["subsidy_uuid"]

    @pytest.mark.parametrize("service", ["subsidy", "catalog"])
    def test_what_cannot_be_checked_is_not_added(self, world, simulator, operator, service):
        simulator.faults.add(FaultKind.STATUS, f"{service}.*", status=503, times=None)
        got = add(operator)
        assert (got.status_code, got.json()["code"]) == (503, "cannot_be_checked")
        assert not SubsidyAccessPolicy.objects.exists()

    def test_the_budgets_of_an_account_never_promise_more_than_its_deposits(self, world, operator):
        assert add(operator).status_code == 201
        assert fields_of(add(operator, display_name="South", spend_limit=200_001)) == ["spend_limit"]
        assert add(operator, display_name="South", spend_limit=200_000).status_code == 201


class TestChanging:
    def test_the_support_tools_change_a_budget(self, world, operator):
        uuid = add(operator).json()["uuid"]
        sent = {**recorded("client-support-tools-patch")["request"]["body"], "catalog_uuid": str(ACME_LEADERSHIP)}
        got = change(operator, uuid, **sent)
        assert got.status_code == 200
        assert set(recorded("client-support-tools-patch")["response"]["body"]) <= set(got.json())
        assert (got.json()["per_learner_spend_limit"], got.json()["catalog_uuid"]) == (20_000, str(ACME_LEADERSHIP))
        put = operator.put(f"{PATH}{uuid}/", {"spend_limit": 120_000}, format="json").json()
        assert (put["spend_limit"], put["description"]) == (120_000, "Changed by support")

    BAD: tuple[tuple[str, Any], ...] = (
        ("active", None),
        ("retired", "no"),
        ("spend_limit", "x"),
        ("spend_limit", -5),
        ("spend_limit", 500_001),
        ("spend_limit", 14_899),
        ("per_learner_enrollment_limit", 3),
        ("catalog_uuid", None),
        ("catalog_uuid", ELSEWHERE),
        ("access_method", "none"),
        ("access_method", "assigned"),
        ("late_redemption_allowed_until", "2035-01-01T00:00:00Z"),
        ("late_redemption_allowed_until", "soon"),
        ("subsidy_uuid", str(ACME_CREDIT)),
        ("policy_type", "PerLearnerSpendCreditAccessPolicy"),
        ("nonsense", 1),
    )

    @pytest.mark.parametrize(("field", "value"), BAD)
    def test_what_a_budget_cannot_become_is_refused_on_its_field(self, world, operator, field, value):
        policy = make_budget(spend_limit=100_000)
        redeemed(world, policy.pk)
        reconcile_new()
        assert fields_of(change(operator, policy.pk, **{field: value})) == [field]
        assert policy.history.count() == 1

    def test_a_budget_with_spent_money_is_not_deactivated_by_accident(self, world, operator):
        policy = make_budget()
        redeemed(world, policy.pk)
        reconcile_new()
        for got in (change(operator, policy.pk, active=False), operator.delete(f"{PATH}{policy.pk}/")):
            assert (got.status_code, got.json()["code"]) == (422, "policy_in_use")
        body = {"reason": "Closed by mistake.", "force": True}
        got = operator.delete(f"{PATH}{policy.pk}/", body, format="json")
        assert (got.status_code, got.json()["active"]) == (200, False)
        last = policy.history.first()
        assert (last.history_change_reason, last.history_user.username) == (body["reason"], "enterprise_access_worker")
        assert change(operator, policy.pk, active=True, reason="It was a mistake.").json()["active"] is True

    def test_a_retired_budget_stays_ended(self, world, operator):
        policy = make_budget()
        got = change(operator, policy.pk, retired=True).json()
        assert got["retired_at"] is not None
        assert change(operator, policy.pk, active=True, description="As the support tools send it").status_code == 200
        change(operator, policy.pk, active=False)
        assert fields_of(change(operator, policy.pk, active=True)) == ["active"]

    def test_raising_a_limit_needs_the_ledger_and_renaming_does_not(self, world, simulator, operator):
        policy = make_budget(spend_limit=100)
        simulator.faults.add(FaultKind.STATUS, "subsidy.*", status=503, times=None)
        assert change(operator, policy.pk, spend_limit=200).status_code == 503
        assert change(operator, policy.pk, display_name="Renamed", spend_limit=50).status_code == 200

    def test_a_budget_cannot_become_another_one(self, world, operator):
        make_budget(display_name="One")
        other = make_budget(display_name="Two")
        assert change(operator, other.pk, display_name="one").status_code == 409

    def test_late_redemption_is_allowed_for_a_week_at_most(self, world, operator):
        policy = make_budget()
        until = (timezone.now() + timedelta(days=6)).isoformat()
        got = change(operator, policy.pk, late_redemption_allowed_until=until).json()
        assert got["is_late_redemption_allowed"] is True
        assert change(operator, policy.pk, late_redemption_allowed_until=None).status_code == 200


def test_changes_and_redemptions_are_announced(world, operator, settings):
    settings.EVENT_BUS_PRODUCER = "never.used"
    uuid = add(operator).json()["uuid"]
    change(operator, uuid, description="x")
    change(operator, uuid, description="x")
    row = redeemed(world, UUID(uuid))
    Subsidy.objects.update(fully_reconciled_at=timezone.now())
    reconcile_new()
    ledger.reverse(world, row)
    reconcile_new()
    operator.delete(f"{PATH}{uuid}/")
    names = [one.event_type.split(".")[-2] for one in Outbox.objects.order_by("pk")]
    assert names == ["created", "updated", "redeemed", "reversed", "deactivated"]


def test_types_and_methods_are_those_that_clients_send():
    sent = recorded("client-support-tools-create")["request"]["body"]
    assert PolicyType(sent["policy_type"]) is PolicyType.PER_LEARNER_SPEND
    assert AccessMethod(sent["access_method"]) is AccessMethod.DIRECT
