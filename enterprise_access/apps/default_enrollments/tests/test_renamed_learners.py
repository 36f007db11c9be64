"""A learner is an LMS user id: a username that changes, or passes to somebody else, changes nothing for anybody."""

from datetime import timedelta

import pytest

from enterprise_access.apps.customers.selectors import list_enrollments, list_learners
from enterprise_access.apps.customers.services.enrollments import refresh_enrollments
from enterprise_access.apps.default_enrollments.services.learners.explaining import explain_learner
from enterprise_access.apps.default_enrollments.services.learners.status import get_learner_status
from enterprise_access.apps.default_enrollments.services.realizing.facts import fetch_facts
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    intend,
    realizations_of,
    visit,
)
from simulator.seed import ACME

pytestmark = [pytest.mark.django_db, pytest.mark.names_people]

OTHER = 9_001
AGES = {"just now": timedelta(), "a minute": timedelta(seconds=61), "two hours": 2 * HOUR, "two days": 2 * DAY}


@pytest.fixture
def realized(world):
    """Let Ada be enrolled."""
    intend(DEMO)
    visit(ADA)
    return world


def pass_the_name_on(world, *, leaves=True):
    """Rename Ada, and let somebody else of the customer take the old name, and leave the course."""
    world.rename_user(username="ada", new_username="ada_lovelace")
    world.add_learner(id=OTHER, username="ada", customer="acme", email="other@example.com")
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified", customer="acme")
    if leaves:
        world.leave(username="ada", run_key=DEMO_RUN)


READERS = {
    "status": lambda: get_learner_status(customer_uuid=ACME, lms_user_id=ADA),
    "explain": lambda: explain_learner(customer_uuid=ACME, lms_user_id=ADA),
    "facts": lambda: fetch_facts(customer_uuid=ACME, lms_user_ids=[ADA]),
    "reconcile": lambda: reconcile(limit=100),
    "copies": lambda: refresh_enrollments(learners=list_learners(customer_uuid=ACME, lms_user_ids=[ADA]).values()),
    "visit": lambda: visit(ADA),
}


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("reader", READERS)
def test_another_bearer_of_the_name_leaving_is_not_the_learner_leaving(realized, clock, reader, age):
    pass_the_name_on(realized)
    clock.shift(AGES[age])
    READERS[reader]()
    assert realizations_of(ADA)[DEMO_RUN].left_at is None
    assert [row.is_active for row in list_enrollments(lms_user_ids=[ADA])[ADA]] == [True]


@pytest.mark.parametrize("reader", sorted(READERS.keys() - {"copies"}))
def test_the_learner_leaving_is_noticed_under_the_new_name(realized, clock, reader):
    pass_the_name_on(realized, leaves=False)
    realized.leave(username="ada_lovelace", run_key=DEMO_RUN)
    clock.shift(HOUR)
    READERS[reader]()
    assert realizations_of(ADA)[DEMO_RUN].left_at is not None


@pytest.mark.parametrize("seconds", [0, 30, 61, 90, 299, 301])
def test_status_after_a_rename_is_about_the_id(realized, api_as, clock, seconds):
    client = api_as("ada")
    url = f"/api/v1/default-enterprise-enrollment-intentions/learner-status/?enterprise_customer_uuid={ACME}"
    client.get(url)
    realized.rename_user(username="ada", new_username="ada_lovelace")
    clock.shift(timedelta(seconds=seconds))
    assert client.get(url).json()["metadata"]["total_already_enrolled"] == 1


@pytest.mark.parametrize("reader", ["reconcile", "copies", "facts"])
def test_of_a_learner_whom_nobody_links_any_more_the_name_is_unknown(realized, clock, reader):
    pass_the_name_on(realized)
    realized.unlink(username="ada_lovelace", customer="acme")
    realized.journal.forget()
    clock.shift(2 * HOUR)
    READERS[reader]()
    assert realizations_of(ADA)[DEMO_RUN].left_at is None
    assert realized.journal.calls(endpoint="platform.enrollments") == []
