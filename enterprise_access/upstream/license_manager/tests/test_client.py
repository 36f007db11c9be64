"""What license-manager is asked, and as whom; and what is never sent."""

from uuid import UUID

import pytest
import requests

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused, UpstreamUnavailable
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.tests.neighbours import Neighbour, answer
from enterprise_access.upstream.tests.recorded import recording

ACME = UUID("8ff3d0c2-fa6d-4be2-913d-6ae5294fcf18")
PLAN = UUID("9549efae-19fb-49a2-837c-d4da6a4af143")
KEY = UUID("3526ea1b-e30e-4684-8244-e33eca53381a")
AGREEMENT = UUID("75c52d9b-b4d2-4a9e-a366-57d199ddd852")
TOKEN = "own.token"
EMPTY = answer({"results": [], "next": None})


def recorded(name):
    return recording("license-manager", name).reply


def ask(neighbour):
    return neighbour.client(LicenseManagerClient)


def test_an_address_with_a_plus_is_percent_encoded():
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_licenses_of(customer_uuid=ACME, user_email="ada+work@acme.example")
    assert neighbour.sent[0].url.endswith(
        f"/api/v1/admin-license-view/?enterprise_customer_uuid={ACME}&user_email=ada%2Bwork%40acme.example"
    )
    assert neighbour.authorizations == ["JWT scripted.worker.token"]


def test_licenses_of_a_plan_are_asked_for_in_large_pages():
    neighbour = Neighbour(recorded("licenses-list-by-status"), recorded("licenses-list-revoked"))
    found = ask(neighbour).list_plan_licenses(plan_uuid=PLAN, statuses=["assigned", "activated"])
    assert len(found) == 5
    query = [("page_size", "500"), ("status", "assigned,activated")]
    path = f"/api/v1/subscriptions/{PLAN}/licenses/"
    assert neighbour.asked == [(path, query), (path, [*query, ("page", "2")])]


def test_an_agreement_of_somebody_else_is_not_the_customers():
    assert ask(Neighbour(recorded("customer-agreement-list"))).get_agreement(customer_uuid=ACME) is None


def test_own_licenses_are_asked_for_as_the_learner_with_the_parameters_of_the_portal():
    neighbour = Neighbour(recorded("learner-licenses-two-current-plans"))
    own = ask(neighbour).list_own_licenses(learner_token=TOKEN, customer_uuid=ACME)
    assert (len(own.licenses), own.agreement.customer_uuid) == (2, ACME)
    assert neighbour.authorizations == ["JWT own.token"]
    assert neighbour.asked == [
        (
            "/api/v1/learner-licenses/",
            [
                ("enterprise_customer_uuid", str(ACME)),
                ("include_revoked", "true"),
                ("current_plans_only", "false"),
                ("page_size", "100"),
            ],
        )
    ]


def test_activating_and_auto_applying_are_posted_as_the_learner_without_a_body():
    neighbour = Neighbour(recorded("license-activation-ok"))
    client = ask(neighbour)
    assert client.activate(learner_token=TOKEN, activation_key=KEY).status == "activated"
    assert client.auto_apply(learner_token=TOKEN, agreement_uuid=AGREEMENT).status == "activated"
    assert neighbour.asked == [
        ("/api/v1/license-activation/", [("activation_key", str(KEY))]),
        (f"/api/v1/customer-agreement/{AGREEMENT}/auto-apply/", []),
    ]
    assert {request.method for request in neighbour.sent} == {"POST"}
    assert [request.body for request in neighbour.sent] == [None, None]
    assert neighbour.authorizations == ["JWT own.token"] * 2


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.activate(learner_token=TOKEN, activation_key=KEY),
        lambda client: client.auto_apply(learner_token=TOKEN, agreement_uuid=AGREEMENT),
    ],
)
@pytest.mark.parametrize(
    "reply", [requests.ReadTimeout(), answer({}, status=502), answer({}, status=200), answer({}, status=204)]
)
def test_a_lost_answer_to_a_write_is_said_to_be_lost_and_not_asked_for_again(call, reply):
    neighbour = Neighbour(reply)
    with pytest.raises((UpstreamUnavailable, UpstreamChanged)) as caught:
        call(ask(neighbour))
    assert caught.value.may_have_happened
    assert len(neighbour.sent) == 1


def test_a_lock_is_to_be_waited_for():
    with pytest.raises(UpstreamUnavailable) as caught:
        ask(Neighbour(recorded("licenses-assign-locked"))).auto_apply(learner_token=TOKEN, agreement_uuid=AGREEMENT)
    assert caught.value.reason is UpstreamReason.LOCKED


@pytest.mark.parametrize("reply", [answer({"detail": "Not found."}, status=404), recorded("licenses-retrieve-unknown")])
def test_the_look_up_knows_its_own_empty_404_only(reply):
    with pytest.raises(UpstreamRefused) as caught:
        ask(Neighbour(reply)).staff_lookup(user_email="nobody@acme.example")
    assert caught.value.reason is UpstreamReason.NOT_FOUND


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.list_licenses_of(customer_uuid="acme", user_email="ada@acme.example"),
        lambda client: client.list_licenses_of(customer_uuid=ACME, user_email="ada"),
        lambda client: client.list_plans(customer_uuid="nope"),
        lambda client: client.list_plan_licenses(plan_uuid="nope"),
        lambda client: client.list_plan_licenses(plan_uuid=PLAN, statuses=["activated", "used"]),
        lambda client: client.get_agreement(customer_uuid=None),
        lambda client: client.staff_lookup(user_email=""),
        lambda client: client.list_own_licenses(learner_token=TOKEN, customer_uuid="nope"),
        lambda client: client.list_own_licenses(learner_token="a\nb", customer_uuid=ACME),
        lambda client: client.activate(learner_token=TOKEN, activation_key="abc"),
        lambda client: client.auto_apply(learner_token=TOKEN, agreement_uuid=None),
    ],
)
def test_malformed_input_is_not_sent(call):
    with pytest.raises(UpstreamRefused) as caught:
        call(ask(Neighbour()))
    assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY
