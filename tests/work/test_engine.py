"""The engine for pending work, on a table that uses all of it (requests) and on one that is simple (login records)."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer, LearnerSighting
from enterprise_access.apps.customers.services import SIGHTINGS, pause_customer
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.operations.steering import pause_everything
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE as REQUESTS
from enterprise_access.lib.work import asking, isolating, leases, waking, watching
from enterprise_access.lib.work.leases import Settlement
from enterprise_access.lib.work.models import BACKGROUND, URGENT, Turn
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR, BackOff

CUSTOMERS = [UUID(int=1), UUID(int=2)]
MINUTE = timedelta(minutes=1)
LEASE = timedelta(seconds=120)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    # (Databases keep microseconds; a start on a full second compares equal everywhere.)
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False) as clock:
        yield clock


@pytest.fixture(params=["requests", "logins"])
def queue(request, clock):
    for number, uuid in enumerate(CUSTOMERS):
        EnterpriseCustomer.objects.create(uuid=uuid, slug=f"c{number}", name="C", fetched_at=timezone.now())
    return {"requests": REQUESTS, "logins": SIGHTINGS}[request.param]


def add(queue, count, *, customer=CUSTOMERS[0], first=1, **columns):
    about = {"due_at": timezone.now(), **columns}
    for number in range(first, first + count):
        if queue is REQUESTS:
            about |= {"customer_id": customer, "trigger": Trigger.LOGIN}
        else:
            about |= {"seen_at": timezone.now()}
        queue.model.objects.create(lms_user_id=number, **about)


def rows(queue):
    return queue.model.objects.order_by("lms_user_id")


def taken(queue, limit=100):
    return [row.lms_user_id for row in leases.take(queue, limit=limit).items]


def test_a_row_is_held_by_one_worker_until_its_lease_is_over(queue, clock):
    add(queue, 3)
    first, second = taken(queue, limit=2), taken(queue)
    assert (len(first), sorted(first + second)) == (2, [1, 2, 3])
    assert taken(queue) == []
    clock.shift(LEASE + SECOND)
    assert sorted(taken(queue)) == [1, 2, 3]


def test_renewing_keeps_rows_and_tells_which_were_lost(queue, clock):
    add(queue, 2)
    lease = leases.take(queue, limit=2)
    clock.shift(LEASE)
    assert lease.renew() == {row.pk for row in lease.items}
    clock.shift(LEASE)
    assert taken(queue) == []
    clock.shift(SECOND)
    other = leases.take(queue, limit=1)
    assert len(other.items) == 1
    assert lease.renew().isdisjoint(row.pk for row in other.items)


def test_many_rows_are_settled_each_in_its_own_way_in_three_statements(queue, django_assert_max_num_queries):
    add(queue, 50)
    lease = leases.take(queue, limit=50)
    later = timezone.now() + MINUTE
    settlements = [
        Settlement(item=row, due_at=later if row.lms_user_id % 2 else None, waiting_for=f"code{row.lms_user_id % 3}")
        for row in lease.items
    ]
    with django_assert_max_num_queries(4):
        leases.settle(lease, settlements)
    for row in rows(queue):
        assert row.due_at == (later if row.lms_user_id % 2 else None)
        assert row.waiting_for == f"code{row.lms_user_id % 3}"
        assert (row.lease_token, row.leased_until) == (None, None)


def test_asked_for_while_a_worker_is_busy_means_due_at_once_and_a_message(queue, django_capture_on_commit_callbacks):
    add(queue, 2)
    lease = leases.take(queue, limit=2)
    asking.make_due(queue, rows(queue).filter(lms_user_id=1), priority=URGENT)
    with django_capture_on_commit_callbacks() as messages:
        leases.settle(lease, [Settlement(item=row) for row in lease.items])
    assert len(messages) == 1
    assert [row.due_at for row in rows(queue)] == [timezone.now(), None]


def test_who_was_taken_over_from_settles_nothing(queue, clock):
    add(queue, 1)
    lost = leases.take(queue, limit=1)
    clock.shift(LEASE + SECOND)
    leases.take(queue, limit=1)
    leases.settle(lost, [Settlement(item=row) for row in lost.items])
    leases.release(lost)
    assert rows(queue).get().due_at is not None
    assert rows(queue).get().lease_token is not None


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), InterfaceError("closed"), SystemExit(), KeyboardInterrupt()]
)
def test_after_a_lost_connection_or_a_shutdown_rows_are_due_now_and_nobody_is_blamed(queue, error):
    add(queue, 2)
    before = [row.due_at for row in rows(queue)]
    with pytest.raises(type(error)), leases.claim(queue, limit=2) as lease:
        isolating.isolate(lease, raising(error))
    assert [(row.due_at, row.failures, row.waiting_for) for row in rows(queue)] == [(at, 0, "") for at in before]
    assert taken(queue) == [1, 2]


def test_a_time_limit_postpones_rows_without_blame(queue):
    add(queue, 2)
    with pytest.raises(SoftTimeLimitExceeded), leases.claim(queue, limit=2) as lease:
        isolating.isolate(lease, raising(SoftTimeLimitExceeded()))
    assert {row.failures for row in rows(queue)} == {0}
    assert all(row.due_at > timezone.now() for row in rows(queue))


def raising(error):
    def run(_):
        raise error

    return run


@pytest.mark.parametrize("culprits", [{1}, {50}, {100}, {33, 77}])
def test_the_culprits_of_a_batch_are_found_with_few_runs_and_everybody_else_is_served_once(queue, culprits):
    add(queue, 100)
    runs, served = [], Counter()
    with leases.claim(queue, limit=100) as lease:

        def run(part):
            runs.append(len(part))
            if culprits & {row.lms_user_id for row in part}:
                raise ZeroDivisionError
            served.update(row.lms_user_id for row in part)
            leases.settle(lease, [Settlement(item=row) for row in part])

        isolating.isolate(lease, run)
    assert served == Counter(set(range(1, 101)) - culprits)
    assert len(runs) <= 28
    blamed = rows(queue).filter(waiting_for=UNEXPECTED_ERROR)
    assert {(row.lms_user_id, row.failures) for row in blamed} == {(number, 1) for number in culprits}


def test_when_everything_fails_the_runs_are_bounded_and_hardly_anybody_is_blamed(queue):
    add(queue, 100)
    runs = []

    def run(part):
        runs.append(part)
        raise ZeroDivisionError

    with leases.claim(queue, limit=100) as lease:
        isolating.isolate(lease, run)
    assert len(runs) == 28
    assert rows(queue).filter(failures__gt=0).count() == 0
    assert all(row.due_at > timezone.now() for row in rows(queue))


def test_what_fails_alone_too_often_is_marked_and_comes_back_after_an_hour(queue, clock):
    add(queue, 1)
    for _ in range(queue.max_failures):
        clock.shift(timedelta(hours=2))
        with leases.claim(queue, limit=1) as lease:
            isolating.isolate(lease, raising(ZeroDivisionError()))
    assert rows(queue).get().failed_at is not None
    assert taken(queue) == []
    assert asking.retry_failed(queue, waiting_for=UNEXPECTED_ERROR) == 0
    clock.shift(timedelta(hours=1) + SECOND)
    assert asking.retry_failed(queue, waiting_for=UNEXPECTED_ERROR) == 1
    with leases.claim(queue, limit=1) as lease:
        isolating.isolate(lease, raising(ZeroDivisionError()))
    assert rows(queue).get().failed_at is not None, "one more failure is enough"


def test_staff_retry_only_what_failed(queue):
    add(queue, 1, failed_at=timezone.now(), failures=10)
    add(queue, 1, first=2)
    assert asking.retry(queue, [row.pk for row in rows(queue)]) == 1
    assert [(row.failed_at, row.failures) for row in rows(queue)] == [(None, 0), (None, 0)]


def test_a_row_that_is_asked_for_again_keeps_its_place_and_the_more_urgent_priority(queue, clock):
    add(queue, 1, priority=URGENT)
    before = rows(queue).get().due_at
    clock.shift(MINUTE)
    asking.make_due(queue, rows(queue), priority=BACKGROUND)
    row = rows(queue).get()
    assert (row.due_at, row.priority, row.generation) == (before, URGENT, 2)


def test_urgent_rows_go_first_whoever_waits_longer(queue, clock):
    add(queue, 2, priority=BACKGROUND)
    clock.shift(MINUTE)
    add(queue, 1, first=3, priority=URGENT)
    assert taken(queue) == [3]
    assert taken(queue) == [1, 2]


def test_pauses_grow_with_a_random_part_up_to_the_last():
    back_off = BackOff(first=MINUTE, last=10 * MINUTE)
    for failures, (shortest, longest) in {0: (1, 2), 1: (1, 2), 2: (2, 4), 4: (8, 10), 99: (10, 10)}.items():
        pauses = {back_off.pause(failures) for _ in range(20)}
        assert all(shortest * MINUTE <= pause <= longest * MINUTE for pause in pauses)
        assert shortest == longest or len(pauses) > 1


def test_the_state_of_a_queue_is_counted_and_what_is_stuck_is_named(queue, clock):
    add(queue, 2)
    add(queue, 1, first=3, due_at=timezone.now() + MINUTE)
    add(queue, 1, first=4, failed_at=timezone.now())
    add(queue, 1, first=5, due_at=None)
    leases.take(queue, limit=1)
    clock.shift(SECOND)
    state = watching.read_queue(queue)
    assert (state.due, state.scheduled, state.in_progress, state.failed) == (1, 1, 1, 1)
    assert state.oldest_due_age(timezone.now()) == SECOND
    clock.shift(watching.STUCK_AFTER - 2 * SECOND)
    assert stuck() == ([], "ok", [])
    clock.shift(3 * SECOND)
    assert stuck() == ([queue.name], "degraded", [queue.name])


def stuck():
    """Return the queues in which something is not done: by name, in readiness, and in the metrics."""
    (metric,) = [state for state in watching.read_states(timezone.now()) if state.name == "queue_stuck"]
    part = watching.look_at_work()
    assert all(name in part.detail for name in watching.list_stuck())
    return watching.list_stuck(), part.level.value, [name for (name,), is_stuck in metric.values.items() if is_stuck]


@pytest.mark.parametrize("is_everything", [True, False])
def test_what_is_paused_is_not_stuck(clock, is_everything):
    EnterpriseCustomer.objects.create(uuid=CUSTOMERS[0], slug="c", name="C", fetched_at=timezone.now())
    add(REQUESTS, 1)
    if is_everything:
        pause_everything(by="Ann", because="x")
    else:
        pause_customer(customer_uuid=CUSTOMERS[0], by="Ann", because="x", now=timezone.now())
    clock.shift(watching.STUCK_AFTER + SECOND)
    assert watching.list_stuck() == []


def test_the_backlog_of_one_customer_delays_another_one_by_one_round(clock):
    """10,000 learners of one customer are waiting; whoever comes from another one is in the next round."""
    for number, uuid in enumerate(CUSTOMERS):
        EnterpriseCustomer.objects.create(uuid=uuid, slug=f"c{number}", name="C", fetched_at=timezone.now())
    now = timezone.now()
    RealizationRequest.objects.bulk_create(
        RealizationRequest(customer_id=CUSTOMERS[0], lms_user_id=number, due_at=now, trigger=Trigger.LOGIN)
        for number in range(1, 10_001)
    )
    rounds = []

    def one_round(customer, limit):
        rounds.append(customer)
        mine = RealizationRequest.objects.filter(customer_id=customer)
        with leases.claim(REQUESTS, limit=limit, rows=mine) as lease:
            leases.settle(lease, [Settlement(item=row) for row in lease.items])
        if len(rounds) == 3:
            clock.shift(SECOND)
            add(REQUESTS, 5, customer=CUSTOMERS[1], first=20_000)
        return len(lease.items) if len(rounds) < 6 else 0

    waking.work(REQUESTS, one_round, limit=100)
    assert rounds[:4] == [CUSTOMERS[0]] * 3 + [CUSTOMERS[1]]
    assert Turn.objects.count() == 2
    assert LearnerSighting.objects.count() == 0
