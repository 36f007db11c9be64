"""`make bench-fairness`: what a learner of one customer waits while 10,000 of another customer are waiting (bar P9).

    python -m benchmarks.fairness [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/9]

The learners of the backlog have all logged in at the same time. Then learners of the quiet customer come one after the
other, by turns with a login and with a page of the portal. Workers and beat are those of docker-compose.yml. The
database is made beside the one named and dropped; the Redis database named is emptied. FAIRNESS_BACKLOG and
FAIRNESS_LEARNERS change the size. Writes fairness.json and fairness.rst in docs/benchmarks.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import define

from benchmarks.page_storm import empty, environment_of, processes
from benchmarks.reporting import ROOT, Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import DELAY_SECONDS, fresh_database, migrate, running, wait_for

BACKLOG: Final = int(os.environ.get("FAIRNESS_BACKLOG", "10000"))
LEARNERS: Final = int(os.environ.get("FAIRNESS_LEARNERS", "16"))
# How long after one learner of the quiet customer the next one comes.
PAUSE_SECONDS: Final = 3.0
GIVE_UP_SECONDS: Final = 300
QUEUES: Final = ("interactive", "background", "celery")


def main(database_url: str, redis_url: str) -> None:
    about = about_this("make bench-fairness", delay_ms=round(1000 * DELAY_SECONDS))
    sizes = {"STORM_LEARNERS": str(BACKLOG), "QUIET_LEARNERS": str(LEARNERS + 1)}
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_database(database_url) as (url, _),
        running("benchmarks.storm_neighbours:app", os.environ | sizes) as upstream,
    ):
        environment = environment_of(url, redis_url, upstream)
        empty(redis_url)
        migrate(environment)
        upstream.throttle()
        upstream.delay(DELAY_SECONDS)
        with processes(environment, Path(folder)):
            child = subprocess.run(
                [sys.executable, "-m", "benchmarks.fairness", "--inside", redis_url],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        found = json.loads(child.stdout.splitlines()[-1])
        refused = Counter(call["endpoint"] for call in upstream.calls() if call["status"] == 429)
        found |= {"refused_for_calling_too_often": refused.total(), "refused": dict(refused)}
    print(json.dumps(found), flush=True)
    write("fairness", {"about": about, "fairness": found}, as_page(about, found))


@define
class Queues:
    """Watches how many messages wait, by queue."""

    redis_url: str
    longest: int = 0
    is_over: bool = False

    def watch(self) -> None:
        from redis import Redis

        broker = Redis.from_url(self.redis_url)
        while not self.is_over:
            self.longest = max(self.longest, *(int(broker.llen(name)) for name in QUEUES))
            time.sleep(0.2)


def inside(redis_url: str) -> Row:
    """Measure, in a process that is set up for the database."""
    import django

    django.setup()
    from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER, QUIET, QUIET_LEARNER, STORM
    from enterprise_access.apps.customers.models import LearnerSighting
    from enterprise_access.apps.customers.services import fetch_customer_by_slug, note_sightings
    from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
    from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
    from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
    from enterprise_access.lib import clock

    customers = {slug: fetch_customer_by_slug(slug=slug).pk for slug in (STORM, QUIET)}
    for customer in customers.values():
        for key in COURSES:
            add_intention(customer_uuid=customer, content_key=key)

    def log_in(*lms_user_ids: int) -> None:
        note_sightings(seen=dict.fromkeys(lms_user_ids, clock.now()))

    def open_page(lms_user_id: int) -> None:
        request_realization(
            customer_uuid=customers[QUIET], lms_user_ids=[lms_user_id], trigger=Trigger.PORTAL, now=clock.now()
        )

    def waiting() -> int:
        logins = LearnerSighting.objects.exclude(due_at=None).count()
        return logins + RealizationRequest.objects.exclude(due_at=None).filter(customer=customers[STORM]).count()

    # Until the workers have started.
    open_page(QUIET_LEARNER + LEARNERS)
    seconds_until_served(QUIET_LEARNER + LEARNERS, len(COURSES))
    queues = Queues(redis_url)
    watcher = threading.Thread(target=queues.watch)
    watcher.start()
    try:
        crowd = range(FIRST_LEARNER, FIRST_LEARNER + BACKLOG)
        for start in range(0, BACKLOG, 1_000):
            log_in(*crowd[start : start + 1_000])
        at_start, started_at = waiting(), time.monotonic()
        ways: dict[str, Callable[[int], None]] = {"login": log_in, "page": open_page}
        waits: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(LEARNERS):
            way = list(ways)[number % len(ways)]
            ways[way](QUIET_LEARNER + number)
            waits[way].append(seconds_until_served(QUIET_LEARNER + number, len(COURSES)))
            time.sleep(PAUSE_SECONDS)
        at_end, seconds = waiting(), time.monotonic() - started_at
    finally:
        queues.is_over = True
        watcher.join()
    return {
        "backlog": BACKLOG,
        "backlog_at_start": at_start,
        "backlog_at_end": at_end,
        "learners_per_second_of_the_backlog": round((at_start - at_end) / seconds, 1),
        "learners": LEARNERS,
        "intentions": len(COURSES),
        "login_seconds": waits["login"],
        "page_seconds": waits["page"],
        "slowest_login_seconds": max(waits["login"]),
        "slowest_page_seconds": max(waits["page"]),
        "longest_queue": queues.longest,
    }


def seconds_until_served(lms_user_id: int, courses: int) -> float:
    from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization

    started_at = time.monotonic()
    mine = DefaultEnterpriseEnrollmentRealization.objects.filter(lms_user_id=lms_user_id)
    wait_for(lambda: mine.count() == courses, GIVE_UP_SECONDS)
    return round(time.monotonic() - started_at, 1)


def as_page(about: Row, found: Row) -> str:
    rows = [
        ("learners of the busy customer who wait, at the start", [found["backlog_at_start"]]),
        ("and at the end", [found["backlog_at_end"]]),
        ("of whom in a second are served", [found["learners_per_second_of_the_backlog"]]),
        ("learners of the quiet customer, courses of each", [found["learners"], found["intentions"]]),
        ("seconds until enrolled in all of them, after a login", found["login_seconds"]),
        ("seconds until enrolled in all of them, after a page", found["page_seconds"]),
        ("messages in a queue, at most", [found["longest_queue"]]),
        ("answers 429 of upstream services", [found["refused_for_calling_too_often"]]),
    ]
    lines = [
        *heading("Fairness: figures"),
        made_by(about),
        f"{found['backlog']:,} learners of one customer log in at the same time. While they wait, learners of",
        "another customer come one after the other, by turns with a login and with a page of the portal. Every",
        f"upstream call takes {about['delay_ms']} ms longer, and the upstream services throttle as the real ones do.",
        "Workers and beat are those of ``docker-compose.yml``, on PostgreSQL and Redis; all of it, the simulated",
        "services included, shares one machine.",
        "",
        *list_table(["", "measured"], [[what, ", ".join(f"{each:,}" for each in values)] for what, values in rows]),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if "--inside" in sys.argv:
        print(json.dumps(inside(sys.argv[2])))
    else:
        defaults = ["postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/9"]
        main(*[*sys.argv[1:], *defaults[len(sys.argv) - 1 :]])
