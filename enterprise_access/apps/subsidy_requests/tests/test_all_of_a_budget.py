"""Approving or declining every undecided request of a budget in one call: all of them, or none."""

import pytest

from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, UnlinkRequest
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    BEN,
    CREDIT,
    DEMO,
    HAL,
    LINUX,
    made,
    make_asked_budget,
    states,
)
from enterprise_access.lib import clock
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

PATH = "/api/v1/learner-credit-requests/"


@pytest.fixture
def budget(world):
    return make_asked_budget()


@pytest.fixture
def amy(api_as):
    return api_as("amy_admin")


def body(**about):
    return {"enterprise_customer_uuid": str(ACME), **{name: str(value) for name, value in about.items()}}


def asked(budget, learner=HAL, **about):
    return made(learner, kind=CREDIT, policy_uuid=budget.pk, **about)


def test_approving_all_of_a_budget(amy, budget):
    rows, other = [asked(budget, ADA), asked(budget, BEN)], asked(make_asked_budget(), HAL)
    call = lambda: amy.post(f"{PATH}approve-all/", body(policy_uuid=budget.pk), format="json")  # noqa: E731
    answer = call()
    assert (answer.status_code, answer.content) == (202, b"")
    assert states(*rows, other) == ["approved", "approved", "requested"]
    assert call().status_code == 404
    assert amy.post(f"{PATH}approve-all/", body(), format="json").status_code == 400


def test_declining_all_undecided_of_a_budget(amy, budget):
    rows, failed = [asked(budget, ADA), asked(budget, BEN)], asked(budget, HAL, state=RequestState.ERROR)
    other = asked(make_asked_budget(), HAL, course_id=LINUX)
    wanted = {"decline_reason": "No money", "send_notification": True, "disassociate_from_org": True}
    call = lambda: amy.post(f"{PATH}decline-all/", {**body(policy_uuid=budget.pk), **wanted}, format="json")  # noqa: E731
    answer = call()
    assert (answer.status_code, answer.content) == (202, b"")
    assert states(*rows, failed, other) == ["declined", "declined", "error", "requested"]
    assert set(SubsidyRequest.objects.filter(state="declined").values_list("decline_reason", flat=True)) == {"No money"}
    mailed = Notification.objects.filter(kind="request_declined").values_list("subject", flat=True)
    assert set(mailed) == {row.pk for row in rows}
    assert set(UnlinkRequest.objects.values_list("pk", flat=True)) == {row.pk for row in rows}
    assert call().status_code == 404
    assert amy.post(f"{PATH}decline-all/", body(), format="json").status_code == 400


@pytest.mark.parametrize("verb", ["approve-all", "decline-all"])
def test_too_many_for_one_call_are_refused_and_none_is_decided(amy, budget, verb):
    now = clock.now()
    about = {"email": "a@example.com", "course_id": DEMO, "policy_uuid": budget.pk, "customer_uuid": ACME}
    SubsidyRequest.objects.bulk_create(
        SubsidyRequest(subsidy_type="learner_credit", lms_user_id=number, latest_action_at=now, **about)
        for number in range(1, 1002)
    )
    answer = amy.post(f"{PATH}{verb}/", body(policy_uuid=budget.pk), format="json")
    assert (answer.status_code, answer.json()["extra"]["reason"]) == (422, "too_many_requests")
    assert not SubsidyRequest.objects.exclude(state="requested").exists()
