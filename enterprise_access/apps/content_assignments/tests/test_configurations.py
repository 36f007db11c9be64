"""Configurations as operators change them and admins read them: one to a budget, and active as the budget is."""

from uuid import uuid4

import pytest

from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget

from .addresses import CONFIGURATIONS, own_url, post
from .scene import allocated, make_assigned_budget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture
def policy(world):
    return make_assigned_budget()


@pytest.fixture
def admin(api_as):
    return api_as("amy_admin")


@pytest.fixture
def operator(api_as):
    return api_as("enterprise_access_worker")


@pytest.fixture
def learner(api_as):
    return api_as("ada")


def test_each_budget_has_its_own(policy, admin, learner):
    listed = admin.get("/api/v1/assignment-configurations/", {"enterprise_customer_uuid": policy.customer_uuid})
    one = admin.get(own_url(policy, ""))
    assert listed.json()["results"] == [one.json()]
    assert one.json() == {
        "uuid": str(policy.assignment_configuration),
        "subsidy_access_policy": str(policy.pk),
        "enterprise_customer_uuid": str(policy.customer_uuid),
        "active": True,
    }
    assert learner.get(own_url(policy, "")).status_code == 403


def test_only_operators_change_them_and_they_are_active_as_their_budgets_are(policy, admin, operator):
    url = own_url(policy, "")
    assert [admin.patch(url, {"active": False}, format="json").status_code, admin.delete(url).status_code] == [403] * 2
    assert operator.patch(url, {"active": False}, format="json").json()["active"] is False
    policy.refresh_from_db()
    assert policy.active is False
    assert operator.put(url, {"active": True}, format="json").json()["active"] is True
    assert [operator.delete(url).json()["active"], operator.delete(url).status_code] == [False, 200]
    assert admin.get(url).json()["subsidy_access_policy"] == str(policy.pk)
    last = operator.patch(url, {"active": True, "reason": "by mistake"}, format="json")
    assert (last.status_code, policy.history.latest().history_change_reason) == (200, "by mistake")


def test_a_budget_with_money_in_use_is_deactivated_with_force_only(policy, operator):
    allocated(policy)
    answer = operator.delete(own_url(policy, ""))
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_in_use")
    assert operator.delete(own_url(policy, ""), {"force": True}, format="json").status_code == 200


def test_a_budget_has_one_however_often_it_is_asked_for(policy, operator):
    body = {"enterprise_customer_uuid": str(policy.customer_uuid), "subsidy_access_policy": str(policy.pk)}
    known = post(operator, CONFIGURATIONS, {**body, "active": True})
    assert (known.status_code, known.json()["uuid"]) == (200, str(policy.assignment_configuration))
    policy.assignment_configuration = None
    policy.save()
    answers = [post(operator, CONFIGURATIONS, body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"subsidy_access_policy": str(uuid4())}, (404, "policy_unknown")),
        ({"enterprise_customer_uuid": str(uuid4())}, (404, "policy_unknown")),
        ({"active": False}, (409, "assignment_configuration_differs")),
        ({"active": "no"}, (400, "invalid")),
        ({"subsidy_access_policy": None}, (400, "invalid")),
        ({"misspelled": 1}, (400, "invalid")),
    ],
)
def test_what_does_not_fit_the_budget_adds_nothing(policy, operator, change, answer):
    body = {"enterprise_customer_uuid": str(policy.customer_uuid), "subsidy_access_policy": str(policy.pk)}
    got = post(operator, CONFIGURATIONS, {**body, **change})
    assert (got.status_code, got.json()["code"]) == answer


def test_a_budget_that_learners_also_use_otherwise_is_not_deactivated_through_it(operator):
    browsed = make_budget(per_learner_spend_limit=None)
    body = {"enterprise_customer_uuid": str(browsed.customer_uuid), "subsidy_access_policy": str(browsed.pk)}
    none = post(operator, CONFIGURATIONS, body)
    assert (none.status_code, none.json()["code"]) == (422, "policy_not_assignable")
    browsed.bnr_enabled = True
    browsed.save()
    assert post(operator, CONFIGURATIONS, body).status_code == 200
    answer = operator.patch(own_url(browsed, ""), {"active": False}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "assignment_configuration_shared")
    assert operator.patch(own_url(browsed, ""), {}, format="json").status_code == 400
