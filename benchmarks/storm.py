"""A login storm (bar P5): many learners of a new customer at once, on PostgreSQL, Redis and real workers.

    python benchmarks/storm.py [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/9]

The neighbours answer 50 ms late and throttle as the real ones do. Every run makes a database of its own beside the one
named and drops it; the Redis database named is emptied. STORM_LEARNERS and STORM_WORKERS (1,2,4) change the size.
Writes docs/benchmarks/storm.json and docs/benchmarks/storm.rst.
"""

import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from database_matrix import fresh_database  # noqa: E402

LEARNERS = int(os.environ.get("STORM_LEARNERS", "1000"))
WORKERS = [int(number) for number in os.environ.get("STORM_WORKERS", "1,2,4").split(",")]
DELAY_SECONDS = 0.05
GIVE_UP_SECONDS = 600
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def main(database_url: str, redis_url: str) -> int:
    results = []
    for workers in WORKERS:
        with fresh_database(database_url) as (url, _), neighbours() as address:
            environment = environment_of(url, redis_url, address)
            manage = [sys.executable, "manage.py", "migrate", "-v", "0"]
            subprocess.run(manage, cwd=ROOT, env=environment, check=True)
            with celery(workers, environment) as worker:
                child = subprocess.run(
                    [sys.executable, __file__, "--inside", address, str(worker.pid)],
                    cwd=ROOT,
                    env=environment,
                    check=True,
                    capture_output=True,
                    text=True,
                )
        results.append({"workers": workers, **json.loads(child.stdout.splitlines()[-1])})
        print(json.dumps(results[-1]), flush=True)
    write(results)
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
    """Run the neighbours of the storm, slow and throttling."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "benchmarks.storm_neighbours:app", "-b", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--threads", "32", "--log-level", "error"], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: requests.get(f"{address}/catalog/health/", timeout=5).ok)
        requests.patch(f"{address}/control/quirks", json={"has_throttles": True}, timeout=5).raise_for_status()
        for service in ("lms", "platform", "catalog", "license_manager"):
            fault = {"kind": "delay_before", "endpoint": f"{service}.*", "times": None, "seconds": DELAY_SECONDS}
            requests.post(f"{address}/control/faults", json=fault, timeout=5).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait()


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


def wait_for(is_so: Any, seconds: float = 60) -> None:
    ends_at = time.monotonic() + seconds
    while True:
        with contextlib.suppress(requests.ConnectionError):
            if is_so():
                return
        if time.monotonic() > ends_at:
            raise RuntimeError(f"Waited {seconds:.0f} s in vain.")
        time.sleep(0.1)


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
    from enterprise_access.apps.default_enrollments.services.intentions import add_intention
    from enterprise_access.apps.default_enrollments.services.requests import ask_for_work, request_realization

    cache.clear()
    customers = {slug: fetch_customer_by_slug(slug=slug).pk for slug in (STORM, QUIET)}
    for customer in customers.values():
        for key in COURSES:
            add_intention(customer_uuid=customer, content_key=key)
    requests.delete(f"{address}/control/log", timeout=5).raise_for_status()
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

    def is_over() -> bool:
        due = RealizationRequest.objects.due(timezone.now())
        for customer in due.values_list("customer_id", flat=True).distinct():
            ask_for_work(customer_uuid=customer)  # What beat does; here the storm is over in less than a minute.
        return realized.count() == (LEARNERS + 1) * len(COURSES)

    wait_for(is_over, GIVE_UP_SECONDS)
    seconds = time.monotonic() - started
    calls = requests.get(f"{address}/control/log", timeout=60).json()["calls"]
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


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its children have used so far."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for each in [str(pid), *children]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS


def write(results: list[dict[str, Any]]) -> None:
    folder = ROOT / "docs" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    about = {"python": platform.python_version(), "cores": os.cpu_count(), "delay_seconds": DELAY_SECONDS}
    (folder / "storm.json").write_text(json.dumps({"about": about, "runs": results}, indent=2) + "\n")
    first = results[0]
    rows = [
        ("worker processes", "workers"),
        ("seconds", "seconds"),
        ("learners per second", "learners_per_second"),
        ("cores used by the workers", "cores_used"),
        ("upstream calls per learner (bar: 0.5)", "upstream_calls_per_learner"),
        ("bulk posts", "bulk_posts"),
        ("bulk posts allowed", "bulk_posts_allowed"),
        ("items sent twice (bar: 0)", "duplicates"),
        ("answers 429", "throttled"),
        ("seconds until a quiet customer's learner was served", "seconds_until_the_quiet_customer_was_served"),
    ]
    lines = ["A login storm", "=============", ""]
    lines += [
        f"{first['learners']} learners of one customer with {first['intentions']} intentions each come at once; every",
        f"call to a neighbour takes {DELAY_SECONDS * 1000:.0f} ms longer, and the neighbours throttle as the real ones",
        "do. PostgreSQL, Redis, Celery workers and the simulated neighbours share one machine with",
        f"{os.cpu_count()} cores, so that more workers compete with the neighbours for them. Made by",
        "``make bench-storm``; the calls by endpoint are in ``storm.json``.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
    ]
    for number, (title, key) in enumerate(rows):
        lines.append(f"   * - {title if number else 'worker processes'}")
        lines += [f"     - {result[key]}" for result in results]
    (folder / "storm.rst").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    if "--inside" in sys.argv:
        print(json.dumps(storm(sys.argv[2], int(sys.argv[3]))))
    else:
        defaults = ["postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/9"]
        sys.exit(main(*[*sys.argv[1:], *defaults[len(sys.argv) - 1 :]]))
