"""`POST provisioning`: what it creates, what it answers, what it refuses."""

import json
from pathlib import Path

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.tests.bodies import LINE_ITEM, NEW_ADMIN, body_of
from enterprise_access.apps.provisioning.tests.conftest import URL

RECORDINGS = Path(__file__).parents[4] / "tests" / "recordings" / "enterprise-access"

pytestmark = pytest.mark.django_db


def recorded(name):
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def made_calls(world):
    return [(call.method, call.path) for call in world.journal.calls() if call.method in ("POST", "PATCH")]


def shape_of(value):
    if isinstance(value, dict):
        return {name: shape_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape_of(each) for each in value[:1]]
    return type(value).__name__


def test_a_new_customer_is_created_with_all_that_belongs_to_it(post, world):
    answer = post(body_of())
    assert answer.status_code == 201
    found = answer.json()
    customer = world.customer("alpha")
    assert (customer.name, customer.country) == ("Alpha", "US")
    assert found["enterprise_customer"]["uuid"] == str(customer.uuid)
    assert found["customer_admins"] == {
        "created_admins": [{"user_email": "ben@example.com"}, {"user_email": NEW_ADMIN}],
        "existing_admins": [],
    }
    trial, paid = world.tables.plans.where(customer=customer.uuid)
    assert (trial.title, trial.line_item, paid.line_item) == ("Alpha trial", LINE_ITEM, None)
    assert paid.starts_at == trial.expires_at
    assert paid.expires_at.isoformat() == "2027-12-12T00:00:00+00:00"
    assert {plan.catalog_uuid for plan in (trial, paid)} == {world.tables.catalogs.first(customer=customer.uuid).uuid}
    (renewal,) = world.tables.renewals
    assert (renewal.prior_plan_uuid, renewal.renewed_plan_uuid, renewal.licenses) == (trial.uuid, paid.uuid, 7)


@pytest.mark.parametrize("name", ["provisioning-created", "provisioning-minimal"])
def test_the_answer_has_the_recorded_shape(post, name):
    example = recorded(name)
    body = example["request"]["body"]
    answer = post(body)
    assert answer.status_code == example["response"]["status"]
    expected = example["response"]["body"]
    expected["customer_admins"] = answer.json()["customer_admins"]
    assert shape_of(answer.json()) == shape_of(expected)
    same = ("title", "catalog_query_id")
    assert [answer.json()["enterprise_catalog"][key] for key in same] == [
        expected["enterprise_catalog"][key] for key in same
    ]


def test_what_is_sent_is_what_was_recorded(post, world):
    """The real services took these bodies; uuids and people differ."""
    example = recorded("provisioning-created")
    post(example["request"]["body"])
    ours = {
        call.path: call.body for call in world.journal.calls() if call.method == "POST" and "oauth" not in call.path
    }
    theirs = {call["path"]: call["body"] for call in example["outbound_calls"] if call["method"] == "POST"}
    assert ours.keys() == theirs.keys()
    for path, body in theirs.items():
        assert shape_of(ours[path]) == shape_of(body), path


def test_the_same_request_again_does_nothing_and_answers_the_same(post, world):
    first = post(body_of())
    calls = len(world.journal.calls())
    again = post(body_of(), URL + "/")
    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(world.journal.calls()) == calls
    assert Workflow.objects.count() == 1


def test_another_request_finds_what_exists(post, world):
    post(body_of())
    calls = made_calls(world)
    agreement = {"default_catalog_uuid": "ca7a0000-0000-4000-8000-0000000000a1"}
    answer = post(body_of(customer_agreement=agreement))
    assert answer.status_code == 200
    assert made_calls(world) == calls
    assert answer.json()["customer_admins"]["created_admins"] == []


@pytest.mark.parametrize("change", [{"title": "Alpha paid"}, {"title": "Other", "start_date": "2027-01-01T00:00:00Z"}])
def test_no_second_plan_is_created_beside_the_one_that_renews_the_trial(post, world, change):
    post(body_of())
    calls = made_calls(world)
    answer = post(body_of(first_paid_subscription_plan=body_of()["first_paid_subscription_plan"] | change))
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_renewed_otherwise")
    _trial, paid = world.tables.plans.where(customer=world.customer("alpha").uuid)
    assert str(paid.uuid) in answer.json()["detail"]
    assert made_calls(world) == calls


def test_a_plan_that_exists_and_renews_another_trial_is_refused_by_license_manager(post, world):
    post(body_of())
    customer = world.customer("alpha").uuid
    world.change_plan(plan_uuid=world.tables.plans.where(customer=customer)[1].uuid, line_item="00k000000000002AAA")
    other = {"title": "Alpha trial 2", "salesforce_opportunity_line_item": "00k000000000003AAA"}
    first = body_of()["first_paid_subscription_plan"]
    second = first | {"salesforce_opportunity_line_item": "00k000000000002AAA"}
    body = body_of(trial_subscription_plan=body_of()["trial_subscription_plan"] | other)
    answer = post(body | {"first_paid_subscription_plan": second})
    assert answer.status_code == 502
    # The plan renews another trial: license-manager refuses that, and nothing else is to be had of it.
    assert answer.json()["extra"]["step"] == "subscription_plan_renewal"


def test_a_long_name_leaves_room_for_the_title_of_the_catalog(post, world):
    body = body_of(enterprise_customer={"name": "N" * 255, "slug": "long", "country": "US"})
    del body["enterprise_catalog"]
    title = post(body).json()["enterprise_catalog"]["title"]
    assert (len(title), title[-25:]) == (255, "NNNN Subscription Catalog")


@pytest.mark.parametrize("change", [{"name": "Acme GmbH", "country": "US"}, {"name": "Acme Learning", "country": "DE"}])
def test_a_customer_of_another_name_or_country_is_a_conflict(post, change):
    answer = post(body_of("Acme", enterprise_customer={"slug": "acme", **change}))
    assert answer.status_code == 409
    assert answer.json()["code"] == "customer_differs"
    assert answer.json()["extra"]["step"] == "enterprise_customer"


def test_no_step_names_a_person(post):
    post(body_of())
    item = Workflow.objects.get()
    stored = json.dumps([item.input, *(item.steps.values_list("input", "output", "problem"))])
    assert "@" not in stored


def test_every_fault_is_named_at_once(post):
    body = body_of(
        enterprise_customer={"name": "", "slug": "bad slug!", "country": "XX"},
        pending_admins=[{"user_email": "nope"}],
        enterprise_catalog={"title": "x", "catalog_query_id": 99},
    )
    body["trial_subscription_plan"] |= {"start_date": "soon", "product_id": 99, "desired_num_licenses": 0, "odd": 1}
    body |= {"Pending_admins": [], "note": ""}
    body["first_paid_subscription_plan"] = {"title": ""}
    answer = post(body)
    assert answer.status_code == 400
    fields = answer.json()["extra"]["fields"]
    assert set(fields["enterprise_customer"]) == {"name", "slug", "country"}
    assert "user_email" in json.dumps(fields["pending_admins"])
    assert set(fields["enterprise_catalog"]) == {"catalog_query_id"}
    assert set(fields["trial_subscription_plan"]) == {"start_date", "product_id", "desired_num_licenses", "odd"}
    assert {"Pending_admins", "note"} < set(fields)
    assert set(fields["first_paid_subscription_plan"]) >= {"title", "salesforce_opportunity_line_item", "product_id"}
    assert not Workflow.objects.exists()


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("trial_subscription_plan", {"salesforce_opportunity_line_item": None}),
        ("trial_subscription_plan", {"salesforce_opportunity_line_item": "None"}),
        ("trial_subscription_plan", {"expiration_date": "2026-11-27T00:00:00Z"}),
        ("trial_subscription_plan", {"expiration_date": "9999-12-31T00:00:00Z"}),
        ("trial_subscription_plan", {"desired_num_licenses": "7"}),
        ("trial_subscription_plan", {"unknown": 1}),
        ("first_paid_subscription_plan", {"title": "Alpha trial"}),
        ("first_paid_subscription_plan", {"salesforce_opportunity_line_item": LINE_ITEM}),
        ("first_paid_subscription_plan", {"start_date": "2026-12-01T00:00:00Z"}),
        ("first_paid_subscription_plan", {"expiration_date": "2026-12-01T00:00:00Z"}),
        ("first_paid_subscription_plan", {"start_date": "9999-12-31T00:00:00Z"}),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(post, part, change):
    body = body_of()
    body[part] = body[part] | change
    answer = post(body)
    assert answer.status_code == 400
    assert part in answer.json()["extra"]["fields"]


@pytest.mark.parametrize("missing", ["enterprise_customer", "pending_admins", "trial_subscription_plan"])
def test_what_is_missing_is_refused(post, missing):
    body = body_of()
    del body[missing]
    assert missing in post(body).json()["extra"]["fields"]


def test_a_list_without_admins_is_taken(post):
    answer = post(body_of(pending_admins=[]))
    assert answer.status_code == 201
    assert answer.json()["customer_admins"] == {"created_admins": [], "existing_admins": []}


def test_who_may_provision(simulator):
    statuses = {}
    roles = ("enterprise_provisioning_admin:*", "enterprise_provisioning_admin:acae0000-0000-4000-8000-000000000001")
    for role in (*roles, "enterprise_admin:acae0000-0000-4000-8000-000000000001"):
        client = APIClient()
        token = simulator.tokens.token_for("outsider", roles=[role])
        client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
        statuses[role] = client.post(URL, {}, format="json").status_code
    assert list(statuses.values()) == [400, 403, 403]


@pytest.mark.parametrize(
    "path",
    [
        "default-enterprise-enrollment-intentions/",
        "default-enterprise-enrollment-realizations/",
        "subsidy-access-policies/",
        "learner-credit-requests/overview/",
        "license-requests/overview/",
    ],
)
def test_a_provisioning_admin_reads_nothing_of_customers(simulator, path):
    client = APIClient()
    token = simulator.tokens.token_for("outsider", roles=["enterprise_provisioning_admin:*"])
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    customer = "acae0000-0000-4000-8000-000000000001"
    assert client.get(f"/api/v1/{path}?enterprise_customer_uuid={customer}").status_code in (403, 404)


def test_the_line_item_of_a_plan_is_set_and_set_again(post, world):
    post(body_of())
    uuid = str(Workflow.objects.get().pk)
    url = URL + "/subscription-plan-oli-update"
    for item in ("00k000000000009AAA", "00k000000000008AAA", "00k000000000009AAA"):
        answer = post({"salesforce_opportunity_line_item": item, "workflow_uuid": uuid}, url)
        assert answer.status_code == 200
        assert answer.json()["success"] is True
        paid = world.tables.plans.where(customer=world.customer("alpha").uuid)[1]
        assert paid.line_item == item
        assert answer.json()["subscription_plan_uuid"] == str(paid.uuid)
    trial = {"salesforce_opportunity_line_item": "00k000000000007AAA", "workflow_uuid": uuid, "is_trial": True}
    assert post(trial, url + "/").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"checkout_intent_id": 11}, 400),
        ({"salesforce_opportunity_line_item": "00k000000000009AAA"}, 400),
        ({"salesforce_opportunity_line_item": "00k000000000009AAA", "checkout_intent_id": 99999}, 404),
        (
            {
                "salesforce_opportunity_line_item": "00k000000000009AAA",
                "workflow_uuid": "acae0000-0000-4000-8000-000000000001",
            },
            404,
        ),
    ],
)
def test_a_line_item_for_no_plan_is_refused(post, body, status):
    assert post(body, URL + "/subscription-plan-oli-update").status_code == status


def test_a_workflow_is_told_step_by_step(post, api_as):
    post(body_of())
    uuid = Workflow.objects.get().pk
    answer = api_as("enterprise_access_worker").get(f"{URL}/workflows/{uuid}/")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["state"], found["subject"], found["stopped_at"]) == ("done", "alpha", None)
    assert [step["state"] for step in found["steps"]] == ["done"] * 9
    assert "@" not in answer.content.decode().replace(found["url"], "")
