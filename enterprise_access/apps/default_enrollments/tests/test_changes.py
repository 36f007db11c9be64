"""Events about enrollments: copies follow them, leavers are noticed, and neither order nor repetition matters."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseEnrollment, EnterpriseLearner, LearnerEnrollment
from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.customers.services import refresh_learners
from enterprise_access.apps.customers.services.enrollments import refresh_enrollments
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    DEMO,
    DEMO_RUN,
    LINUX_RUN,
    MINUTE,
    bulk_posts,
    intend,
    realizations_of,
    visit,
)
from enterprise_access.events.handling import handle
from enterprise_access.events.tests.made import changed, unenrolled
from simulator.seed import ACME

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

SECOND = timedelta(seconds=1)
STRANGER = 987654


@pytest.fixture(autouse=True)
def _clock(clock):
    return clock


@pytest.fixture
def realized(world, clock):
    """Ada was enrolled a minute ago."""
    intend(DEMO)
    visit(ADA)
    clock.shift(MINUTE)
    return realizations_of(ADA)[DEMO_RUN]


@pytest.fixture
def known(world):
    """Ada is linked to a customer that we know."""
    intend(DEMO)
    refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA])


def copy(run_key=LINUX_RUN):
    row = LearnerEnrollment.objects.filter(lms_user_id=ADA, course_run_key__iexact=run_key).first()
    return row and (row.mode, row.is_active)


def ago(seconds):
    return timezone.now() - seconds * SECOND


def read():
    refresh_enrollments(learners=list_learners(customer_uuid=ACME, lms_user_ids=[ADA]).values())


@pytest.mark.usefixtures("known")
def test_a_change_is_taken_over():
    handle([changed(ADA, LINUX_RUN, mode="audit")])
    assert copy() == ("audit", True)
    handle([changed(ADA, LINUX_RUN, mode="verified", at=timezone.now() + SECOND)])
    assert copy() == ("verified", True)


@pytest.mark.usefixtures("known")
def test_nothing_is_kept_of_people_whom_we_do_not_know():
    handle([changed(STRANGER), unenrolled(STRANGER)])
    assert not LearnerEnrollment.objects.exists()


@pytest.mark.usefixtures("known")
def test_an_unenrollment_says_inactive_whatever_else_it_says():
    handle([unenrolled(ADA, LINUX_RUN)])
    assert copy() == ("verified", False)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_order_and_repetition_do_not_matter(order, in_one_batch):
    events = [
        changed(ADA, LINUX_RUN, mode="audit", at=ago(30)),
        unenrolled(ADA, LINUX_RUN, mode="audit", at=ago(20)),
        changed(ADA, LINUX_RUN.lower(), mode="verified", at=ago(10)),
    ]
    heard = [events[index] for index in (*order, order[0])]
    for batch in [heard] if in_one_batch else [[event] for event in heard]:
        handle(batch)
    assert copy() == ("verified", True)


@pytest.mark.usefixtures("known")
def test_a_read_that_started_after_the_event_stands(world, clock):
    world.enroll(username="ada", run_key=LINUX_RUN, mode="verified")
    at = timezone.now()
    clock.shift(SECOND)
    read()
    handle([changed(ADA, LINUX_RUN, mode="audit", at=at)])
    assert copy() == ("verified", True)


@pytest.mark.usefixtures("known")
def test_an_old_event_does_not_bring_back_what_a_read_did_not_find(clock):
    at = timezone.now()
    clock.shift(SECOND)
    read()
    handle([changed(ADA, LINUX_RUN, at=at)])
    assert copy() is None


@pytest.mark.usefixtures("known")
def test_an_event_after_the_start_of_a_read_stands(world):
    world.enroll(username="ada", run_key=LINUX_RUN, mode="verified")
    handle([unenrolled(ADA, LINUX_RUN)])
    LearnerEnrollment.objects.update(changed_at=timezone.now() + SECOND)
    read()
    assert copy() == ("verified", False)


@pytest.mark.usefixtures("known")
def test_a_clock_that_is_ahead_does_not_outlast_later_reads(world, clock):
    world.enroll(username="ada", run_key=LINUX_RUN, mode="verified")
    handle([unenrolled(ADA, LINUX_RUN, at=timezone.now() + timedelta(days=1))])
    clock.shift(SECOND)
    read()
    assert copy() == ("verified", True)


def test_who_left_is_noticed_at_once(realized, world, clock):
    handle([unenrolled(ADA, DEMO_RUN)])
    realized.refresh_from_db()
    assert (realized.left_at, realized.left_reason) == (timezone.now(), "learner_unenrolled")


def test_an_inactive_change_is_leaving_too(realized):
    handle([changed(ADA, DEMO_RUN, is_active=False)])
    realized.refresh_from_db()
    assert realized.left_reason == "learner_unenrolled"


def test_the_mark_of_a_license_that_a_leaver_gets_too_is_no_reason(realized):
    EnterpriseEnrollment.objects.create(
        customer_id=ACME, lms_user_id=ADA, course_run_key=DEMO_RUN, is_revoked=True, fetched_at=timezone.now()
    )
    handle([unenrolled(ADA, DEMO_RUN)])
    realized.refresh_from_db()
    assert realized.left_reason == "learner_unenrolled"


@pytest.mark.parametrize("late", [True, False])
def test_leaving_counts_also_when_it_is_told_after_the_return(realized, clock, late):
    events = [unenrolled(ADA, DEMO_RUN, at=ago(20)), changed(ADA, DEMO_RUN, mode="honor", at=ago(10))]
    for event in reversed(events) if late else events:
        handle([event])
    realized.refresh_from_db()
    assert (realized.left_at, realized.seen_mode) == (ago(20), "honor")
    assert copy(DEMO_RUN) == ("honor", True)


def test_the_first_sight_of_leaving_stands(realized):
    handle([unenrolled(ADA, DEMO_RUN, at=ago(20)), changed(ADA, DEMO_RUN, at=ago(10)), unenrolled(ADA, DEMO_RUN)])
    realized.refresh_from_db()
    assert realized.left_at == ago(20)


def test_who_left_before_we_enrolled_them_has_not_left(realized):
    before = RealizationAttempt.objects.get().created_at - SECOND
    handle([unenrolled(ADA, DEMO_RUN, at=before)])
    realized.refresh_from_db()
    assert realized.left_at is None


def test_who_left_before_our_call_was_written_down_has_left(realized, clock):
    type(realized).objects.update(realized_at=timezone.now())
    handle([unenrolled(ADA, DEMO_RUN, at=ago(30))])
    realized.refresh_from_db()
    assert realized.left_at == ago(30)


def test_a_change_to_audit_is_a_downgrade(realized):
    handle([changed(ADA, DEMO_RUN, mode="audit")])
    realized.refresh_from_db()
    assert (realized.downgraded_at, realized.seen_mode) == (timezone.now(), "audit")


def test_who_left_is_not_enrolled_again_even_if_the_platform_shows_nothing_of_it(world, clock):
    """An audit-only run: nothing but the event tells leaving from never having been there."""
    intend(AUDIT_ONLY)
    visit(ADA)
    clock.shift(MINUTE)
    world.leave(username="ada", run_key=AUDIT_ONLY_RUN)
    handle([unenrolled(ADA, AUDIT_ONLY_RUN, mode="audit")])
    clock.shift(MINUTE)
    visit(ADA)
    assert len(bulk_posts(world)) == 1


def test_repetition_writes_no_history(realized):
    event = unenrolled(ADA, DEMO_RUN)
    handle([event])
    before = realized.history.count()
    handle([event, event])
    assert realized.history.count() == before


def test_a_batch_is_written_with_a_constant_number_of_statements(known, django_assert_max_num_queries):
    learner = EnterpriseLearner.objects.get()
    learner.pk = None
    for number in range(5000, 5100):
        EnterpriseLearner.objects.create(
            customer_id=ACME,
            lms_user_id=number,
            enterprise_customer_user_id=number,
            username=f"learner{number}",
            is_linked=True,
            is_active_link=True,
            fetched_at=timezone.now(),
        )
    events = [changed(number, LINUX_RUN) for number in range(5000, 5100)]
    with django_assert_max_num_queries(11):
        handle(events)
    assert LearnerEnrollment.objects.count() == 100
