"""`make bench-overview`: the admin's overview and long lists beside an empty list, with very many attempts.

    python -m benchmarks.overview [postgres://postgres@127.0.0.1:5432/postgres]

Every run makes databases of its own (SQLite in a file, PostgreSQL beside the one named) and drops them. Pages are asked
for inside this process, by somebody who may do everything, through all of the middleware, each in turn with the floor:
the list of overrides, of which there are none. FULL=1 takes 1,000,000 attempts and 100,000 realizations in place of
100,000 and 10,000. Writes docs/benchmarks/overview.json and overview.rst (with FULL=1: overview-full.*).
"""

import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from database_matrix import fresh_database  # noqa: E402

IS_FULL = os.environ.get("FULL") == "1"
ATTEMPTS = 1_000_000 if IS_FULL else 100_000
REALIZATIONS = ATTEMPTS // 10
REPORT = ROOT / "docs" / "benchmarks" / ("overview-full" if IS_FULL else "overview")
REPEAT = 15
CUSTOMERS, INTENTIONS_EACH = 20, 5
# Every learner was looked at twice for every intention of their customer.
LEARNERS = ATTEMPTS // INTENTIONS_EACH // 2
AT_ONCE = 5_000

Row = dict[str, Any]


def main(database_url: str) -> None:
    rows = []
    for name, url in (("SQLite", "sqlite://:memory:"), ("PostgreSQL", database_url)):
        with fresh_database(url) as (fresh, _):
            environment = os.environ | {
                "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
                "DATABASE_URL": fresh,
                "LOG_LEVEL": "WARNING",
                "OVERVIEW_BENCHMARK": name,
            }
            subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
            command = [sys.executable, "-m", "benchmarks.overview"]
            found = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
            rows += json.loads(found.stdout.splitlines()[-1])
    write_report(rows)


# --- In a process of its own, so that the environment can name the database -----------------------------------------


def measure(database: str) -> list[Row]:
    """Fill the database, and measure every page in turn with the floor."""
    import django

    django.setup()

    from django.contrib.auth import get_user_model
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext, setup_test_environment
    from django.urls import reverse

    from enterprise_access.apps.customers.models import EnterpriseCustomer

    fill()
    setup_test_environment(debug=False)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    customer = EnterpriseCustomer.objects.earliest("slug")

    def list_of(name: str, query: str = "") -> str:
        return reverse(f"admin:default_enrollments_{name}_changelist") + query

    floor = list_of("realizationoverride")
    pages = {
        "overview": reverse("overview"),
        "overview of one customer": reverse("customer_overview", args=[customer.pk]),
        "attempts": list_of("realizationattempt"),
        "attempts, the last of each": list_of("realizationattempt", "?which=newest"),
        "attempts of one customer": list_of("realizationattempt", f"?customer={customer.pk}"),
        "attempts of one learner": list_of("realizationattempt", "?q=1234"),
        "realizations": list_of("defaultenterpriseenrollmentrealization"),
        "requests": list_of("realizationrequest"),
        "requests that are due": list_of("realizationrequest", "?state=due"),
        "intentions": list_of("defaultenterpriseenrollmentintention"),
        "customer's page": reverse("admin:customers_enterprisecustomer_change", args=[customer.pk]),
    }

    def seconds_of(url: str) -> float:
        cache.clear()
        started = time.perf_counter()
        answer = client.get(url)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answered {answer.status_code}.")
        return time.perf_counter() - started

    def statements_of(url: str, *, is_first: bool = True) -> int:
        if is_first:
            cache.clear()
        with CaptureQueriesContext(connection) as statements:
            client.get(url)
        return len(statements)

    rows = []
    for name, url in pages.items():
        seconds_of(url), seconds_of(floor)
        pairs = [(seconds_of(floor), seconds_of(url)) for _ in range(REPEAT)]
        rows.append(row_of(database, name, pairs, statements_of(url)))
    # What took long to count is not counted again within a minute.
    client.get(pages["overview"])
    pairs = [(seconds_of(floor), again(client.get, pages["overview"])) for _ in range(REPEAT)]
    return [
        *rows,
        row_of(database, "overview, within the same minute", pairs, statements_of(pages["overview"], is_first=False)),
    ]


def again(get: Callable[[str], Any], url: str) -> float:
    """Measure a page right after it was asked for."""
    get(url)
    started = time.perf_counter()
    get(url)
    return time.perf_counter() - started


def row_of(database: str, page: str, pairs: list[tuple[float, float]], statements: int) -> Row:
    floor, seconds = (statistics.median(values) for values in zip(*pairs, strict=True))
    slowest = sorted(value for _, value in pairs)[int(0.95 * len(pairs))]
    return {
        "database": database,
        "page": page,
        "statements": statements,
        "p50_ms": round(1000 * seconds, 1),
        "p95_ms": round(1000 * slowest, 1),
        "floor_p50_ms": round(1000 * floor, 1),
        "ratio": round(seconds / floor, 1),
    }


def fill() -> None:
    """Write customers, intentions, learners, and two attempts for each learner and intention; the later one counts."""
    from uuid import UUID

    from django.db import connection
    from django.utils import timezone

    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
    from enterprise_access.apps.default_enrollments.models import (
        DefaultEnterpriseEnrollmentIntention,
        DefaultEnterpriseEnrollmentRealization,
        IntentionHealth,
        Outcome,
        RealizationAttempt,
        RealizationRequest,
    )

    now = timezone.now()
    reasons = ["no_license", "license_not_activated", "enrollment_closed", "learner_unenrolled", "catalog_unavailable"]
    customers = EnterpriseCustomer.objects.bulk_create(
        EnterpriseCustomer(
            uuid=UUID(int=number + 1), slug=f"customer-{number:03}", name=f"Customer {number}", fetched_at=now
        )
        for number in range(CUSTOMERS)
    )
    intentions: dict[int, list[DefaultEnterpriseEnrollmentIntention]] = {}
    for number, customer in enumerate(customers):
        for course in range(INTENTIONS_EACH):
            intention = DefaultEnterpriseEnrollmentIntention(customer=customer, content_key=f"benchX+C{course}")
            intention.save()
            intentions.setdefault(number, []).append(intention)
            IntentionHealth.objects.create(
                intention=intention,
                is_healthy=course != 0,
                reason="needs_enrollment" if course else "enrollment_closed",
                reason_since=now,
                checked_at=now,
                changed_at=now,
                fingerprint="",
            )

    def learners() -> Iterable[EnterpriseLearner]:
        for number in range(LEARNERS):
            yield EnterpriseLearner(
                customer=customers[number % CUSTOMERS],
                lms_user_id=number + 1,
                enterprise_customer_user_id=number + 1,
                username=f"learner{number}",
                is_linked=True,
                is_active_link=True,
                fetched_at=now,
            )

    def requests() -> Iterable[RealizationRequest]:
        for number in range(LEARNERS):
            yield RealizationRequest(
                customer=customers[number % CUSTOMERS],
                lms_user_id=number + 1,
                trigger="login",
                due_at=now + timedelta(minutes=number % 1440 - 60) if number % 3 == 0 else None,
                settled_at=None if number % 3 == 0 else now,
                dead_at=None,
            )

    def attempts() -> Iterable[RealizationAttempt]:
        realized = REALIZATIONS // INTENTIONS_EACH
        for is_newest in (False, True):
            for number in range(LEARNERS):
                for intention in intentions[number % CUSTOMERS]:
                    is_realized = is_newest and number < realized
                    yield RealizationAttempt(
                        intention=intention,
                        lms_user_id=number + 1,
                        outcome=Outcome.REALIZED if is_realized else Outcome.BLOCKED,
                        reason="needs_enrollment" if is_realized else reasons[number % len(reasons)],
                        rule="D17",
                        course_run_key=f"course-v1:{intention.content_key}+2026",
                        trigger="login",
                        is_newest=is_newest,
                        created_at=now,
                        last_seen_at=now,
                    )

    def realizations() -> Iterable[DefaultEnterpriseEnrollmentRealization]:
        for number in range(REALIZATIONS // INTENTIONS_EACH):
            for intention in intentions[number % CUSTOMERS]:
                yield DefaultEnterpriseEnrollmentRealization(
                    intention=intention,
                    lms_user_id=number + 1,
                    enterprise_customer_user_id=number + 1,
                    course_key=intention.content_key,
                    course_run_key=f"course-v1:{intention.content_key}+2026",
                    predicted_mode="verified",
                    seen_mode="verified",
                    realized_at=now - timedelta(hours=number % 2000),
                    compared_at=now,
                )

    insert(EnterpriseLearner, learners())
    insert(RealizationRequest, requests())
    insert(RealizationAttempt, attempts())
    insert(DefaultEnterpriseEnrollmentRealization, realizations())
    with connection.cursor() as cursor:
        # What the database does by itself after a while.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def insert(model: Any, rows: Iterable[Any]) -> None:
    """Write many rows, some thousands at a time."""
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, AT_ONCE)):
        model.objects.bulk_create(batch)


# --- Telling ---------------------------------------------------------------------------------------------------------


def write_report(rows: list[Row]) -> None:
    import django

    about = {
        "attempts": ATTEMPTS,
        "realizations": REALIZATIONS,
        "learners": LEARNERS,
        "customers": CUSTOMERS,
        "intentions": CUSTOMERS * INTENTIONS_EACH,
        "repetitions": REPEAT,
        "python": platform.python_version(),
        "django": django.get_version(),
        "cpus": os.cpu_count(),
        "rows": rows,
    }
    REPORT.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n")
    REPORT.with_suffix(".rst").write_text(as_document(about))
    for row in rows:
        figures = f"{row['statements']:3} statements {row['p50_ms']:8} ms {row['ratio']:6}x"
        print(f"{row['database']:11} {row['page']:34} {figures}")


def as_document(about: dict[str, Any]) -> str:
    title = f"The admin with {about['attempts']:,} attempts: figures"
    command = "FULL=1 make bench-overview" if IS_FULL else "make bench-overview"
    columns = ["database", "page", "statements", "p50_ms", "p95_ms", "floor_p50_ms", "ratio"]
    lines = [
        title,
        "=" * len(title),
        "",
        f"Made by ``{command}`` with Python {about['python']} and Django {about['django']} on a machine with",
        f"{about['cpus']} cores, shared with other work; {about['repetitions']} repetitions.",
        f"There are {about['attempts']:,} attempts, {about['realizations']:,} realizations and {about['learners']:,}",
        f"learners of {about['customers']} customers with {about['intentions']} intentions.",
        "The floor is an empty list of the admin, asked for in turn with each page; *ratio*",
        "is the median over the median of the floor. Before each request the cache is emptied, so that everything is",
        "counted anew; within the same minute, what took long to count is shown again.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        *_as_row(columns),
    ]
    for row in about["rows"]:
        lines += _as_row([str(row[column]) for column in columns])
    return "\n".join(lines) + "\n"


def _as_row(cells: list[str]) -> list[str]:
    first, *others = cells
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


if __name__ == "__main__":
    if database := os.environ.get("OVERVIEW_BENCHMARK"):
        print(json.dumps(measure(database)))
    else:
        main(*sys.argv[1:] or ["postgres://postgres@127.0.0.1:5432/postgres"])
