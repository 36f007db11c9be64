"""`make bench-storm`: many learners of a new customer at once (bar P5), on PostgreSQL, Redis and real workers.

    python -m benchmarks.storm [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/9]

The upstream services answer 50 ms late and throttle as the real ones do. After the storm all the learners log in again,
for whom nothing is pending any more (bar P6). Every run makes a database of its own beside the one named and drops it;
the Redis database named is emptied. STORM_LEARNERS and STORM_WORKERS (1,2,4) change the size. Writes storm.json,
storm.rst and storm.svg in docs/benchmarks.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks.reporting import ROOT, Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import DELAY_SECONDS, UpstreamServices, cpu_seconds, fresh_database, migrate, running, wait_for

LEARNERS = int(os.environ.get("STORM_LEARNERS", "1000"))
WORKERS = [int(number) for number in os.environ.get("STORM_WORKERS", "1,2,4").split(",")]
GIVE_UP_SECONDS = 600


def main(database_url: str, redis_url: str) -> int:
    from benchmarks.plots import plot_storm

    about = about_this("make bench-storm", delay_ms=round(1000 * DELAY_SECONDS))
    results = []
    for workers in WORKERS:
        with fresh_database(database_url) as (url, _), neighbours() as address:
            environment = environment_of(url, redis_url, address)
            migrate(environment)
            with celery(workers, environment) as worker:
                child = subprocess.run(
                    [sys.executable, "-m", "benchmarks.storm", "--inside", address, str(worker.pid)],
                    cwd=ROOT,
                    env=environment,
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
        results.append({"workers": workers, **json.loads(child.stdout.splitlines()[-1])})
        print(json.dumps(results[-1]), flush=True)
    write("storm", {"about": about, "runs": results}, as_page(about, results))
    plot_storm(results, "storm")
    return 0


def environment_of(database_url: str, redis_url: str, address: str) -> dict[str, str]:
    from simulator.seed import WORKER_KEY, WORKER_SECRET

    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": redis_url,
        "CACHE_URL": redis_url.replace("redis://", "rediscache://"),
        "LMS_BASE_URL": f"{address}/lms",
        "OAUTH2_BASE_URL": f"{address}/lms",
        "CATALOG_BASE_URL": f"{address}/catalog",
        "LICENSE_MANAGER_BASE_URL": f"{address}/license-manager",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "LOG_LEVEL": "WARNING",
    }


@contextlib.contextmanager
def neighbours() -> Iterator[str]:
    """Run the neighbours of the storm, slow and throttling; yield their address."""
    with running("benchmarks.storm_neighbours:app") as simulator:
        simulator.throttle()
        simulator.delay(DELAY_SECONDS)
        yield simulator.url


@contextlib.contextmanager
def celery(workers: int, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "enterprise_access", "worker"]
    command += ["--concurrency", str(workers), "--without-gossip", "--without-mingle", "--loglevel", "warning"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        time.sleep(5)
        yield process
    finally:
        process.terminate()
        process.wait()


def storm(address: str, worker_pid: int) -> dict[str, Any]:
    """Raise the storm, and watch it, inside a process that is set up for its database."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.cache import cache
    from django.utils import timezone

    from benchmarks.storm_neighbours import COURSES, FIRST_LEARNER, QUIET, QUIET_LEARNER, STORM
    from enterprise_access.apps.customers.services import fetch_customer_by_slug
    from enterprise_access.apps.default_enrollments.models import (
        DefaultEnterpriseEnrollmentRealization,
        RealizationRequest,
        Trigger,
    )
    from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
    from enterprise_access.apps.default_enrollments.services.requests.work_items import (
        ask_for_work,
        request_realization,
    )

    cache.clear()
    customers = {slug: fetch_customer_by_slug(slug=slug).pk for slug in (STORM, QUIET)}
    for customer in customers.values():
        for key in COURSES:
            add_intention(customer_uuid=customer, content_key=key)
    simulator = UpstreamServices(address, 0)
    simulator.forget_calls()
    realized = DefaultEnterpriseEnrollmentRealization.objects.all()
    cpu_before, started = cpu_seconds(worker_pid), time.monotonic()
    learners = range(FIRST_LEARNER, FIRST_LEARNER + LEARNERS)
    request_realization(
        customer_uuid=customers[STORM], lms_user_ids=learners, trigger=Trigger.LOGIN, now=timezone.now()
    )
    wait_for(lambda: realized.count() >= LEARNERS * len(COURSES) * 0.3, GIVE_UP_SECONDS)
    quiet_started = time.monotonic()
    request_realization(
        customer_uuid=customers[QUIET], lms_user_ids=[QUIET_LEARNER], trigger=Trigger.LOGIN, now=timezone.now()
    )
    quiet = realized.filter(lms_user_id=QUIET_LEARNER)
    wait_for(lambda: quiet.count() == len(COURSES), GIVE_UP_SECONDS)
    quiet_seconds = time.monotonic() - quiet_started

    asked_at = 0.0

    def is_over() -> bool:
        nonlocal asked_at
        # What beat does; here the storm is over in less than a minute. Each message is one more to work off afterwards.
        if time.monotonic() >= asked_at + 2:
            asked_at = time.monotonic()
            if RealizationRequest.objects.due(timezone.now()).exists():
                ask_for_work()
        return realized.count() == (LEARNERS + 1) * len(COURSES)

    wait_for(is_over, GIVE_UP_SECONDS)
    seconds = time.monotonic() - started
    calls = simulator.calls()
    by_endpoint = Counter(call["endpoint"] for call in calls)
    items = [item for call in calls if call["endpoint"] == "lms.enroll_learners" for item in items_of(call["body"])]
    return {
        "learners": LEARNERS,
        "intentions": len(COURSES),
        "seconds": round(seconds, 1),
        "learners_per_second": round(LEARNERS / seconds, 1),
        "upstream_calls_per_learner": round(sum(by_endpoint.values()) / LEARNERS, 3),
        "calls": dict(by_endpoint.most_common()),
        "bulk_posts": by_endpoint["lms.enroll_learners"],
        "bulk_posts_allowed": (LEARNERS + 1) * len(COURSES) // settings.ENROLL_BATCH + 10,
        "items_sent": len(items),
        "duplicates": len(items) - len(set(items)),
        "throttled": sum(call["status"] == 429 for call in calls),
        "seconds_until_the_quiet_customer_was_served": round(quiet_seconds, 1),
        "cores_used": round((cpu_seconds(worker_pid) - cpu_before) / seconds, 2),
    }


def items_of(body: Any) -> list[tuple[int, str]]:
    parsed = json.loads(body) if isinstance(body, str) else body
    return [(item["user_id"], item["course_run_key"]) for item in parsed["enrollments_info"]]


def logins_afterwards(address: str) -> Row:
    """Let all learners of the storm log in twice, and count the calls: when our copies of their links have become old,
    and when these are young. Nothing is owed to anybody any more."""
    from benchmarks.storm_neighbours import FIRST_LEARNER
    from enterprise_access.apps.customers.models import EnterpriseLearner

    simulator = UpstreamServices(address, 0)
    learners = range(FIRST_LEARNER, FIRST_LEARNER + LEARNERS)
    EnterpriseLearner.objects.update(fetched_at="2020-01-01T00:00:00Z")
    simulator.forget_calls()
    log_in(learners)
    when_old = simulator.calls_by_endpoint()
    simulator.forget_calls()
    log_in(learners)
    return {
        "learners": LEARNERS,
        "calls_when_links_are_old": when_old,
        "calls_when_nothing_is_owed": simulator.calls_by_endpoint(),
    }


def log_in(learners: range) -> None:
    """Do what an event of a login does, and wait until the workers are done with all of them."""
    from django.utils import timezone

    from enterprise_access.apps.customers.models import LearnerSighting
    from enterprise_access.apps.customers.services import note_sightings
    from enterprise_access.apps.default_enrollments.models import RealizationRequest

    now = timezone.now()
    note_sightings(seen=dict.fromkeys(learners, now))
    seen = LearnerSighting.objects.filter(seen_at=now, due_at=None)
    wait_for(lambda: seen.count() == len(learners), GIVE_UP_SECONDS)
    if RealizationRequest.objects.due(timezone.now()).exists():
        raise RuntimeError("An evaluation is pending for a learner who has everything.")


def as_page(about: Row, results: list[Row]) -> str:
    first = results[0]
    rows = [
        ("seconds", "seconds"),
        ("learners per second", "learners_per_second"),
        ("cores used by the workers", "cores_used"),
        ("upstream calls per learner", "upstream_calls_per_learner"),
        ("bulk posts", "bulk_posts"),
        ("bulk posts allowed", "bulk_posts_allowed"),
        ("items sent twice", "duplicates"),
        ("answers 429", "throttled"),
        ("seconds until a quiet customer's learner was served", "seconds_until_the_quiet_customer_was_served"),
    ]
    lines = [
        *heading("A login storm: figures"),
        made_by(about),
        f"{first['learners']} learners of one customer with {first['intentions']} intentions each log in at the same",
        f"time. Every upstream call takes {about['delay_ms']} ms longer, and the upstream services throttle as the",
        "real ones do.",
        "PostgreSQL, Redis, Celery workers and the simulated services share one machine, so that more workers compete",
        "with the simulated services for its cores.",
        "",
        ".. image:: storm.svg",
        "   :alt: How many learners are enrolled per second, by number of worker processes, with the bar.",
        "",
        *list_table(
            ["worker processes", *(str(result["workers"]) for result in results)],
            [[title, *(result[key] for result in results)] for title, key in rows],
        ),
        "Calls by endpoint. After the storm all learners log in twice: when the copies of their links are stale, and",
        "when the copies are fresh and nothing is pending.",
        "",
    ]
    kinds = {
        "storm": [result["calls"] for result in results],
        "logins, links are stale": [result["logins"]["calls_when_links_are_old"] for result in results],
        "logins, nothing is pending": [result["logins"]["calls_when_nothing_is_owed"] for result in results],
    }
    lines += list_table(
        ["", "endpoint", *(f"{result['workers']} workers" for result in results)],
        [
            [kind, endpoint, *(each.get(endpoint, 0) for each in calls)]
            for kind, calls in kinds.items()
            for endpoint in sorted({name for each in calls for name in each}) or ["none"]
        ],
    )
    return "\n".join(lines).rstrip() + "\n"


def inside(address: str, worker_pid: int) -> Row:
    found = storm(address, worker_pid)
    return {**found, "logins": logins_afterwards(address)}


if __name__ == "__main__":
    if "--inside" in sys.argv:
        print(json.dumps(inside(sys.argv[2], int(sys.argv[3]))))
    else:
        defaults = ["postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/9"]
        sys.exit(main(*[*sys.argv[1:], *defaults[len(sys.argv) - 1 :]]))
