"""A worker's round on one account: the ledger is called again at once, and what it answered is recorded meanwhile."""

from datetime import timedelta

import pytest
import time_machine

from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.redemption.services.signals import attempt_ended
from enterprise_access.apps.redemption.tests.ledgers import (
    ADA,
    BEN,
    PRICE,
    assert_totals_agree,
    begin,
    charged,
    know_learners,
    make_policy,
)
from enterprise_access.apps.subsidy_access_policies.models import Subsidy
from enterprise_access.apps.subsidy_access_policies.services import refresh_accounts
from enterprise_access.lib import clock
from enterprise_access.lib.work import leases
from enterprise_access.lib.work.models import BACKGROUND, URGENT
from simulator import ledger
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

ATTEMPTS = RedemptionAttempt.objects


@pytest.fixture
def two(world):
    """Begin two redemptions of one account; return them in order."""
    know_learners(ADA, BEN)
    policy = make_policy()
    return [begin(policy, learner=learner) for learner in (ADA, BEN)]


@pytest.fixture
def on_end():
    """Let a function be called whenever an attempt ends, in the transaction that records it."""
    heard = []

    def hear(receiver):
        attempt_ended.connect(receiver)
        heard.append(receiver)

    yield hear
    for receiver in heard:
        attempt_ended.disconnect(receiver)


def test_the_next_attempt_is_called_before_the_last_one_is_recorded(two, on_end):
    seen = []

    def look(attempt, **_):
        rows = ATTEMPTS.in_bulk([one.pk for one in two])
        seen.append((attempt.pk, [rows[one.pk].first_called_at is not None for one in two]))

    on_end(look)
    assert work_on_attempts() == 2
    assert seen == [(two[0].pk, [True, True]), (two[1].pk, [True, True])]
    assert not ATTEMPTS.exclude(lease_token=None, leased_subsidy_uuid=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_call_that_has_begun_is_recorded_when_the_recording_before_it_fails(world, two, on_end):
    failures = [RuntimeError("not recorded")]

    def fail_once(**_):
        if failures:
            raise failures.pop()

    on_end(fail_once)
    with pytest.raises(RuntimeError, match="not recorded"):
        work_on_attempts()
    assert dict(ATTEMPTS.values_list("pk", "state")) == {two[0].pk: "sending", two[1].pk: "committed"}
    with time_machine.travel(clock.now() + timedelta(minutes=5), tick=False):
        work_on_attempts()
    assert set(ATTEMPTS.values_list("state", flat=True)) == {"committed"}
    assert charged(world) == 2 * PRICE
    assert_totals_agree()


@pytest.mark.parametrize(
    ("priority", "order"), [(URGENT, ["own", "other", "own"]), (BACKGROUND, ["own", "own", "other"])]
)
def test_another_account_has_its_turn_between_two_calls_unless_it_can_wait(world, two, on_end, priority, order):
    account = ledger.add_subsidy(world, customer_uuid=ACME, title="Another")
    subsidy = Subsidy.objects.create(uuid=account.uuid, customer_uuid=ACME)
    refresh_accounts([account.uuid], max_age=timedelta(0), now=clock.now())
    other = begin(make_policy(subsidy=subsidy), learner=ADA, run="course-v1:edX+DemoX+2026_T2")
    ATTEMPTS.filter(pk=other.pk).update(priority=priority)
    ended = []
    on_end(lambda attempt, **_: ended.append("other" if attempt.pk == other.pk else "own"))
    work_on_attempts()
    assert ended == order


def test_the_key_of_an_account_is_passed_on_in_one_step_or_not_at_all(two):
    mine, next_one = two
    lease = leases.take(QUEUE, limit=1, rows=QUEUE.rows())
    assert [row.pk for row in lease.items] == [mine.pk]
    with_key = ATTEMPTS.exclude(leased_subsidy_uuid=None).values_list("pk", flat=True)
    ATTEMPTS.filter(pk=next_one.pk).update(due_at=None)
    assert leases.pass_on(lease, to=next_one) is None
    assert list(with_key.all()) == [mine.pk]
    ATTEMPTS.filter(pk=next_one.pk).update(due_at=clock.now())
    passed = leases.pass_on(lease, to=next_one, last_code="passed")
    assert passed is not None
    assert [(row.pk, row.last_code) for row in passed.items] == [(next_one.pk, "passed")]
    assert list(with_key.all()) == [next_one.pk]
    leases.release(lease)
    assert leases.pass_on(lease, to=mine) is None
    assert list(with_key.all()) == [next_one.pk]
