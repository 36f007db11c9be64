"""Everything dies in the middle of a storm, and nothing is lost or done twice.

Real processes, as `make run-services` has them, under production's settings. Learners come in waves and by three ways:
the LMS tells of their login on the event bus, they visit the portal, or somebody owes them a look without a message
to a worker. In the middle of each wave there is an accident, and a supervisor starts anew what has ended; nobody does
anything else. `make test-chaos` runs it; it takes some minutes, since leases and pauses have to run out.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise

import pytest
import requests
from django.db import DatabaseError, connection
from django.utils import timezone

from benchmarks.storm import items_of
from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER, STORM
from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.events.models import Outbox, SetAside
from tests.chaos.conftest import BROKER, CACHE, Installation
from tests.chaos.fleet import EVERYONE, STARTED_WITHIN_SECONDS, TOPICS, wait_until
from tests.tally import Tally

LEARNERS = int(os.environ.get("CHAOS_LEARNERS", "500"))
OVER_WITHIN_SECONDS = 900
# How long the LMS takes for one call that enrolls: long enough to be met in the middle of one.
ENROLL_SECONDS = 1
# Longer than any call of ours waits, but for those that enroll: of these the outcome must not stay in doubt.
SILENT_SECONDS = 15

pytestmark = pytest.mark.services


class Storm:
    """The learners who come, what happens to the installation meanwhile, and what came of it."""

    def __init__(self, installation: Installation) -> None:
        self.it = installation
        self.happened: Counter[str] = Counter()
        self.learners: list[int] = []
        # Whose logins were on the bus, and unread, when the bus was lost: no installation can know of these.
        self.unheard: set[int] = set()
        self._signed_in: set[int] = set()
        self._coming: list[Future[None]] = []
        self._crowd = ThreadPoolExecutor(8)
        self._is_over = threading.Event()

    # --- the learners ---------------------------------------------------------------------------------------------

    def come(self, learners: Iterable[int]) -> None:
        """Let learners come: two of five sign in, one visits the portal, two are owed a look that no message tells of.

        (Messages of this process go to a broker in its memory.)
        """
        learners = list(learners)
        self.learners += learners
        for number in learners:
            if number % 5 == 0:
                self._coming.append(self._crowd.submit(self.visit, number))
            elif number % 5 in (1, 2):
                self._coming.append(self._crowd.submit(self.sign_in, number))
        owed = [number for number in learners if number % 5 in (3, 4)]
        request_realization(
            customer_uuid=self.it.customer.pk, lms_user_ids=owed, trigger=Trigger.BACKFILL, now=timezone.now()
        )

    def sign_in(self, number: int) -> None:
        """Let a learner sign in, as often as it takes until the LMS answers."""
        self._signed_in.add(number)
        body = {"username": f"learner{number}", "customer": STORM}
        self._insist(lambda: self.it.neighbours.call("POST", "/portal/sign-in", json=body, timeout=10))

    def visit(self, number: int) -> None:
        """Let a learner load the portal's page, as often as it takes until the page is whole."""
        name = {"username": f"learner{number}"}

        def load() -> None:
            token = self.it.neighbours.call("POST", "/control/token", json=name, timeout=10)["token"]
            page = requests.post(
                f"{self.it.fleet.web}/api/v1/bffs/learner/dashboard/",
                json={"enterprise_customer_slug": STORM},
                headers={"Authorization": f"JWT {token}"},
                timeout=30,
            )
            page.raise_for_status()
            if page.json()["errors"]:
                raise requests.RequestException("The page is not whole.")

        self._insist(load)

    def _insist(self, action: Callable[[], object]) -> None:
        ends_at = time.monotonic() + OVER_WITHIN_SECONDS
        while True:
            try:
                action()
                return
            except requests.RequestException:
                if self._is_over.wait(1) or time.monotonic() > ends_at:
                    raise

    def everybody_has_come(self) -> None:
        """Wait until nobody is on the way any more."""
        for one in self._coming:
            one.result(timeout=OVER_WITHIN_SECONDS)

    def end(self) -> None:
        """Let nobody come any more."""
        self._is_over.set()
        self._crowd.shutdown(cancel_futures=True)

    # --- the accidents --------------------------------------------------------------------------------------------

    def kill(self, word: str, *names: str) -> None:
        self.it.fleet.kill(*names)
        self.happened[f"kills_of_{word}"] += len(names)

    def the_neighbours_hang(self) -> None:
        in_a_call()
        self.it.neighbours.hang()
        time.sleep(SILENT_SECONDS)
        self.it.neighbours.slow_down(enroll_seconds=ENROLL_SECONDS)
        self.happened["hangs_of_upstream_services"] += 1

    def the_neighbours_freeze(self) -> None:
        """They do what they were asked in the end, when most callers have given up."""
        with self.it.neighbours.frozen():
            time.sleep(SILENT_SECONDS)
        self.happened["freezes_of_upstream_services"] += 1

    def a_worker_is_killed(self) -> None:
        in_a_call()
        self.kill("worker", "worker1")

    def the_other_worker_is_killed(self) -> None:
        in_a_call()
        self.kill("worker", "worker2")

    def a_child_of_a_worker_is_killed(self) -> None:
        in_a_call()
        self.it.fleet.kill_child("worker1")
        self.happened["kills_of_worker_child"] += 1

    def beat_is_killed(self) -> None:
        self.kill("beat", "beat")

    def the_web_is_killed(self) -> None:
        self.kill("web", "web")

    def the_consumers_are_killed(self) -> None:
        self.kill("consumer", *TOPICS)

    def the_broker_is_flushed(self) -> None:
        self.it.redis.flush(BROKER)
        self.happened["flushes_of_the_broker"] += 1

    def the_cache_is_flushed(self) -> None:
        self.it.redis.flush(CACHE)
        self.happened["flushes_of_the_cache"] += 1

    def the_consumers_stay_dead(self) -> None:
        """Of all logins so far they have heard, however often they were killed; of those to come they will not."""
        self.everybody_has_come()
        wait_until(lambda: not self.not_heard(), OVER_WITHIN_SECONDS, "every login is heard of")
        self.it.fleet.kill(*TOPICS, for_now=True)
        self.happened["kills_of_consumer"] += len(TOPICS)

    def redis_dies(self) -> None:
        """Broker, cache and event bus are gone at once, and with them logins that nobody has read yet."""
        self.everybody_has_come()
        self.unheard = self.not_heard()
        self.it.redis.kill()
        self.it.redis.start()
        self.it.fleet.start(*TOPICS)
        self.happened["deaths_of_redis"] += 1

    def the_database_is_restarted(self) -> None:
        self.it.database.stop("fast")
        self.it.database.start()
        self.happened["restarts_of_the_database"] += 1

    def the_database_crashes(self) -> None:
        self.it.database.stop("immediate")
        self.it.database.start()
        self.happened["crashes_of_the_database"] += 1

    def everything_dies(self) -> None:
        in_a_call()
        self.it.database.stop("immediate")
        self.it.fleet.kill(*EVERYONE)
        self.it.redis.flush(BROKER)
        self.it.redis.flush(CACHE)
        self.it.database.start()
        self.happened["deaths_of_everything"] += 1

    def nothing_happens(self) -> None:
        """What comes after all accidents is worked on as before."""

    # --- what came of it ------------------------------------------------------------------------------------------

    def not_heard(self) -> set[int]:
        """Return the learners who have signed in, and of whose login there is no row."""
        return self._signed_in - set(LearnerSighting.objects.values_list("pk", flat=True))

    def is_done(self, learners: set[int]) -> bool:
        """Say whether these have all their courses, and nobody is owed anything, or waits for an outcome."""
        try:
            has = Counter(DefaultEnterpriseEnrollmentRealization.objects.values_list("lms_user_id", flat=True))
            return (
                all(has[number] == len(COURSES) for number in learners)
                and not owed().exists()
                and not RealizationAttempt.objects.unsettled().exists()
                and not Outbox.objects.exists()
            )
        except DatabaseError:
            connection.close()
            return False

    def not_done(self) -> Counter[str]:
        """Count what is still to be done, by our own tables."""
        return Counter(
            requests_pending=owed().count(),
            requests_dead=RealizationRequest.objects.exclude(failed_at=None).count(),
            outcomes_unknown=RealizationAttempt.objects.unsettled().count(),
            events_in_the_outbox=Outbox.objects.count(),
            events_set_aside=SetAside.objects.count(),
        )

    def enrolled(self) -> Counter[tuple[int, str]]:
        """Return how often the world's own story says that a learner was enrolled in a course run."""
        changes = self.it.neighbours.call("GET", "/control/log", params={"table": "enrollments"})["changes"]
        return Counter((change["row"]["user_id"], change["row"]["run_key"]) for change in changes)

    def sent(self) -> Counter[tuple[int, str]]:
        """Return how often a learner and a course run were sent to the LMS in calls that it worked on."""
        calls = self.it.neighbours.call("GET", "/control/log", params={"endpoint": "lms.enroll_learners"})["calls"]
        return Counter(item for call in calls if call["fault"] != "hang" for item in items_of(call["body"]))

    def has_now(self) -> set[tuple[int, str, str]]:
        """Return who is in what, and in which mode, as the platform has it now."""
        found = set()
        for number in self.learners:
            rows = self.it.neighbours.call("GET", "/portal/courses", params={"username": f"learner{number}"})
            found |= {(number, row["course_run_key"], row["mode"]) for row in rows if row["is_active"]}
        return found


def owed():
    return RealizationRequest.objects.exclude(due_at=None, lease_token=None)


def in_a_call() -> None:
    """Wait until some worker is about to send something, or waits for the answer."""
    wait_until(RealizationAttempt.objects.unsettled().exists, OVER_WITHIN_SECONDS, "a worker in the middle of a call")


def waves_of(learners: list[int], count: int) -> list[list[int]]:
    """Divide learners into waves of about the same size."""
    edges = [len(learners) * number // count for number in range(count + 1)]
    return [learners[begin:end] for begin, end in pairwise(edges)]


@pytest.mark.parametrize("installation", [LEARNERS], indirect=True)
def test_a_storm_survives_the_death_of_everything(installation: Installation, tally: Tally) -> None:
    storm = Storm(installation)
    accidents = [
        # First what lets learners wait for minutes, since whoever found a neighbour silent comes again only then.
        storm.the_neighbours_hang,
        storm.the_neighbours_freeze,
        storm.a_worker_is_killed,
        storm.the_broker_is_flushed,
        storm.the_web_is_killed,
        storm.the_consumers_are_killed,
        storm.beat_is_killed,
        storm.the_cache_is_flushed,
        storm.the_other_worker_is_killed,
        storm.the_consumers_stay_dead,
        storm.redis_dies,
        storm.the_database_is_restarted,
        storm.a_child_of_a_worker_is_killed,
        storm.the_database_crashes,
        storm.everything_dies,
        storm.nothing_happens,
    ]
    installation.neighbours.slow_down(enroll_seconds=ENROLL_SECONDS)
    installation.fleet.start(*EVERYONE)
    everybody = list(range(FIRST_LEARNER, FIRST_LEARNER + LEARNERS))
    try:
        wait_until(installation.fleet.is_ready, STARTED_WITHIN_SECONDS, "an installation that is ready")
        with installation.fleet.tended():
            for accident, wave in zip(accidents, waves_of(everybody, len(accidents)), strict=True):
                storm.come(wave)
                wait_until(owed().exists, OVER_WITHIN_SECONDS, "a storm")
                accident()
                connection.close()
            storm.everybody_has_come()
            heard = set(everybody) - storm.unheard
            wait_until(lambda: storm.is_done(heard), OVER_WITHIN_SECONDS, "everybody who was heard of is enrolled")
            assert storm.not_heard() == storm.unheard, "only what was lost with the bus was not heard"
            for number in storm.unheard:
                storm.visit(number)
            wait_until(lambda: storm.is_done(set(everybody)), OVER_WITHIN_SECONDS, "everybody is enrolled")
    finally:
        storm.end()

    expected = {(number, f"course-v1:{key}+1") for number in everybody for key in COURSES}
    enrolled, sent, not_done = storm.enrolled(), storm.sent(), storm.not_done()
    ended = installation.fleet.ended_by_themselves
    has_now = {(number, run) for number, run, mode in storm.has_now() if mode == "verified"}
    doubles = sum((enrolled - Counter(expected)).values()) + sum((sent - Counter(expected)).values())
    tally.of("test-chaos").add(
        learners=len(everybody),
        enrollments=len(expected),
        **storm.happened,
        processes_that_exited_and_were_restarted=len(ended),
        logins_gone_with_the_bus_and_found_at_the_next_visit=len(storm.unheard),
    )
    tally.lose(enrollments=len(expected - has_now), doubles=doubles, **not_done)

    assert has_now == expected, "everybody is in every course, and in no other"
    assert enrolled == Counter(expected), "the LMS has enrolled everybody once"
    assert sent == Counter(expected), "nothing was sent twice"
    assert not +not_done
    assert storm.unheard, "logins were lost with the bus, or nothing was tried"
    assert all(code for _, code in ended), "who gives up says so: there are supervisors that mend failures only"
