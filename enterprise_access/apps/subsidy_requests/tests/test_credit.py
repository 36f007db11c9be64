"""Learner credit: asked for at our price, promised and assigned in the approving transaction, followed to its end."""

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.content_assignments.services import transitions as assignments
from enterprise_access.apps.content_assignments.tests.scene import (
    PRICE,
    allocated,
    check_money,
    held_cents,
    make_assigned_budget,
)
from enterprise_access.apps.subsidy_access_policies.errors import PolicyInvalid
from enterprise_access.apps.subsidy_access_policies.services.policies.changing import change_policy
from enterprise_access.apps.subsidy_access_policies.services.policies.saving import By
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    AMY,
    BEN,
    COUPON,
    CREDIT,
    DEMO,
    HAL,
    LICENSE,
    LINUX,
    made,
    make_asked_budget,
    states,
    story,
    takes,
)
from enterprise_access.lib import clock
from simulator.seed import ACME, GLOBEX

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


def ask(client, budget, course=DEMO, **about):
    return client.post(PATH, {**body(policy_uuid=budget.pk, course_id=course), **about}, format="json")


def asked(budget, learner=HAL, **about):
    return made(learner, kind=CREDIT, policy_uuid=budget.pk, **about)


def approve(client, budget, *rows):
    uuids = [str(getattr(row, "pk", row)) for row in rows]
    return client.post(
        f"{PATH}approve/", {**body(policy_uuid=budget.pk), "learner_credit_request_uuids": uuids}, format="json"
    )


def assignment_of(row):
    row.refresh_from_db()
    return LearnerContentAssignment.objects.get(pk=row.assignment_uuid)


# --- asking -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("guess", [1, 0, None, 999_999])
def test_the_price_is_the_catalogs_whatever_the_client_thinks(api_as, budget, guess):
    answer = ask(api_as("hal"), budget, course_price=guess)
    assert answer.status_code == 201, answer.json()
    found = answer.json()
    assert (found["course_price"], found["state"], found["assignment"]) == (PRICE, "requested", None)
    assert found["learner_credit_request_config"] == str(budget.learner_credit_request_config)
    assert found["latest_action"]["recent_action"] == found["latest_action"]["status"] == "requested"
    assert "traceback" not in found["latest_action"]
    assert [partner["name"] for partner in found["course_partners"]] == ["edX University"]
    mine = {"enterprise_customer_uuid": str(ACME), "user__email": "hal@example.com", "state": "requested"}
    (listed,) = api_as("hal").get(PATH, mine).json()["results"]
    assert listed == found | {"learner_request_state": "requested"}


def test_asking_again_returns_the_open_one_or_takes_up_the_one_that_ended(api_as, budget):
    hal = api_as("hal")
    first = ask(hal, budget).json()["uuid"]
    assert (ask(hal, budget).status_code, ask(hal, budget).json()["uuid"]) == (200, first)
    hal.delete(f"{PATH}{first}/")
    again = ask(hal, budget)
    assert (again.status_code, again.json()["uuid"], again.json()["state"]) == (200, first, "requested")
    SubsidyRequest.objects.update(state=RequestState.DECLINED.value, open_key=None)
    new = ask(hal, budget)
    assert (new.status_code, new.json()["uuid"] != first) == (201, True)


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"learner_credit_request_config": None}, "browse_and_request_disabled"),
        ({"active": False}, "browse_and_request_disabled"),
        ({"retired": True}, "browse_and_request_disabled"),
    ],
    ids=str,
)
def test_a_budget_that_takes_no_requests_refuses(world, api_as, about, code):
    answer = ask(api_as("hal"), make_asked_budget(**about))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_what_cannot_be_asked_for(api_as, budget):
    hal = api_as("hal")
    assert ask(hal, budget, course="NowhereX+NONE1").json()["code"] == "content_not_in_catalog"
    assert ask(hal, make_asked_budget(customer_uuid=GLOBEX)).status_code == 404
    assert hal.post(PATH, body(policy_uuid=uuid4(), course_id=DEMO), format="json").status_code == 404
    for wrong in ({"course_price": -5}, {"course_price": "a lot"}, {"policy_uuid": "nope"}, {"course_id": ""}):
        assert ask(hal, budget, **wrong).status_code == 400, wrong


# --- approving --------------------------------------------------------------------------------------------------------


def test_approving_promises_the_money_and_assigns_the_course(amy, api_as, budget):
    rows = [asked(budget, HAL, email="hal@example.com"), asked(budget, BEN, email="ben@example.com")]
    answer = approve(amy, budget, *rows)
    assert (answer.status_code, answer.content) == (200, b"")
    for row in rows:
        assignment = assignment_of(row)
        assert (row.state, row.course_price, row.reviewer_lms_user_id) == ("approved", PRICE, AMY)
        assert (assignment.state, assignment.lms_user_id) == ("allocated", row.lms_user_id)
        assert story(row) == [("approved", "")]
    assert held_cents(budget) == 2 * PRICE
    check_money(budget)
    shown = api_as("hal").get(f"{PATH}{rows[0].pk}/").json()
    assert (shown["assignment"], shown["learner_request_state"]) == (str(rows[0].assignment_uuid), "waiting")
    assert approve(amy, budget, *rows).status_code == 200
    assert held_cents(budget) == 2 * PRICE


def test_too_little_money_for_all_approves_none(amy, world):
    budget = make_asked_budget(spend_limit=2 * PRICE)
    rows = [asked(budget, learner, email=f"{learner}@example.com") for learner in (ADA, BEN, HAL)]
    answer = approve(amy, budget, *rows)
    assert (answer.status_code, answer.json()["code"]) == (422, "credit_refused")
    assert answer.json()["extra"]["reason"] == "policy_spend_limit_reached"
    assert states(*rows) == ["requested"] * 3
    assert not LearnerContentAssignment.objects.exists()
    assert held_cents(budget) == 0
    assert approve(amy, budget, *rows[:2]).status_code == 200
    check_money(budget)


def test_one_course_that_cannot_be_paid_approves_none_and_is_named(amy, budget):
    good, bad = asked(budget, HAL), asked(budget, BEN, course_id="NowhereX+NONE1")
    answer = approve(amy, budget, good, bad)
    assert answer.status_code == 422
    assert answer.json()["extra"] == {"reason": "content_not_in_catalog", "requests": [str(bad.pk)]}
    assert states(good, bad) == ["requested", "requested"]


@pytest.mark.parametrize(
    ("endpoint", "reason"), [("catalog.*", "content_unavailable"), ("subsidy.*", "subsidy_unavailable")]
)
def test_what_could_not_be_asked_is_no_refusal_for_good(simulator, amy, budget, endpoint, reason):
    row = asked(budget)
    simulator.faults.add("unreachable", endpoint, times=None)
    type(budget.subsidy).objects.update(fetched_at=clock.now() - timedelta(hours=1))
    answer = approve(amy, budget, row)
    assert (answer.status_code, answer.json()["extra"]["reason"]) == (422, reason)
    assert states(row) == ["requested"]


def test_requests_of_another_budget_or_customer_do_not_exist(amy, budget):
    mine, other = asked(budget), asked(make_asked_budget(), BEN)
    assert approve(amy, budget, mine, other).status_code == 404
    assert approve(amy, budget, mine, uuid4()).status_code == 404
    assert states(mine, other) == ["requested", "requested"]


def test_a_course_that_is_assigned_already_is_refused(amy, budget):
    first = asked(budget, HAL, email="hal@example.com")
    approve(amy, budget, first)
    SubsidyRequest.objects.filter(pk=first.pk).update(open_key=None, state="declined", assignment_uuid=None)
    answer = approve(amy, budget, asked(budget, HAL, email="hal@example.com"))
    assert (answer.status_code, answer.json()["extra"]["reason"]) == (422, "already_assigned")
    check_money(budget)


# --- afterwards -------------------------------------------------------------------------------------------------------


ENDS = {
    "accepted": lambda uuid, now: assignments.accept(uuid, transaction_uuid=uuid4(), lms_user_id=HAL, now=now),
    "cancelled": lambda uuid, now: assignments.cancel([uuid], now=now),
    "expired": lambda uuid, now: assignments.expire([uuid], reason=ExpirationReason.NINETY_DAYS_PASSED, now=now),
    "error": lambda uuid, now: assignments.error(uuid, reason="internal_api_error", now=now),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_request_follows_its_assignment_and_can_be_asked_for_again(amy, api_as, budget, end):
    row = asked(budget, HAL, email="hal@example.com")
    approve(amy, budget, row)
    ENDS[end](assignment_of(row).pk, clock.now())
    row.refresh_from_db()
    assert (row.state, row.latest_action_type) == (end, end)
    if end == "accepted":
        assignments.reverse(row.assignment_uuid, now=clock.now())
        assert states(row) == ["reversed"]
    if end == "error":
        assert (row.error_reason, row.learner_request_state) == ("assignment_failed", "failed")
    else:
        assert ask(api_as("hal"), budget).json()["uuid"] == str(row.pk)
        assert SubsidyRequest.objects.get().assignment_uuid is None
    assert approve(amy, budget, row).status_code == 200
    assert (states(row), assignment_of(row).state) == (["approved"], "allocated")


def test_an_assignment_that_is_given_again_belongs_to_the_newest_request(amy, api_as, budget):
    first = asked(budget, HAL, email="hal@example.com")
    approve(amy, budget, first)
    uuid = assignment_of(first).pk
    assignments.accept(uuid, transaction_uuid=uuid4(), lms_user_id=HAL, now=clock.now())
    second = SubsidyRequest.objects.get(pk=ask(api_as("hal"), budget).json()["uuid"])
    assert second.pk != first.pk
    assignments.reverse(uuid, now=clock.now())
    assert approve(amy, budget, second).status_code == 200
    assert (assignment_of(second).pk, states(first, second)) == (uuid, ["reversed", "approved"])
    first.refresh_from_db()
    assert first.assignment_uuid is None


def test_cancelling_gives_the_money_back(amy, budget):
    row = asked(budget)
    call = lambda: amy.post(f"{PATH}cancel/", body(request_uuid=row.pk), format="json")  # noqa: E731
    assert (call().status_code, states(row)) == (422, ["requested"])
    approve(amy, budget, row)
    for _ in range(2):
        answer = call()
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert (assignment_of(row).state, held_cents(budget)) == ("cancelled", 0)
    assert row.actions.get(type="cancelled").actor_lms_user_id == AMY
    check_money(budget)


def test_reminding(amy, budget):
    row = asked(budget)
    call = lambda: amy.post(f"{PATH}remind/", body(learner_credit_request_uuid=row.pk), format="json")  # noqa: E731
    assert call().status_code == 422
    approve(amy, budget, row)
    answer = call()
    assert (answer.status_code, answer.content) == (200, b"")
    listed = amy.get(PATH, {"latest_action_status": "reminded"}).json()["results"]
    assert [(one["latest_action"]["status"], one["state"]) for one in listed] == [("reminded", "approved")]


def test_declining_one(amy, budget):
    row, failed = asked(budget), asked(budget, BEN, state=RequestState.ERROR)
    for one in (row, failed):
        about = {**body(subsidy_request_uuid=one.pk, decline_reason="Not now"), "send_notification": True}
        answer = amy.post(f"{PATH}decline/", about, format="json")
        assert (answer.json()["state"], answer.json()["decline_reason"]) == ("declined", "Not now")
    assert amy.post(f"{PATH}decline/", body(subsidy_request_uuid=row.pk), format="json").status_code == 422


def test_the_list_of_a_budget_has_constant_statements(amy, budget, django_assert_num_queries):
    rows = [asked(budget, 7000 + number, email=f"{number}@example.com", course_id=LINUX) for number in range(12)]
    asked(make_asked_budget(), HAL)

    def found(**about):
        answer = amy.get(PATH, {"policy_uuid": str(budget.pk), "enterprise_customer_uuid": str(ACME), **about})
        return [one["uuid"] for one in answer.json()["results"]]

    found()
    for size in (2, 12):
        with django_assert_num_queries(6):
            assert len(found(page_size=str(size))) == size
    approve(amy, budget, rows[0])
    assert found(state="approved", ordering="-latest_action_time") == [str(rows[0].pk)]
    assert found(learner_request_state__in="waiting,failed", ordering="") == [str(rows[0].pk)]
    assert found(state="requested,declined,cancelled,errored", page_size="100", ordering="requestDate")[-1] == str(
        rows[1].pk
    )
    overview = amy.get(f"{PATH}overview/", {"policy_uuid": str(budget.pk), "enterprise_customer_uuid": str(ACME)})
    assert overview.json() == [{"state": "requested", "count": 11}, {"state": "approved", "count": 1}]


def test_a_customer_asks_in_one_way(amy, budget):
    takes(None, subsidy_requests_enabled=False)
    address = f"/api/v1/customer-configurations/{ACME}/"
    for changes, status in (
        ({"subsidy_type": "license"}, 200),
        ({"subsidy_requests_enabled": True}, 400),
        ({"subsidy_type": "budget", "subsidy_requests_enabled": True}, 200),
        ({"subsidy_type": "coupon"}, 400),
    ):
        assert amy.patch(address, changes, format="json").status_code == status, changes


@pytest.mark.parametrize(
    ("kind", "is_on", "is_refused"),
    [(LICENSE, True, True), (COUPON, True, True), (CREDIT, True, False), (LICENSE, False, False)],
)
def test_a_budget_takes_no_requests_where_learners_ask_for_licenses_or_codes(world, kind, is_on, is_refused):
    takes(kind, subsidy_requests_enabled=is_on)
    off, asleep = make_asked_budget(learner_credit_request_config=None), make_asked_budget(active=False)
    for policy, changes in ((off, {"bnr_enabled": True}), (asleep, {"active": True})):
        change = partial(change_policy, policy.pk, changes=changes, by=By(), now=clock.now())
        if is_refused:
            with pytest.raises(PolicyInvalid) as refused:
                change()
            assert list(refused.value.problems) == ["bnr_enabled"]
        else:
            change()
    # What takes requests already can be changed otherwise.
    change_policy(make_asked_budget().pk, changes={"description": "Old"}, by=By(), now=clock.now())


def test_an_assignment_of_no_request_changes_none(world, budget):
    other = make_assigned_budget()
    row = asked(budget)
    assignments.cancel([allocated(other).pk], now=clock.now())
    assert states(row) == ["requested"]
