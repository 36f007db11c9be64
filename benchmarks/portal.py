"""`make bench-portal`: what a load of the learner portal's dashboard asks of the neighbours, and how long it takes.

Every time stands beside the slowest single call that the same load made, and the neighbours' calls are counted one by
one. *Rounds* is how many calls had to wait for one another: the largest number of calls of a load of which no two were
under way at the same time. Writes portal.json and portal.rst in docs/benchmarks.
"""

import argparse
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import django
import requests
from django.core.management import call_command

from benchmarks.bars import ROUNDS
from benchmarks.reporting import Row, about_this, heading, list_table, made_by, timeline_table, write
from benchmarks.serving import DELAY_SECONDS, UpstreamServices, running
from benchmarks.watching import noting_calls, rounds_of, timeline_of
from simulator.seed import ACME, WORKER_KEY, WORKER_SECRET

DELAYS: Final = (0.0, DELAY_SECONDS)
# She is enrolled in the default course already, so that no load waits for a worker.
LEARNER, COURSE = "erin", "edX+DemoX"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="How often each load is measured.")
    parser.add_argument("--no-report", action="store_true", help="Print only.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running("benchmarks.neighbours:app") as neighbours:
        prepare(neighbours, Path(folder))
        results = measure(neighbours, options.repeat)
    page = as_page(results)
    print(page)
    if not options.no_report:
        write("portal", results, page)


def prepare(neighbours: UpstreamServices, folder: Path) -> None:
    """Set this process up against the neighbours, with the database and the cache of `make run`."""
    keys = requests.get(f"{neighbours.url}/lms/oauth2/jwks", timeout=10).text
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.local",
        "EMBEDDED_HOME": str(folder),
        "CACHE_STAMP": secrets.token_urlsafe(),
        # A cold load must not live on what this process was shown by the one before.
        "CONTENT_TRUSTED_SECONDS": "0",
        "LMS_BASE_URL": f"{neighbours.url}/lms",
        "CATALOG_BASE_URL": f"{neighbours.url}/catalog",
        "LICENSE_MANAGER_BASE_URL": f"{neighbours.url}/license-manager",
        "OAUTH2_BASE_URL": f"{neighbours.url}/lms",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "JWT_PUBLIC_SIGNING_JWK_SET": keys,
        "JWT_ISSUER": "https://lms.example.com/oauth2",
        "JWT_AUDIENCE": "openedx",
        "CHECK_NEIGHBOURS_AT_START": "false",
        "LOG_LEVEL": "ERROR",
    }
    django.setup()
    from django.conf import settings

    settings.ALLOWED_HOSTS = ["testserver"]
    settings.REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"] = []
    call_command("migrate", verbosity=0)
    call_command("migrate", database="cache", verbosity=0)
    call_command("createcachetable", database="cache")


def measure(neighbours: UpstreamServices, repeat: int) -> Row:
    from enterprise_access.apps.customers.services import fetch_customer
    from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention

    about = about_this("make bench-portal", repeat=repeat)
    fetch_customer(customer_uuid=ACME)
    add_intention(customer_uuid=ACME, content_key=COURSE)
    loads = []
    for delay in DELAYS:
        neighbours.delay(delay)
        load = loader(neighbours)
        load()
        loads.append(summary("cold", delay, [watched(load, before=forget) for _ in range(repeat)]))
        forget()
        timeline = timeline_of(load)
        load()
        loads.append(summary("warm", delay, [watched(load, before=forget_licenses) for _ in range(repeat)]))
    return {
        "about": about,
        "bars": {f"{load}_rounds": rounds for load, rounds in ROUNDS.items()},
        "loads": loads,
        "timeline": timeline,
    }


def loader(neighbours: UpstreamServices) -> Callable[[], None]:
    """Return a function that loads the learner's dashboard; nothing may be missing from it, or nothing was measured."""
    from rest_framework.test import APIClient

    answer = requests.post(f"{neighbours.url}/control/token", json={"username": LEARNER}, timeout=10)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {answer.json()['token']}")

    def load() -> None:
        body = {"enterprise_customer_slug": "acme/"}
        page = client.post("/api/v1/bffs/learner/dashboard/", body, format="json")
        if page.status_code != 200 or page.json()["errors"]:
            raise RuntimeError(f"The page is not whole: {page.status_code} {page.content[-500:]!r}")

    return load


def forget() -> None:
    """Empty the caches and forget the learner. Our own access token stays: it is fetched once an hour."""
    from django.conf import settings

    from enterprise_access.apps.customers.models import EnterpriseLearner

    settings.CACHE_STAMP = secrets.token_urlsafe()
    EnterpriseLearner.objects.all().delete()


def forget_licenses() -> None:
    """Forget what is kept for seconds only, so that a warm load is one that comes a little later."""
    from enterprise_access.apps.licenses.selectors import forget_own_licenses

    forget_own_licenses(customer_uuid=ACME, lms_user_id=1013)


# --- Watching --------------------------------------------------------------------------------------------------------


def watched(load: Callable[[], None], *, before: Callable[[], None]) -> Row:
    before()
    with noting_calls() as calls:
        started_at = time.perf_counter()
        load()
        taken = time.perf_counter() - started_at
    return {
        "ms": 1000 * taken,
        "calls": len(calls),
        "rounds": rounds_of(calls),
        "slowest_ms": 1000 * max(call.ended - call.began for call in calls),
    }


def summary(kind: str, delay: float, rows: list[Row]) -> Row:
    def middle(name: str) -> float:
        return round(statistics.median(row[name] for row in rows), 1)

    return {
        "load": kind,
        "delay_ms": round(1000 * delay),
        "calls": max(row["calls"] for row in rows),
        # Without a delay an answer comes before the next call is even sent, so that nothing overlaps.
        "rounds": max(row["rounds"] for row in rows) if delay else None,
        "p50_ms": middle("ms"),
        "p95_ms": round(statistics.quantiles([row["ms"] for row in rows], n=20)[-1], 1),
        "slowest_call_ms": middle("slowest_ms"),
        "ratio": round(statistics.median(row["ms"] / row["slowest_ms"] for row in rows), 1),
    }


# --- The report ------------------------------------------------------------------------------------------------------


def as_page(results: Row) -> str:
    about, names = results["about"], list(results["loads"][0])
    lines = [
        *heading("Pages of the learner portal: figures"),
        made_by(about),
        f"{about['repeat']} repetitions.",
        "The simulator plays the upstream services in another process on the same machine. Times are medians and 95th",
        "percentiles of a dashboard load, in ms; *rounds* is how many of its calls had to wait for one another (the",
        "worst load counts; missing without a delay), *ratio* the median of a load's time divided by the time of its",
        "slowest call. Cold: the caches are empty and the learner is unknown; the service's access token, which lasts",
        "for an hour, is cached. Warm: some seconds after another load.",
        "",
        f"Bar: at most {ROUNDS['cold']} rounds cold, {ROUNDS['warm']} warm.",
        "",
        *list_table(names, [[load[name] for name in names] for load in results["loads"]]),
        f"One cold load with answers that come {round(1000 * DELAYS[-1])} ms later:",
        "",
        *timeline_table(results["timeline"]),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
