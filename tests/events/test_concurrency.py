"""Several workers at once, each with a connection of its own, on a database that has more than one writer.

DATABASE_URL=postgres://... pytest -m services tests/events/test_concurrency.py
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, connections
from django.utils import timezone

from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.apps.customers.services import SIGHTINGS, note_sightings
from enterprise_access.apps.customers.services.sightings import settle_sightings
from enterprise_access.events.models import Outbox
from enterprise_access.events.services import publish_all, relay
from enterprise_access.events.tests.test_outbox import blocked
from enterprise_access.lib.work.leases import take

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="An in-memory SQLite has one connection only."),
]

WORKERS = 6
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Let all workers begin at the same moment; return what each found. What one raises is raised here."""
    begin = threading.Barrier(WORKERS)
    found: list[Any] = []
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            begin.wait()
            found.append(work(number))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found


def repeated(action: Callable[[], Any]) -> None:
    """Do it again after a deadlock, which MariaDB may find in its indexes: the consumer and the beat do so, too."""
    for _ in range(20):
        try:
            return action()
        except OperationalError:
            continue
    raise AssertionError("One deadlock after the other.")


def test_a_sighting_is_claimed_by_one_worker_and_none_is_passed_over():
    note_sightings(seen=dict.fromkeys(range(1, 1001), NOON))

    def work(_number: int) -> list[int]:
        mine: list[int] = []
        while claim := take(SIGHTINGS, limit=37).items:
            mine += [row.lms_user_id for row in claim]
        return mine

    claimed = Counter(learner for mine in at_once(work) for learner in mine)
    assert set(claimed.values()) == {1}
    assert len(claimed) == 1000


def test_settling_and_noting_at_once_loses_no_login():
    learners = range(1, 201)
    note_sightings(seen=dict.fromkeys(learners, NOON))

    def look_up() -> None:
        lease = take(SIGHTINGS, limit=50)
        settle_sightings(lease, lease.items, found=[row.pk for row in lease.items])

    def work(number: int) -> None:
        for step in range(10):
            if number % 2:
                repeated(look_up)
            else:
                seen = dict.fromkeys(reversed(learners), NOON + timedelta(seconds=step))
                repeated(partial(note_sightings, seen=seen))

    at_once(work)
    assert set(LearnerSighting.objects.values_list("seen_at", flat=True)) == {NOON + timedelta(seconds=9)}
    note_sightings(seen=dict.fromkeys(learners, NOON + timedelta(seconds=10)))
    assert LearnerSighting.objects.exclude(due_at=None).count() == len(learners)


def test_the_newest_of_all_sightings_stands_whoever_writes_first():
    def work(number: int) -> None:
        for step in (3, 1, 2, 0):
            at = NOON + timedelta(seconds=WORKERS * step + number)
            repeated(partial(note_sightings, seen=dict.fromkeys(range(1, 101), at)))

    at_once(work)
    newest = NOON + timedelta(seconds=WORKERS * 3 + WORKERS - 1)
    assert set(LearnerSighting.objects.values_list("seen_at", flat=True)) == {newest}


def test_several_relays_send_everything_once_and_in_order(bus):
    publish_all(blocked(learner, f"{step:02}") for step in range(10) for learner in range(1, 101))
    sent = sum(at_once(lambda _number: relay(now=timezone.now())))
    while Outbox.objects.exists():
        sent += relay(now=timezone.now())
    assert (sent, len(bus.sent)) == (1000, 1000)
    by_learner: dict[int, list[str]] = {}
    for _, learner, reason in bus.reasons():
        by_learner.setdefault(learner, []).append(reason)
    assert all(reasons == sorted(reasons) for reasons in by_learner.values())
