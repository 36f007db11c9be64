"""One odd row of a bulk answer is one learner's or one course's problem. The others are served in the same round."""

import attrs
import pytest

from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.tests.conftest import clock  # noqa: F401
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    add_learners,
    attempts_of,
    intend,
    realizations_of,
    request_of,
    visit,
)
from simulator.faults import FaultKind
from simulator.seed import ACME_ANNUAL

pytestmark = [pytest.mark.django_db, pytest.mark.names_people]

# Of the fifth of `add_learners`.
NAME, EMAIL = "learner004", "learner004@example.com"
# A license that a page does not tell is asked for alone, and that answer names the plan in another member.
TOLD_ELSEWHERE = {"a license without plan"}
# Where a row is odd: the endpoint, which member of the learner's row, and what it is instead.
ODD = {
    "a link without account": ("lms.learners", "user", None),
    "a link without id": ("lms.learners", "id", None),
    "an id that is text": ("lms.learners", "user_id", "7"),
    "a customer that is inactive in words": ("lms.learners", "active", "yes"),
    "a license without plan": ("license_manager.*", "subscription_plan_uuid", None),
    "a license with a number for a status": ("license_manager.*", "status", 5),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_row_of_one_learner_keeps_nobody_else_waiting(world, simulator, odd):
    endpoint, key, value = ODD[odd]
    intend(DEMO)
    ids = add_learners(world, 12, plan_uuid=ACME_ANNUAL)
    simulator.faults.add(FaultKind.ODD_ROW, endpoint, row_of=EMAIL, keys=[key], value=value, times=None)
    visit(*ids)
    waiting = [] if odd in TOLD_ELSEWHERE else [ids[4]]
    assert [lms_user_id for lms_user_id in ids if DEMO_RUN not in realizations_of(lms_user_id)] == waiting
    assert all(request_of(lms_user_id).waiting_for.endswith("_unavailable") for lms_user_id in waiting)
    simulator.faults.clear()


def test_an_odd_platform_enrollment_of_one_learner_keeps_nobody_else_waiting(world, simulator):
    intend(DEMO)
    ids = add_learners(world, 12, plan_uuid=ACME_ANNUAL)
    visit(ids[4])
    simulator.faults.add(FaultKind.ODD_ROW, "platform.enrollments", row_of=NAME, keys=["is_active"], times=None)
    others = [lms_user_id for lms_user_id in ids if lms_user_id != ids[4]]
    visit(*ids)
    assert all(DEMO_RUN in realizations_of(lms_user_id) for lms_user_id in others)
    # Unknown is not "has left".
    reconcile(limit=100)
    assert realizations_of(ids[4])[DEMO_RUN].left_at is None


def test_a_learner_without_an_address_is_told_so(world):
    intend(DEMO)
    world.add_learner(id=8105, username="noemail", customer="acme", email="x@example.com")
    world.put("address removed", attrs.evolve(world.user("noemail"), email=""))
    visit(8105, ADA)
    assert attempts_of(8105)[-1] == ("blocked", "learner_without_email")
    assert DEMO_RUN in realizations_of(ADA)


def test_a_run_that_the_lms_does_not_know_is_told_so_and_costs_one_read(world):
    world.change_run(run_key=DEMO_RUN, is_in_lms=False)
    intend(DEMO)
    visit(ADA)
    visit(ADA)
    assert attempts_of(ADA)[-1] == ("blocked", "run_unknown_to_lms")
    assert len(world.journal.calls(endpoint="platform.course")) <= 1
