"""A learner got a license: what waits for one is looked at now, and what the LMS refused may be tried again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.realizing.refusals import list_refusals
from enterprise_access.apps.default_enrollments.services.requests.license_changes import licenses_changed
from enterprise_access.apps.default_enrollments.services.requests.work_items import claim
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DEMO,
    DEMO_RUN,
    MAX,
    MINUTE,
    attempts_of,
    intend,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db

NOT_ACTIVATED = ("blocked", "license_not_activated")


def activate_license_of(world, username):
    world.activate(license_uuid=world.licenses_of(username)[0].uuid, username=username)


def test_who_waits_for_a_license_is_enrolled_at_once(world, clock):
    intend(DEMO)
    visit(BEN)
    assert attempts_of(BEN) == [NOT_ACTIVATED]
    clock.shift(MINUTE)
    activate_license_of(world, "ben")
    licenses_changed(customer_uuid=ACME, lms_user_id=BEN)
    assert request_of(BEN).due_at == timezone.now()
    work()
    assert DEMO_RUN in realizations_of(BEN)
    assert request_of(BEN).trigger == Trigger.LICENSE


def test_without_it_the_learner_would_have_waited_until_tomorrow(world, clock):
    intend(DEMO)
    visit(BEN)
    activate_license_of(world, "ben")
    clock.shift(MINUTE)
    work()
    assert realizations_of(BEN) == {}


def test_a_worker_who_is_busy_with_the_learner_looks_again(world, clock):
    intend(DEMO)
    visit(BEN)
    RealizationRequest.objects.update(due_at=timezone.now())
    with claim(customer_uuid=ACME, limit=10, now=timezone.now()) as lease:
        licenses_changed(customer_uuid=ACME, lms_user_id=BEN)
        assert request_of(BEN).generation > lease.requests[0].generation
    assert request_of(BEN).due_at == timezone.now()


def test_who_was_never_looked_at_is_owed_a_look(world, clock):
    intend(DEMO)
    licenses_changed(customer_uuid=ACME, lms_user_id=ADA)
    work()
    assert DEMO_RUN in realizations_of(ADA)


def test_a_customer_whom_we_never_met_intends_nothing(world):
    licenses_changed(customer_uuid=GLOBEX, lms_user_id=ADA)
    assert not RealizationRequest.objects.exists()
    assert world.journal.calls() == []


# --- What the LMS refused --------------------------------------------------------------------------------------------


@pytest.fixture
def refused(world, clock):
    """Let the LMS refuse ada and max the demonstration course a minute ago; it would take them now."""
    intend(DEMO)
    world.change_run(run_key=DEMO_RUN, is_full=True)
    visit(ADA, MAX)
    world.change_run(run_key=DEMO_RUN, is_full=False)
    clock.shift(MINUTE)
    assert attempts_of(ADA) == attempts_of(MAX) == [("blocked", "refused_by_lms")]
    return world


def test_what_was_refused_is_sent_again_at_once_when_the_license_changed(refused):
    licenses_changed(customer_uuid=ACME, lms_user_id=ADA)
    work()
    assert DEMO_RUN in realizations_of(ADA)


def test_also_when_the_learner_asks_in_the_same_moment(refused):
    licenses_changed(customer_uuid=ACME, lms_user_id=ADA)
    visit(ADA)
    assert DEMO_RUN in realizations_of(ADA)


def test_others_wait_for_the_end_of_their_pause(refused):
    licenses_changed(customer_uuid=ACME, lms_user_id=ADA)
    visit(ADA, MAX)
    assert realizations_of(MAX) == {}
    assert times_sent(refused, MAX, DEMO_RUN) == 1


def test_a_change_at_one_customer_lifts_nothing_at_another(refused):
    intend(DEMO, customer=GLOBEX)
    licenses_changed(customer_uuid=GLOBEX, lms_user_id=ADA)
    visit(ADA)
    assert times_sent(refused, ADA, DEMO_RUN) == 1


def test_what_is_refused_again_with_the_new_license_waits_again(refused, clock):
    refused.change_run(run_key=DEMO_RUN, is_full=True)
    licenses_changed(customer_uuid=ACME, lms_user_id=ADA)
    work()
    assert times_sent(refused, ADA, DEMO_RUN) == 2
    clock.shift(timedelta(minutes=30))
    visit(ADA)
    assert times_sent(refused, ADA, DEMO_RUN) == 2


def test_without_refusals_nothing_more_is_asked_of_the_database(world, clock, django_assert_max_num_queries):
    (demo,) = intend(DEMO)
    with django_assert_max_num_queries(1):
        assert list_refusals(customer_uuid=ACME, lms_user_ids={ADA}, intentions={demo.pk}) == {}
