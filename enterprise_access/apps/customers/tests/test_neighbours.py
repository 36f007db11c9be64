"""A worker account that lacks rights: found out at the start, and nothing is ever read as "there is none"."""

import io
import logging
import threading

import pytest
from celery.signals import worker_ready
from django.core.management import CommandError, call_command
from django.utils import timezone

from enterprise_access.apps.customers import services
from enterprise_access.apps.customers.domain import Learner
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseEnrollment, EnterpriseLearner
from enterprise_access.apps.customers.services import enrollments, sightings
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from simulator.faults import FaultKind
from simulator.seed import ACME, DORMANT, NO_STAFF_KEY, NO_STAFF_SECRET

pytestmark = pytest.mark.django_db

ADA, GRACE, NOBODY = 1001, 1014, 999_999
PROVISIONING = ["LMS, provisioning (provisioning admin)", "license-manager, provisioning (provisioning admin)"]
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"


@pytest.fixture
def without_staff(simulator, settings):
    """Work under an account that has the role, but is not staff."""
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = NO_STAFF_KEY, NO_STAFF_SECRET


@pytest.fixture
def blind_canary(simulator, settings):
    """Name a learner whom the LMS does not list: what an account without rights looks like whose token is silent."""
    settings.LMS_CANARY_USER_ID = NOBODY


@pytest.fixture
def ada():
    customer = EnterpriseCustomer.objects.create(uuid=ACME, slug="acme", name="Acme", fetched_at=timezone.now())
    return EnterpriseLearner.objects.create(
        customer=customer,
        lms_user_id=ADA,
        enterprise_customer_user_id=1,
        username="ada",
        is_linked=True,
        is_active_link=True,
        fetched_at=timezone.now(),
    )


def refused(call):
    with pytest.raises(UpstreamRefused) as caught:
        call()
    return caught.value.reason is UpstreamReason.FORBIDDEN


QUESTIONS = {
    "is the customer active": lambda: services.fetch_customer(customer_uuid=ACME),
    "is there a customer of this name": lambda: services.fetch_customer_by_slug(slug="acme"),
    "are they linked": lambda: services.refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA, NOBODY]),
    "which customer is theirs": lambda: sightings.fetch_active_customers(lms_user_ids=[ADA]),
    "who is linked": lambda: list(services.iterate_linked_learners(customer_uuid=ACME)),
}
OF_STAFF_ONLY = {
    "where are they enrolled": lambda: enrollments.refresh_enrollments(
        learners=services.refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA]).values()
    ),
}


@pytest.mark.parametrize("question", [*QUESTIONS, *OF_STAFF_ONLY])
def test_an_account_that_is_not_staff_is_told_nothing_and_believes_nothing(without_staff, ada, question):
    assert refused((QUESTIONS | OF_STAFF_ONLY)[question])
    ada.refresh_from_db()
    assert (ada.is_linked, ada.customer.is_active, ada.enrollments_fetched_at) == (True, True, None)


def test_an_account_that_is_not_staff_learns_nothing_of_revocations(without_staff, ada):
    learner = Learner(
        lms_user_id=ADA,
        enterprise_customer_user_id=ada.enterprise_customer_user_id,
        username=ada.username,
        is_linked=True,
        is_active_link=True,
        fetched_at=ada.fetched_at,
        enrollments_fetched_at=None,
    )
    services.refresh_enterprise_enrollments(customer_uuid=ACME, learners=[learner], runs={ADA: [DEMO_RUN]})
    assert not EnterpriseEnrollment.objects.exists()


# Of these the LMS shows a right-minded account something, so only questions that end in "no" need the canary.
ENDS_IN_NO = {
    "is the customer active": lambda: services.fetch_customer(customer_uuid=DORMANT),
    "is there a customer of this name": lambda: services.fetch_customer_by_slug(slug="dormant"),
    "are they linked": lambda: services.refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA, GRACE]),
    "which customer is theirs": lambda: sightings.fetch_active_customers(lms_user_ids=[GRACE]),
    "who is linked": lambda: list(services.iterate_linked_learners(customer_uuid=ACME)),
}


@pytest.mark.parametrize("question", ENDS_IN_NO)
def test_no_is_not_believed_when_the_canary_is_not_seen(blind_canary, ada, question):
    assert refused(ENDS_IN_NO[question])
    ada.refresh_from_db()
    assert (ada.is_linked, ada.customer.is_active) == (True, True)


# --- the command ------------------------------------------------------------------------------------------------------


def run():
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("check_neighbours", stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), None


def test_with_all_rights_everything_is_fine(simulator, settings):
    settings.LMS_CANARY_USER_ID = ADA
    out, err, failure = run()
    assert out.count(": fine\n") == 8
    assert (err, failure) == ("", None)
    assert not any(check.problem for check in services.last_neighbour_checks())


def test_without_a_canary_that_is_said(simulator):
    assert "LMS, learners of every customer (staff): not asked: LMS_CANARY_USER_ID names no learner\n" in run()[0]


def test_each_missing_right_is_named(without_staff, settings):
    settings.LMS_CANARY_USER_ID = ADA
    out, err, failure = run()
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "LMS, customers (staff)",
        "LMS, learners of every customer (staff)",
        "LMS, platform enrollments (staff)",
        "license-manager, licenses (staff)",
        *PROVISIONING,
    ]
    assert err.count("FAILED (forbidden: ") == 6
    assert "the account is not staff" in err
    assert out.count(": fine\n") == 2
    assert failure == "6 of 8 checks failed."


def test_the_provisioning_role_is_needed_where_customers_are_provisioned(simulator, settings):
    simulator.world.add_user(id=900, username="worker", is_staff=True, extra_roles=["enterprise_openedx_operator:*"])
    simulator.world.add_client(client_id="key", client_secret="secret", username="worker")
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = "key", "secret"
    _, err, failure = run()
    assert [line.split(":")[0] for line in err.splitlines()] == PROVISIONING
    assert failure == "2 of 8 checks failed."
    settings.PROVISIONING_CATALOG_QUERIES = {}
    out, _, failure = run()
    assert (out.count("not asked: PROVISIONING_CATALOG_QUERIES is empty"), failure) == (2, None)


# --- the start --------------------------------------------------------------------------------------------------------


def start():
    """Start as a worker does, and wait for what that began."""
    worker_ready.send(sender=None)
    for thread in threading.enumerate():
        if thread.name == "check-neighbours":
            thread.join(timeout=10)


@pytest.fixture
def said(settings, caplog):
    """Return a function that starts a worker and returns what was then said, by level."""
    settings.CHECK_NEIGHBOURS_AT_START = True

    def start_and_listen():
        caplog.clear()
        start()
        ours = [record for record in caplog.records if record.name.endswith("services.neighbours")]
        return [(record.levelno, record.getMessage()) for record in ours]

    return start_and_listen


def test_a_start_without_rights_is_an_error_in_plain_words(without_staff, said):
    messages = said()
    assert {level for level, _ in messages} == {logging.ERROR}
    assert all("We may not ask a neighbour what we have to" in message for _, message in messages)
    assert [check.name for check in services.last_neighbour_checks() if check.problem] == [
        "LMS, customers (staff)",
        "LMS, platform enrollments (staff)",
        "license-manager, licenses (staff)",
        *PROVISIONING,
    ]


def test_processes_that_start_together_ask_once(simulator, said):
    assert said() == []
    calls = len(simulator.world.journal.calls())
    assert calls > 0
    said()
    assert len(simulator.world.journal.calls()) == calls


def test_neighbours_that_are_away_stop_no_start_and_are_no_error(simulator, said):
    simulator.faults.add(FaultKind.UNREACHABLE, "*", times=None)
    assert {level for level, _ in said()} == {logging.WARNING}
    assert all(check.is_unavailable for check in services.last_neighbour_checks() if check.problem)


def test_nothing_is_asked_when_that_is_switched_off(simulator, said, settings):
    settings.CHECK_NEIGHBOURS_AT_START = False
    assert said() == []
    assert simulator.world.journal.calls() == []
