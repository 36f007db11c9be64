"""What is owed: asking, claiming under a lease, settling. Nothing is lost, and nobody is worked on twice at once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from waffle.testutils import override_switch

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.requests.work_items import (
    PAUSE_SWITCH,
    QUEUE,
    claim,
    is_paused,
    request_realization,
    settlement,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    FRANK,
    HAL,
    HOUR,
    MINUTE,
    ask_for,
    request_of,
)
from enterprise_access.lib.work import leases, waking
from simulator.seed import ACME, GLOBEX

LEASE = timedelta(seconds=120)
ONE_SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _known_customers(world):
    """Let two customers be known; nothing else of the neighbours matters here."""
    for customer in (ACME, GLOBEX):
        fetch_customer(customer_uuid=customer)


def claimed(*, customer=ACME, limit=100):
    """Open a claim at the present moment."""
    return claim(customer_uuid=customer, limit=limit, now=timezone.now())


def learners_of(lease):
    return [request.lms_user_id for request in lease.requests]


def finish(lease, *, at=None):
    for request in lease.requests:
        leases.settle(lease, [settlement(request, due_at=at, waiting_for="", failures=0)])


# --- Asking --------------------------------------------------------------------------------------------------------


def test_asking_twice_is_asking_once():
    ask_for(ADA)
    ask_for(ADA, ADA)
    assert RealizationRequest.objects.count() == 1
    assert request_of(ADA).generation == 2


def test_the_same_learner_is_owed_a_look_by_every_customer():
    ask_for(FRANK)
    ask_for(FRANK, customer=GLOBEX)
    assert RealizationRequest.objects.count() == 2


def test_asking_for_nobody_owes_nothing():
    ask_for()
    assert not RealizationRequest.objects.exists()


def test_asking_makes_a_request_that_waits_due_at_once(clock):
    ask_for(ADA)
    with claimed() as lease:
        finish(lease, at=timezone.now() + HOUR)
    clock.shift(MINUTE)
    ask_for(ADA)
    assert request_of(ADA).due_at == timezone.now()


def test_a_dead_request_stays_dead_until_somebody_revives_it():
    ask_for(ADA)
    RealizationRequest.objects.update(failed_at=timezone.now())
    ask_for(ADA)
    with claimed() as lease:
        assert learners_of(lease) == []
    assert waking.list_due_groups(QUEUE) == []


def test_a_message_is_sent_after_the_commit_and_not_before(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as messages:
        ask_for(ADA)
    assert len(messages) == 1


def test_a_rolled_back_request_owes_nothing_and_sends_no_message(django_capture_on_commit_callbacks):
    class Changed(Exception):
        """The caller changed its mind."""

    with django_capture_on_commit_callbacks() as messages, pytest.raises(Changed), transaction.atomic():
        ask_for(ADA)
        raise Changed
    assert messages == []
    assert not RealizationRequest.objects.exists()


def test_many_learners_are_asked_for_in_a_few_statements(django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        ask_for(*range(1, 301))
    assert RealizationRequest.objects.count() == 300


# --- Claiming ------------------------------------------------------------------------------------------------------


def test_the_longest_waiting_come_first_and_no_more_than_the_limit(clock):
    ask_for(HAL)
    clock.shift(ONE_SECOND)
    ask_for(BEN)
    clock.shift(ONE_SECOND)
    ask_for(ADA)
    with claimed(limit=2) as lease:
        assert learners_of(lease) == [HAL, BEN]


def test_what_is_not_due_yet_is_not_claimed(clock):
    ask_for(ADA)
    with claimed() as lease:
        finish(lease, at=timezone.now() + HOUR)
    clock.shift(HOUR - ONE_SECOND)
    with claimed() as lease:
        assert learners_of(lease) == []
    clock.shift(ONE_SECOND)
    with claimed() as lease:
        assert learners_of(lease) == [ADA]


def test_what_is_settled_is_not_claimed():
    ask_for(ADA)
    with claimed() as lease:
        finish(lease)
    assert request_of(ADA).settled_at is not None
    with claimed() as lease:
        assert learners_of(lease) == []


def test_another_customers_requests_are_not_claimed():
    ask_for(FRANK, customer=GLOBEX)
    with claimed() as lease:
        assert learners_of(lease) == []


def test_two_claims_never_hold_the_same_learner():
    ask_for(ADA, BEN)
    with claimed(limit=1) as first, claimed() as second, claimed() as third:
        assert sorted(learners_of(first) + learners_of(second)) == [ADA, BEN]
        assert learners_of(third) == []


def test_no_learner_is_worked_on_for_two_customers_at_once():
    ask_for(FRANK, ADA)
    ask_for(FRANK, customer=GLOBEX)
    with claimed() as at_acme:
        assert FRANK in learners_of(at_acme)
        with claimed(customer=GLOBEX) as at_globex:
            assert learners_of(at_globex) == []
        finish(at_acme)
    with claimed(customer=GLOBEX) as at_globex:
        assert learners_of(at_globex) == [FRANK]


def test_the_database_itself_refuses_a_second_lease_of_a_learner():
    ask_for(FRANK)
    ask_for(FRANK, customer=GLOBEX)
    with claimed() as lease, pytest.raises(IntegrityError), transaction.atomic():
        RealizationRequest.objects.filter(customer_id=GLOBEX).update(
            lease_token=lease.token, leased_until=timezone.now(), leased_lms_user_id=FRANK
        )


def test_a_lease_is_whole_or_not_there():
    ask_for(ADA)
    with pytest.raises(IntegrityError), transaction.atomic():
        RealizationRequest.objects.update(leased_until=timezone.now())


def test_a_lease_lasts_two_minutes(clock):
    ask_for(ADA)
    with claimed():
        clock.shift(LEASE)
        with claimed() as early:
            assert learners_of(early) == []
        clock.shift(ONE_SECOND)
        with claimed() as late:
            assert learners_of(late) == [ADA]


def test_a_renewed_lease_lasts_two_minutes_from_then(clock):
    ask_for(ADA)
    with claimed() as lease:
        clock.shift(LEASE - ONE_SECOND)
        assert lease.renew() == {ADA}
        clock.shift(LEASE)
        with claimed() as other:
            assert learners_of(other) == []


def test_a_lease_that_was_taken_over_cannot_be_renewed(clock):
    ask_for(ADA, BEN)
    with claimed() as lost:
        clock.shift(LEASE + ONE_SECOND)
        with claimed(limit=1) as taken:
            assert lost.renew().isdisjoint(learners_of(taken))


def test_who_lost_the_lease_cannot_settle(clock):
    ask_for(ADA)
    with claimed() as lost:
        clock.shift(LEASE + ONE_SECOND)
        with claimed() as taken:
            finish(lost)
            assert request_of(ADA).settled_at is None
            assert request_of(ADA).lease_token == taken.token


def test_who_lost_the_lease_does_not_end_the_other_ones(clock):
    ask_for(ADA)
    with claimed():
        clock.shift(LEASE + ONE_SECOND)
        keeper = claimed()
        taken = keeper.__enter__()
    assert request_of(ADA).lease_token == taken.token
    keeper.__exit__(None, None, None)
    assert request_of(ADA).lease_token is None


def test_what_was_claimed_and_not_settled_is_due_again_at_once():
    ask_for(ADA)
    with claimed():
        pass
    with claimed() as lease:
        assert learners_of(lease) == [ADA]


def test_after_an_error_inside_the_lease_is_given_back_and_the_work_comes_back_a_little_later(clock):
    ask_for(ADA)
    with pytest.raises(ZeroDivisionError), claimed():
        raise ZeroDivisionError
    request = request_of(ADA)
    assert (request.lease_token, request.leased_until, request.leased_lms_user_id) == (None, None, None)
    assert request.waiting_for == "unexpected_error"
    assert request.failures == 1
    with claimed() as lease:
        assert learners_of(lease) == []
    clock.shift(2 * MINUTE)
    with claimed() as lease:
        assert learners_of(lease) == [ADA]


def test_what_was_settled_before_an_error_stays_settled():
    ask_for(ADA, BEN)
    with pytest.raises(ZeroDivisionError), claimed() as lease:
        leases.settle(lease, [settlement(lease.requests[0], due_at=None, waiting_for="", failures=0)])
        raise ZeroDivisionError
    assert [request_of(ADA).settled_at is None, request_of(BEN).settled_at is None] == [False, True]


# --- Asked again meanwhile -----------------------------------------------------------------------------------------


def test_who_is_asked_for_while_a_worker_is_busy_is_due_again_when_it_settles(clock):
    ask_for(ADA)
    with claimed() as lease:
        clock.shift(ONE_SECOND)
        ask_for(ADA, trigger=Trigger.LOGIN)
        finish(lease, at=timezone.now() + HOUR)
    request = request_of(ADA)
    assert request.due_at == timezone.now()
    assert (request.settled_at, request.trigger) == (None, Trigger.LOGIN)
    with claimed() as lease:
        assert learners_of(lease) == [ADA]


def test_asking_again_does_not_break_the_lease():
    ask_for(ADA)
    with claimed() as lease:
        ask_for(ADA)
        with claimed() as other:
            assert learners_of(other) == []
        assert lease.renew() == {ADA}


# --- Pausing -------------------------------------------------------------------------------------------------------


def test_while_everything_is_paused_nothing_is_claimed_and_everything_stays_owed():
    ask_for(ADA)
    with override_switch(PAUSE_SWITCH, active=True):
        assert is_paused(customer_uuid=ACME)
        with claimed() as lease:
            assert learners_of(lease) == []
        assert waking.list_due_groups(QUEUE) == [ACME]
    with claimed() as lease:
        assert learners_of(lease) == [ADA]


def test_a_paused_customer_does_not_stop_another():
    ask_for(ADA)
    ask_for(FRANK, customer=GLOBEX)
    pause(ACME)
    with claimed() as lease:
        assert learners_of(lease) == []
    with claimed(customer=GLOBEX) as lease:
        assert learners_of(lease) == [FRANK]


def pause(customer):
    EnterpriseCustomer.objects.filter(pk=customer).update(realization_paused=True)


# --- What the sweep sees -------------------------------------------------------------------------------------------


def test_the_customers_with_something_due_are_listed_once_the_longest_waiting_first(clock):
    ask_for(FRANK, customer=GLOBEX)
    clock.shift(ONE_SECOND)
    ask_for(ADA, BEN)
    assert waking.list_due_groups(QUEUE) == [GLOBEX, ACME]


def test_what_a_worker_holds_is_not_listed_until_its_lease_is_over(clock):
    ask_for(ADA)
    with claimed():
        assert waking.list_due_groups(QUEUE) == []
        clock.shift(LEASE + ONE_SECOND)
        assert waking.list_due_groups(QUEUE) == [ACME]


def test_a_request_for_an_unknown_customer_is_refused_as_such():
    with pytest.raises(CustomerUnknown):
        request_realization(customer_uuid=uuid4(), lms_user_ids=[ADA], trigger=Trigger.PORTAL, now=timezone.now())
