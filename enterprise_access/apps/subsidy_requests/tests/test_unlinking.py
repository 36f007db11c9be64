"""Declining with unlinking: a worker unlinks in the LMS, and a failing LMS loses nothing."""

import pytest
import time_machine

from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, UnlinkRequest
from enterprise_access.apps.subsidy_requests.services.people import forget_learner
from enterprise_access.apps.subsidy_requests.services.unlinking import unlink_due
from enterprise_access.apps.subsidy_requests.tests.made import ADA, COUPON, CREDIT, HAL, LICENSE, made, states
from enterprise_access.lib.timeline import get_timeline
from simulator.faults import FaultKind
from simulator.seed import ACME, GLOBEX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

PATHS = {LICENSE: "license-requests", COUPON: "coupon-code-requests", CREDIT: "learner-credit-requests"}


@pytest.fixture
def amy(api_as):
    return api_as("amy_admin")


def asked(world, username="hal", **about):
    """Return a request of a learner who is linked to Acme."""
    user = world.user(username)
    return made(user.id, email=user.email.upper(), **about)


def decline(amy, row, *, customer=ACME, is_unlinking=True):
    body = {"enterprise_customer_uuid": str(customer)}
    if row.kind is CREDIT:
        body |= {"subsidy_request_uuid": str(row.pk), "disassociate_from_org": is_unlinking}
    else:
        body |= {"subsidy_request_uuids": [str(row.pk)], "unlink_users_from_enterprise": is_unlinking}
    return amy.post(f"/api/v1/{PATHS[row.kind]}/decline/", body, format="json")


def is_linked(world, row):
    return world.tables.links.get((row.customer_uuid, row.lms_user_id)).is_linked


@pytest.mark.parametrize("kind", [LICENSE, COUPON, CREDIT])
def test_the_learner_of_a_declined_request_is_unlinked_once_if_that_is_wanted(world, amy, kind):
    row, kept = asked(world, kind=kind), asked(world, "ada", kind=kind)
    assert decline(amy, row).status_code == decline(amy, kept, is_unlinking=False).status_code == 200
    # (The answer waits for no LMS.)
    assert is_linked(world, row)
    assert unlink_due() == 1
    assert (is_linked(world, row), is_linked(world, kept)) == (False, True)
    assert unlink_due() == 0


def test_an_lms_that_fails_delays_the_unlinking_and_never_loses_it(world, amy, simulator):
    row = asked(world)
    simulator.faults.add(FaultKind.STATUS, "lms.unlink_users", status=503, times=1)
    decline(amy, row)
    unlink_due()
    waiting = UnlinkRequest.objects.get()
    assert (is_linked(world, row), states(row), waiting.failures) == (True, ["declined"], 1)
    assert waiting.waiting_for.startswith("lms_")
    with time_machine.travel(waiting.due_at, tick=False):
        unlink_due()
    assert not is_linked(world, row)


def test_an_address_that_the_lms_refuses_holds_up_no_other_and_stays_to_be_seen(world, amy):
    good, refused, without = asked(world), made(ADA, email="bad@nowhere.invalid"), made(7001, email="")
    for row in (good, refused, without):
        decline(amy, row)
    unlink_due()
    assert not is_linked(world, good)
    waiting = dict(UnlinkRequest.objects.exclude(due_at=None, failed_at=None).values_list("pk", "waiting_for"))
    assert waiting.keys() == {refused.pk, without.pk}
    assert waiting[without.pk] == "no_email"


def test_a_request_that_is_not_declined_unlinks_nobody(world, amy):
    done, declined = asked(world, state=RequestState.APPROVED), asked(world, "ada", state=RequestState.DECLINED)
    foreign = made(HAL, customer=GLOBEX, email="hal@example.com")
    assert [decline(amy, row).status_code for row in (done, declined, foreign)] == [422, 200, 404]
    assert not UnlinkRequest.objects.exists()


def test_a_person_who_is_retired_leaves_nothing_to_unlink(world, amy):
    row = asked(world)
    decline(amy, row)
    forget_learner(lms_user_id=row.lms_user_id)
    assert not UnlinkRequest.objects.exists()
    assert not SubsidyRequest.objects.exists()


def test_the_timeline_of_a_learner_tells_of_requests(world, amy):
    row, _other = asked(world), asked(world, "ada")
    decline(amy, row)
    events = [one for one in get_timeline(customer_uuid=ACME, lms_user_id=HAL).events if "request" in one.about]
    assert [(event.kind, event.about["request"]) for event in events] == [("request_declined", str(row.pk))]
