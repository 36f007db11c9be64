"""Who may see to a learner's licenses: one at a time, for a while, and not again right after a failure."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from enterprise_access.apps.licenses.models import LicenseClaim
from enterprise_access.apps.licenses.services import forget_learner
from enterprise_access.apps.licenses.services.claims import Claim, Held, end_claim, take_claim
from simulator.seed import ACME, GLOBEX

BEN, MAX = 1002, 1009
A_MINUTE = timedelta(seconds=61)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def take(lms_user_id=BEN, customer=ACME):
    return take_claim(customer_uuid=customer, lms_user_id=lms_user_id, now=timezone.now())


def test_the_second_one_is_held_off():
    assert isinstance(take(), Claim)
    assert take() == Held(problem="")


@pytest.mark.parametrize(("lms_user_id", "customer"), [(MAX, ACME), (BEN, GLOBEX)])
def test_another_learner_and_another_customer_are_free(lms_user_id, customer):
    take()
    assert isinstance(take(lms_user_id, customer), Claim)


def test_who_is_done_lets_the_next_one_in():
    end_claim(take(), problem="")
    assert isinstance(take(), Claim)


def test_after_a_failure_everybody_is_held_off_for_a_minute(clock):
    end_claim(take(), problem="license_activation_failed")
    assert take() == Held(problem="license_activation_failed")
    clock.shift(A_MINUTE)
    claim = take()
    assert isinstance(claim, Claim)
    assert not claim.is_taken_over


def test_who_does_not_come_back_is_taken_for_dead_after_a_minute(clock):
    take()
    clock.shift(A_MINUTE)
    claim = take()
    assert isinstance(claim, Claim)
    assert claim.is_taken_over
    assert not claim.still_holds(timezone.now())


def test_who_was_taken_for_dead_cannot_end_the_claim_of_another(clock):
    late = take()
    clock.shift(A_MINUTE)
    take()
    end_claim(late, problem="")
    assert take() == Held(problem="")


def test_for_the_first_one_everything_that_was_read_still_holds():
    assert take().still_holds(timezone.now() - timedelta(days=1))


def test_what_was_read_about_when_the_last_one_ended_does_not_hold(clock):
    end_claim(take(), problem="")
    ended_at = timezone.now()
    claim = take()
    assert not claim.still_holds(ended_at)
    assert not claim.still_holds(ended_at + timedelta(seconds=9)), "clocks differ"
    assert claim.still_holds(ended_at + timedelta(seconds=11))


def test_forgetting_a_learner_leaves_the_others():
    take(BEN)
    take(BEN, GLOBEX)
    take(MAX)
    assert forget_learner(lms_user_id=BEN) == {"license claim": 2}
    assert [row.lms_user_id for row in LicenseClaim.objects.all()] == [MAX]


def test_there_is_one_row_for_a_learner_and_a_customer():
    take()
    with pytest.raises(IntegrityError), transaction.atomic():
        LicenseClaim.objects.create(customer_uuid=ACME, lms_user_id=BEN)


def test_somebody_at_work_without_an_end_is_refused_by_the_database():
    claim = take()
    with pytest.raises(IntegrityError), transaction.atomic():
        LicenseClaim.objects.filter(pk=claim.pk).update(held_until=None)


def test_taking_and_ending_are_few_statements(django_assert_num_queries):
    take(MAX)
    with django_assert_num_queries(5):  # two of them are the savepoint of the first insert
        claim = take()
    with django_assert_num_queries(1):
        end_claim(claim, problem="")
