"""Who was just seen: written once per learner, recognized when it comes again, and claimed by one worker only."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.apps.customers.services import SIGHTINGS, note_sightings, prune_sightings
from enterprise_access.apps.customers.services.sightings import settle_sightings
from enterprise_access.events.handling import handle
from enterprise_access.events.tests.made import login, registration
from enterprise_access.lib.work.leases import postpone, take

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
ADA, BEN = 1001, 1002


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def clock(_clock):
    return _clock


def sighting(lms_user_id=ADA):
    return LearnerSighting.objects.get(pk=lms_user_id)


def claim(limit=100):
    return take(SIGHTINGS, limit=limit)


def learners(lease):
    return [row.pk for row in lease.items]


def end(lease, *, found):
    settle_sightings(lease, lease.items, found=found)


def look_up_in_vain():
    end(claim(), found=[])


def test_a_login_is_noted_and_due_at_once():
    handle([login(ADA)])
    assert sighting().due_at == timezone.now()
    assert learners(claim()) == [ADA]


def test_a_registration_counts_as_much():
    handle([registration(ADA)])
    assert learners(claim()) == [ADA]


def test_of_several_events_in_a_batch_the_newest_counts():
    now = timezone.now()
    handle([login(ADA, at=now), login(ADA, at=now - MINUTE), registration(ADA, at=now - 2 * MINUTE)])
    assert sighting().seen_at == now


def test_the_same_event_again_changes_nothing_even_after_it_was_settled():
    event = login(ADA)
    handle([event])
    end(claim(), found=[ADA])
    handle([event, event])
    assert sighting().due_at is None


def test_an_older_event_changes_nothing():
    now = timezone.now()
    handle([login(ADA, at=now)])
    end(claim(), found=[ADA])
    handle([login(ADA, at=now - MINUTE)])
    assert (sighting().seen_at, sighting().due_at) == (now, None)


def test_a_newer_event_starts_over(clock):
    handle([login(ADA)])
    look_up_in_vain()
    clock.shift(MINUTE / 2)
    handle([login(ADA)])
    assert (sighting().checks, sighting().due_at) == (0, timezone.now())


def test_a_clock_that_is_ahead_does_not_make_later_events_look_old(clock):
    handle([login(ADA, at=timezone.now() + timedelta(days=1))])
    end(claim(), found=[ADA])
    clock.shift(MINUTE)
    handle([login(ADA)])
    assert learners(claim()) == [ADA]


def test_a_batch_is_written_with_a_constant_number_of_statements(django_assert_max_num_queries):
    def statements(events):
        # Two nested transactions (4), reading what is known, writing what is new, reading that, writing what is newer.
        with django_assert_max_num_queries(9):
            handle(events)

    handle([login(number, at=timezone.now() - MINUTE) for number in range(1, 101)])
    statements([login(1)])
    statements([login(number) for number in range(2, 201)])


def test_a_learner_who_is_not_found_is_looked_up_after_1_and_5_and_30_minutes_and_then_no_more(clock):
    handle([login(ADA)])
    for minutes in (1, 5, 30):
        look_up_in_vain()
        clock.shift(minutes * MINUTE - timedelta(seconds=1))
        assert learners(claim()) == []
        clock.shift(timedelta(seconds=1))
    look_up_in_vain()
    assert sighting().due_at is None


def test_who_is_claimed_is_not_claimed_again_until_the_worker_is_taken_for_dead(clock):
    handle([login(ADA), login(BEN)])
    assert learners(claim(limit=1)) == [ADA]
    assert learners(claim()) == [BEN]
    assert learners(claim()) == []
    clock.shift(2 * MINUTE)
    assert learners(claim()) == []
    clock.shift(timedelta(seconds=1))
    assert learners(claim()) == [ADA, BEN]


def test_a_worker_whose_time_is_over_settles_nothing(clock):
    handle([login(ADA)])
    late = claim()
    clock.shift(2 * MINUTE + timedelta(seconds=1))
    other = claim()
    end(late, found=[ADA])
    assert sighting().due_at is not None
    end(other, found=[ADA])
    assert sighting().due_at is None


def test_a_login_while_a_worker_looks_up_stays_due(clock):
    handle([login(ADA)])
    busy = claim()
    clock.shift(MINUTE / 2)
    handle([login(ADA)])
    end(busy, found=[ADA])
    assert learners(claim()) == [ADA]


def test_what_could_not_be_looked_up_comes_again_and_does_not_count(clock):
    handle([login(ADA)])
    lease = claim()
    postpone(lease, lease.items, waiting_for="lms_unavailable", is_blamed=False)
    clock.shift(2 * MINUTE)
    assert [row.checks for row in claim().items] == [0]


def test_a_login_of_now_is_not_held_up_by_a_backlog(clock):
    handle([login(number) for number in range(1, 101)])
    clock.shift(MINUTE)
    handle([login(5000)])
    assert 5000 in learners(claim(limit=10))


def test_settled_sightings_are_forgotten_after_a_while(clock):
    handle([login(ADA), login(BEN)])
    end(claim(limit=1), found=[ADA])
    clock.shift(timedelta(days=1))
    assert prune_sightings(before=timezone.now()) == 1
    assert list(LearnerSighting.objects.values_list("pk", flat=True)) == [BEN]


def test_nobody_is_noted_twice():
    note_sightings(seen={ADA: timezone.now()})
    note_sightings(seen={ADA: timezone.now()})
    assert LearnerSighting.objects.count() == 1
