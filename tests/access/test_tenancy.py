"""About a learner of somebody else an answer is the one about a learner whom nobody has, in every member."""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.services.learners.explaining import explain_learner
from enterprise_access.apps.default_enrollments.services.learners.explanation_data import as_plain_data
from enterprise_access.apps.default_enrollments.services.learners.status import get_learner_status
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, DEMO_RUN, LINUX, intend, visit
from enterprise_access.apps.default_enrollments.tests.test_api_realizations import realized as make_realization
from enterprise_access.apps.subsidy_access_policies.models import SubsidyTransaction
from enterprise_access.apps.subsidy_access_policies.services import refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_new
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.lib import clock as clock_of_database
from simulator import ledger
from simulator.seed import ACME, GLOBEX
from tests.access.callers import Who, client_of
from tests.access.table import ATTEMPTS, CREDIT, INTENTIONS, REALIZATIONS, RUN_IN_ADDRESS
from tests.setting_up import forget_everything

pytestmark = [pytest.mark.django_db, pytest.mark.names_people]

# Heidi belongs to Globex only. Nobody has the other id.
STRANGER, UNUSED = 2001, 424_242


def nothing(world: Any) -> None:
    """Let us have seen nothing of the stranger."""


def seen(world: Any) -> None:
    """Let us have read everything of the stranger, for her own customer."""
    fetch_customer(customer_uuid=GLOBEX)
    world.enroll(username="heidi", run_key=DEMO_RUN, mode="verified")
    visit(STRANGER, customer=GLOBEX)
    get_learner_status(customer_uuid=GLOBEX, lms_user_id=STRANGER)


def realized(world: Any) -> None:
    """Let her own customer have enrolled her in what Acme intends, too."""
    make_realization(DEMO, learner=STRANGER, customer=GLOBEX)
    seen(world)


def redeemed(world: Any) -> None:
    """Let a budget of her own customer have paid for what Acme's budget would pay for."""
    account = ledger.add_subsidy(world, customer_uuid=GLOBEX, title="Globex's credit")
    copy = refresh_accounts([account.uuid], max_age=timedelta(0), now=clock_of_database.now())[account.uuid]
    budget = make_budget(customer_uuid=GLOBEX, subsidy=copy)
    run = world.run(DEMO_RUN)
    ledger.redeem(
        world,
        account,
        request=ledger.Request(
            lms_user_id=STRANGER, content_key=DEMO_RUN, policy_uuid=budget.pk, metadata={}, idempotency_key="hers"
        ),
        content=ledger.Content(course=world.course(run.course_key), run=run, price=14_900),
        enroll=lambda _: ledger.Enrolled(status=200, fulfillment=str(STRANGER)),
    )
    world.enroll(username="heidi", run_key=DEMO_RUN, mode="verified", customer=GLOBEX)
    reconcile_new()
    assert SubsidyTransaction.objects.filter(lms_user_id=STRANGER).exists()
    seen(world)


def left(world: Any) -> None:
    """Let her have left it again."""
    about = {"left_at": timezone.now(), "left_reason": "learner_unenrolled"}
    make_realization(DEMO, learner=STRANGER, customer=GLOBEX, **about)
    seen(world)
    world.leave(username="heidi", run_key=DEMO_RUN)


PASTS: dict[str, Callable[[Any], None]] = {past.__name__: past for past in (nothing, seen, realized, redeemed, left)}
OF_CREDIT = CREDIT + "enterprise-customer/{customer}/"
ASKED = {
    "explain": ("GET", INTENTIONS + "explain/?enterprise_customer_uuid={customer}&lms_user_id={learner}"),
    "status": ("GET", INTENTIONS + "learner-status/?enterprise_customer_uuid={customer}&lms_user_id={learner}"),
    "realizations": ("GET", REALIZATIONS + "?enterprise_customer_uuid={customer}&lms_user_id={learner}"),
    "attempts": ("GET", ATTEMPTS + "?enterprise_customer_uuid={customer}&lms_user_id={learner}"),
    "all realizations": ("GET", REALIZATIONS + "?lms_user_id={learner}"),
    "all attempts": ("GET", ATTEMPTS + "?lms_user_id={learner}"),
    "realize": ("POST", INTENTIONS + "realize/"),
    "can redeem": ("GET", OF_CREDIT + f"can-redeem/?lms_user_id={{learner}}&content_key={RUN_IN_ADDRESS}"),
    "can request": ("GET", OF_CREDIT + "can-request/?lms_user_id={learner}&content_key=edX%2BDemoX"),
    "explain credit": ("GET", OF_CREDIT + f"explain/?lms_user_id={{learner}}&content_key={RUN_IN_ADDRESS}"),
    "credits": ("GET", CREDIT + "credits_available/?enterprise_customer_uuid={customer}&lms_user_id={learner}"),
}


@pytest.fixture(params=PASTS)
def past(request, world, clock):
    """Let Acme intend courses and have a budget, and the stranger have a past."""
    intend(DEMO, LINUX)
    make_budget()
    PASTS[request.param](world)


@pytest.fixture
def clock():
    """Let all answers be of one instant."""
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


@contextlib.contextmanager
def undone(simulator):
    """Start with nothing remembered, and undo what comes of asking."""
    forget_everything()
    with transaction.atomic(), simulator.world.undoing():
        yield
        transaction.set_rollback(True)


def answer(simulator, who, name, learner):
    return answer_to(client_of(who, simulator), name, learner)


def answer_to(client, name, learner):
    """Return the status, and the body without the id of the learner and that of the request."""
    method, path = ASKED[name]
    path = path.format(customer=ACME, learner=learner)
    body = {"enterprise_customer_uuid": str(ACME), "lms_user_id": learner}
    got = client.post(path, body, format="json") if method == "POST" else client.get(path)
    text = got.content.decode().replace(got.headers["X-Request-ID"], "ID")
    # A random uuid, or a time, may have the same digits in it.
    text = re.sub(rf"(?<![-.0-9a-f]){learner}(?![-0-9a-f])", "LEARNER", text)
    return got.status_code, text


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.usefixtures("past")
def test_an_answer_about_a_stranger_is_the_one_about_nobody(simulator, name):
    for who in (Who.ADMIN, Who.OTHER_LEARNER, Who.NOBODY):
        with undone(simulator):
            about_stranger, about_nobody = (answer(simulator, who, name, learner) for learner in (STRANGER, UNUSED))
        assert about_stranger == about_nobody, who


@pytest.mark.parametrize("name", [name for name in ASKED if not name.startswith("all")])
@pytest.mark.usefixtures("past")
def test_an_operator_of_one_customer_is_told_no_more(simulator, name):
    client = client_of(Who.OPERATOR, simulator)
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_openedx_operator:{ACME}"])
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    assert answer_to(client, name, STRANGER) == answer_to(client, name, UNUSED)


@pytest.mark.usefixtures("past")
def test_the_staff_page_explains_a_stranger_as_it_explains_nobody():
    told = []
    for learner in (STRANGER, UNUSED):
        explanation = as_plain_data(explain_learner(customer_uuid=ACME, lms_user_id=learner))
        assert explanation.pop("lms_user_id") == learner
        told.append(repr(explanation).replace(f"Learner {learner} ", "Learner X "))
    assert told[0] == told[1]


def test_what_a_learner_does_elsewhere_is_hidden_once_the_link_has_ended(world, clock):
    intend(DEMO)
    visit(1001)
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    world.unlink(username="ada", customer="acme")
    clock.shift(3600)
    (entry,) = as_plain_data(explain_learner(customer_uuid=ACME, lms_user_id=1001))["intentions"]
    assert entry["enrollments"] == []
    assert len(entry["realizations"]) == 1


def test_asking_takes_the_same_calls_for_a_stranger_and_for_nobody(world, simulator):
    intend(DEMO, LINUX)
    realized(world)
    counts = []
    for learner in (STRANGER, UNUSED):
        world.journal.forget()
        answer(simulator, Who.ADMIN, "explain", learner)
        counts.append([call.endpoint for call in world.journal.calls()])
    assert counts[0] == counts[1]
