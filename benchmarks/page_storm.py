"""`make bench-page-storm`: newcomers who open the learner portal, under the throttles of the real services (bar P8).

    python -m benchmarks.page_storm [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/11]

Two newcomers a second, of twenty customers in turn, open their dashboard for PAGE_STORM_SECONDS (600; 60 is enough
while you develop). The processes are those of the image: the Dockerfile's web command and the workers and beat of
docker-compose.yml. The database is made beside the one named and dropped; the Redis database named is emptied.
Writes page_storm.json and page_storm.rst in docs/benchmarks.
"""

import contextlib
import os
import secrets
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import requests
import yaml
from attrs import frozen

from benchmarks.page_storm_neighbours import COURSES, CUSTOMERS, slug_of, username_of
from benchmarks.reporting import ROOT, Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import DELAY_SECONDS, UpstreamServices, free_port, fresh_database, migrate, running, wait_for

SECONDS: Final = int(os.environ.get("PAGE_STORM_SECONDS", "600"))
PER_SECOND: Final = float(os.environ.get("PAGE_STORM_RATE", "2"))
# A page that shows the enrollment later than this is too late.
PAGE_SECONDS: Final = 3.0
# How long the last pages and what they left to the workers may take.
AFTERWARDS_SECONDS: Final = 120
API: Final = "/api/v1/default-enterprise-enrollment-intentions"


@frozen(kw_only=True)
class Page:
    """One page as a newcomer got it."""

    seconds: float
    status: int
    is_enrollment_shown: bool
    problems: tuple[str, ...]


def main(database_url: str, redis_url: str) -> None:
    learners = round(SECONDS * PER_SECOND)
    about = about_this(
        "make bench-page-storm", delay_ms=round(1000 * DELAY_SECONDS), seconds=SECONDS, per_second=PER_SECOND
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_database(database_url) as (url, _),
        running(
            "benchmarks.page_storm_neighbours:app", os.environ | {"PAGE_STORM_LEARNERS": str(learners)}
        ) as upstream,
    ):
        environment = environment_of(url, redis_url, upstream)
        empty(redis_url)
        migrate(environment)
        with processes(environment, Path(folder)) as web:
            found = storm(web, upstream, learners)
    result = {"about": about, "storm": found}
    print(found)
    write("page_storm", result, as_page(about, found))


def environment_of(database_url: str, redis_url: str, upstream: UpstreamServices) -> dict[str, str]:
    from simulator.seed import WORKER_KEY, WORKER_SECRET

    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": redis_url,
        "CACHE_URL": redis_url.replace("redis://", "rediscache://"),
        "CACHE_STAMP": secrets.token_urlsafe(),
        "LMS_BASE_URL": f"{upstream.url}/lms",
        "OAUTH2_BASE_URL": f"{upstream.url}/lms",
        "CATALOG_BASE_URL": f"{upstream.url}/catalog",
        "LICENSE_MANAGER_BASE_URL": f"{upstream.url}/license-manager",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "JWT_PUBLIC_SIGNING_JWK_SET": requests.get(f"{upstream.url}/lms/oauth2/jwks", timeout=10).text,
        "JWT_ISSUER": "https://lms.example.com/oauth2",
        "JWT_AUDIENCE": "openedx",
        # Those of a real installation, which the tests' settings change.
        "PLATFORM_READS_PER_MINUTE": "96",
        "LICENSE_READS_PER_MINUTE": "300",
        "REQUEST_BUDGET_SECONDS": "2.8",
        "STALE_BUDGET_SECONDS": "1",
        "CONTENT_TRUSTED_SECONDS": "2",
        "REALIZE_WAITERS": "16",
        "DATABASE_CLOCK": "true",
        "LOG_LEVEL": "WARNING",
        "WEB_CONCURRENCY": "2",
        "PYTHONWARNINGS": "",
    }


def empty(redis_url: str) -> None:
    from redis import Redis

    Redis.from_url(redis_url).flushdb()


@contextlib.contextmanager
def processes(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the web process of the Dockerfile, and workers and beat of docker-compose.yml; yield the web's address."""
    port = free_port()
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [command_of_web(port)]
    for number, service in enumerate(services.values()):
        words = [str(word) for word in service.get("command", ()) if isinstance(service.get("command"), list)]
        if words[:1] == ["celery"]:
            where = ["--hostname", f"{number}@bench"] if "worker" in words else []
            commands.append([str(folder / "beat") if word.endswith("/beat") else word for word in [*words, *where]])
    started = [
        subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        for words in commands
    ]
    try:
        web = f"http://127.0.0.1:{port}"
        wait_for(lambda: ask(f"{web}/health/live/").status_code == 200, while_runs=started[0])
        time.sleep(8)  # The workers have no address to ask.
        yield web
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def command_of_web(port: int) -> list[str]:
    line = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("CMD [")][-1]
    words = shlex.split(line.removeprefix("CMD").translate(str.maketrans("[],", "   ")))
    return [f"127.0.0.1:{port}" if word.startswith("0.0.0.0:") else word for word in words]


def ask(address: str) -> requests.Response:
    return requests.get(address, headers={"Host": "testserver"}, timeout=30)


def token_of(upstream: UpstreamServices, username: str) -> str:
    token: str = requests.post(f"{upstream.url}/control/token", json={"username": username}, timeout=30).json()["token"]
    return token


def storm(web: str, upstream: UpstreamServices, learners: int) -> Row:
    """Let the newcomers come, and count."""
    operator = {"Host": "testserver", "Authorization": f"JWT {token_of(upstream, 'enterprise_access_worker')}"}
    for uuid in customers_of(upstream, operator["Authorization"]):
        for key in COURSES:
            body = {"enterprise_customer_uuid": uuid, "content_key": key}
            requests.post(f"{web}{API}/", json=body, headers=operator, timeout=60).raise_for_status()
    tokens = [token_of(upstream, username_of(number)) for number in range(learners)]
    upstream.throttle()
    upstream.delay(DELAY_SECONDS)
    upstream.forget_calls()
    started_at = time.monotonic()
    with ThreadPoolExecutor(128) as pool:
        coming = []
        for number, token in enumerate(tokens):
            time.sleep(max(0.0, started_at + number / PER_SECOND - time.monotonic()))
            coming.append(pool.submit(open_dashboard, web, slug_of(number), token))
        pages = [each.result() for each in coming]
    calls = upstream.calls()
    seconds = sorted(page.seconds for page in pages)
    in_time = sum(page.is_enrollment_shown and page.seconds <= PAGE_SECONDS for page in pages)
    by_endpoint = Counter(call["endpoint"] for call in calls)
    return {
        "newcomers": learners,
        "customers": CUSTOMERS,
        "intentions": len(COURSES),
        "seconds": round(time.monotonic() - started_at, 1),
        "newcomers_an_hour": round(3600 * learners / (time.monotonic() - started_at)),
        "refused_for_calling_too_often": sum(call["status"] == 429 for call in calls),
        "in_time": round(in_time / learners, 4),
        "not_200": sum(page.status != 200 for page in pages),
        "problems": dict(Counter(problem for page in pages for problem in page.problems)),
        "p50_seconds": round(statistics.median(seconds), 2),
        "p95_seconds": round(seconds[int(len(seconds) * 0.95)], 2),
        "slowest_seconds": round(seconds[-1], 2),
        "platform_reads_per_newcomer": round(by_endpoint["platform.enrollments"] / learners, 3),
        "busiest_minute": busiest_minute(calls, "platform.enrollments"),
        "calls": dict(by_endpoint.most_common()),
    }


def customers_of(upstream: UpstreamServices, authorization: str) -> list[str]:
    """Return the uuids of the storm's customers."""
    address, headers = f"{upstream.url}/lms/enterprise/api/v1/enterprise-customer/", {"Authorization": authorization}
    return [
        requests.get(address, params={"slug": slug_of(number)}, headers=headers, timeout=30).json()["results"][0][
            "uuid"
        ]
        for number in range(CUSTOMERS)
    ]


def busiest_minute(calls: list[Row], endpoint: str) -> int:
    from datetime import datetime

    at = sorted(datetime.fromisoformat(call["at"]).timestamp() for call in calls if call["endpoint"] == endpoint)
    return max((sum(one <= other < one + 60 for other in at) for one in at), default=0)


def open_dashboard(web: str, slug: str, token: str) -> Page:
    started_at = time.monotonic()
    answer = requests.post(
        f"{web}/api/v1/bffs/learner/dashboard/",
        json={"enterprise_customer_slug": f"{slug}/"},
        headers={"Host": "testserver", "Authorization": f"JWT {token}"},
        timeout=60,
    )
    body = answer.json()
    shown = {row["course_run_id"] for row in body.get("enterprise_course_enrollments", ())}
    return Page(
        seconds=time.monotonic() - started_at,
        status=answer.status_code,
        is_enrollment_shown=shown >= {f"course-v1:{key}+1" for key in COURSES},
        problems=tuple(problem["developer_message"] for problem in body.get("errors", ())),
    )


def as_page(about: Row, found: Row) -> str:
    rows = [
        ("newcomers", found["newcomers"]),
        ("customers, courses of each", f"{found['customers']}, {found['intentions']}"),
        ("newcomers an hour, at this rate", found["newcomers_an_hour"]),
        ("answers 429 of upstream services", found["refused_for_calling_too_often"]),
        (f"pages that show the enrollment within {PAGE_SECONDS:.0f} s", f"{100 * found['in_time']:.1f}%"),
        (
            "seconds of a page: median, 95th percentile, slowest",
            f"{found['p50_seconds']}, {found['p95_seconds']}, {found['slowest_seconds']}",
        ),
        ("reads of platform enrollments per newcomer", found["platform_reads_per_newcomer"]),
        ("reads of platform enrollments in the busiest minute", found["busiest_minute"]),
    ]
    return "\n".join(
        [
            *heading("A storm of portal pages: figures"),
            made_by(about),
            f"{about['per_second']:g} newcomers a second open their dashboard for {about['seconds']} s. Every upstream",
            f"call takes {about['delay_ms']} ms longer, and the upstream services throttle as the real ones do. The",
            "processes are those of the image, on PostgreSQL and Redis; all of it, the simulated services included,",
            "shares one machine.",
            "",
            *list_table(["", "measured"], [list(row) for row in rows]),
            "Upstream calls by endpoint:",
            "",
            *list_table(["endpoint", "calls"], [[name, count] for name, count in found["calls"].items()]),
        ]
    ).rstrip() + "\n"  # fmt: skip


if __name__ == "__main__":
    defaults = ["postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/11"]
    main(*[*sys.argv[1:], *defaults[len(sys.argv) - 1 :]])
