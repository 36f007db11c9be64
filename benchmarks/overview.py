"""`make bench-overview`: the admin's overview and long lists beside an empty list, with very many attempts.

    python -m benchmarks.overview [postgres://postgres@127.0.0.1:5432/postgres]

Every run makes databases of its own (SQLite in a file, PostgreSQL beside the one named) and drops them. Pages are asked
for inside this process, by somebody who may do everything, through all of the middleware, each in turn with the floor:
the list of overrides, of which there are none. Statements are also counted while there is a hundredth of the rows.
FULL=1 takes 1,000,000 attempts and 100,000 realizations in place of 100,000 and 10,000. Writes
docs/benchmarks/overview.json and overview.rst.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from database_matrix import fresh_database  # noqa: E402

from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write  # noqa: E402

IS_FULL = os.environ.get("FULL") == "1"
ATTEMPTS = 1_000_000 if IS_FULL else 100_000
REALIZATIONS = ATTEMPTS // 10
REPEAT = 15
CUSTOMERS, INTENTIONS_EACH = 20, 5
# Every learner was looked at twice for every intention of their customer.
LEARNERS = ATTEMPTS // INTENTIONS_EACH // 2
FEW = LEARNERS // 100
AT_ONCE = 5_000
REASONS = ("no_license", "license_not_activated", "enrollment_closed", "learner_unenrolled", "catalog_unavailable")


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

    add_customers()
    add_learners(range(FEW))
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

    def counted() -> dict[str, int]:
        # The first request of all asks for more, such as kinds of content.
        statements = {name: (seconds_of(url), statements_of(url))[1] for name, url in pages.items()}
        client.get(pages["overview"])
        # What took long to count is not counted again within a minute.
        return statements | {SAME_MINUTE: statements_of(pages["overview"], is_first=False)}

    few = counted()
    add_learners(range(FEW, LEARNERS))
    many = counted()
    rows = []
    for name, url in pages.items():
        pairs = [(seconds_of(floor), seconds_of(url)) for _ in range(REPEAT)]
        rows.append(row_of(database, name, pairs, many[name], few[name]))
    pairs = [(seconds_of(floor), again(client.get, pages["overview"])) for _ in range(REPEAT)]
    return [*rows, row_of(database, SAME_MINUTE, pairs, many[SAME_MINUTE], few[SAME_MINUTE])]


SAME_MINUTE = "overview, within the same minute"


def again(get: Callable[[str], Any], url: str) -> float:
    """Measure a page right after it was asked for."""
    get(url)
    started = time.perf_counter()
    get(url)
    return time.perf_counter() - started


def row_of(database: str, page: str, pairs: list[tuple[float, float]], statements: int, when_small: int) -> Row:
    floor, seconds = (statistics.median(values) for values in zip(*pairs, strict=True))
    slowest = sorted(value for _, value in pairs)[int(0.95 * len(pairs))]
    return {
        "database": database,
        "page": page,
        "statements": statements,
        "statements_when_small": when_small,
        "p50_ms": round(1000 * seconds, 1),
        "p95_ms": round(1000 * slowest, 1),
        "floor_p50_ms": round(1000 * floor, 1),
        "ratio": round(seconds / floor, 1),
    }


def add_customers() -> None:
    """Write customers with their intentions."""
    from uuid import UUID

    from django.utils import timezone

    from enterprise_access.apps.customers.models import EnterpriseCustomer
    from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention, IntentionHealth

    now = timezone.now()
    for number in range(CUSTOMERS):
        customer = EnterpriseCustomer.objects.create(
            uuid=UUID(int=number + 1), slug=f"customer-{number:03}", name=f"Customer {number}", fetched_at=now
        )
        for course in range(INTENTIONS_EACH):
            intention = DefaultEnterpriseEnrollmentIntention.objects.create(
                customer=customer, content_key=f"benchX+C{course}"
            )
            IntentionHealth.objects.create(
                intention=intention,
                is_healthy=course != 0,
                reason="needs_enrollment" if course else "enrollment_closed",
                reason_since=now,
                checked_at=now,
                changed_at=now,
                fingerprint="",
            )


def add_learners(numbers: Sequence[int]) -> None:
    """Write learners, what they are owed, what was realized, and two attempts for each of them and each intention."""
    from django.db import connection
    from django.utils import timezone

    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
    from enterprise_access.apps.default_enrollments.models import (
        DefaultEnterpriseEnrollmentIntention,
        DefaultEnterpriseEnrollmentRealization,
        RealizationRequest,
    )

    now = timezone.now()
    customers = list(EnterpriseCustomer.objects.order_by("slug"))
    intentions = {
        number: list(DefaultEnterpriseEnrollmentIntention.objects.filter(customer=customer))
        for number, customer in enumerate(customers)
    }
    insert(
        EnterpriseLearner,
        (
            EnterpriseLearner(
                customer=customers[number % CUSTOMERS],
                lms_user_id=number + 1,
                enterprise_customer_user_id=number + 1,
                username=f"learner{number}",
                is_linked=True,
                is_active_link=True,
                fetched_at=now,
            )
            for number in numbers
        ),
    )
    insert(
        RealizationRequest,
        (
            RealizationRequest(
                customer=customers[number % CUSTOMERS],
                lms_user_id=number + 1,
                trigger="login",
                due_at=now + timedelta(minutes=number % 1440 - 60) if number % 3 == 0 else None,
                settled_at=None if number % 3 == 0 else now,
                failed_at=None,
            )
            for number in numbers
        ),
    )
    insert(
        DefaultEnterpriseEnrollmentRealization,
        (
            DefaultEnterpriseEnrollmentRealization(
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
            for number in numbers
            if is_realized(number)
            for intention in intentions[number % CUSTOMERS]
        ),
    )
    first, last = numbers[0] + 1, numbers[-1] + 1
    for is_newest in (False, True):
        add_attempts(first, last, is_newest=is_newest)
    with connection.cursor() as cursor:
        # What the database does by itself after a while.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def is_realized(number: int) -> bool:
    return number < REALIZATIONS // INTENTIONS_EACH


def add_attempts(first: int, last: int, *, is_newest: bool) -> None:
    """Write an attempt for each of these learners and each intention; the newest one counts.

    The database writes them itself, from learners and intentions: a million of them would take the ORM minutes.
    """
    from django.db import connection
    from django.utils import timezone

    from enterprise_access.apps.customers.models import EnterpriseLearner
    from enterprise_access.apps.default_enrollments.models import (
        DefaultEnterpriseEnrollmentIntention,
        RealizationAttempt,
    )

    now = connection.ops.adapt_datetimefield_value(timezone.now())
    is_realized = f"l.lms_user_id <= {REALIZATIONS // INTENTIONS_EACH if is_newest else 0}"
    place = f"l.lms_user_id % {len(REASONS)}"
    reasons = " ".join(f"WHEN {number} THEN '{reason}'" for number, reason in enumerate(REASONS))
    columns = {
        "intention_id": "i.uuid",
        "lms_user_id": "l.lms_user_id",
        "outcome": f"CASE WHEN {is_realized} THEN 'realized' ELSE 'blocked' END",
        "reason": f"CASE WHEN {is_realized} THEN 'needs_enrollment' ELSE CASE {place} {reasons} END END",
        "rule": "'D17'",
        "course_key": "''",
        "course_run_key": "'course-v1:' || i.content_key || '+2026'",
        "mode": "''",
        "is_upgrade": "FALSE",
        "was_enrolled": "FALSE",
        "trigger": "'login'",
        "times": "1",
        "is_newest": str(is_newest),
        "created_at": f"'{now}'",
        "last_seen_at": f"'{now}'",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            # Nothing in it comes from outside.
            f"INSERT INTO {RealizationAttempt._meta.db_table} ({', '.join(columns)})"  # noqa: S608
            f" SELECT {', '.join(columns.values())} FROM {EnterpriseLearner._meta.db_table} l"
            f" JOIN {DefaultEnterpriseEnrollmentIntention._meta.db_table} i ON i.customer_id = l.customer_id"
            f" WHERE l.lms_user_id BETWEEN {first} AND {last}"
        )


def insert(model: Any, rows: Iterable[Any]) -> None:
    """Write many rows, some thousands at a time."""
    remaining = iter(rows)
    while batch := list(itertools.islice(remaining, AT_ONCE)):
        model.objects.bulk_create(batch)


# --- Telling ---------------------------------------------------------------------------------------------------------


def write_report(rows: list[Row]) -> None:
    about = about_this(
        "FULL=1 make bench-overview" if IS_FULL else "make bench-overview",
        attempts=ATTEMPTS,
        realizations=REALIZATIONS,
        learners=LEARNERS,
        customers=CUSTOMERS,
        intentions=CUSTOMERS * INTENTIONS_EACH,
        repetitions=REPEAT,
    )
    write("overview", {"about": about, "results": rows}, as_document(about, rows))
    for row in rows:
        figures = f"{row['statements']:3} statements {row['p50_ms']:8} ms {row['ratio']:6}x"
        print(f"{row['database']:11} {row['page']:34} {figures}")


def as_document(about: Row, rows: list[Row]) -> str:
    columns = {
        "database": "database",
        "page": "page",
        "statements": "statements",
        "statements_when_small": "statements with 1 % of the rows",
        "p50_ms": "p50 ms",
        "p95_ms": "p95 ms",
        "floor_p50_ms": "floor p50 ms",
        "ratio": "ratio",
    }
    return "\n".join(
        [
            *heading("The admin with many attempts"),
            made_by(about),
            f"There are {about['attempts']:,} attempts, {about['realizations']:,} realizations and"
            f" {about['learners']:,} learners of {about['customers']} customers with {about['intentions']} intentions;"
            f" {about['repetitions']} repetitions.",
            "The floor is an empty list of the admin, requested in turn with each page; *ratio* is the median divided",
            "by the median of the floor. The cache is emptied before each request, so that everything is counted",
            "again; within the same minute, numbers that took long to count come from the cache.",
            "",
            *list_table(list(columns.values()), [[row[column] for column in columns] for row in rows]),
        ]
    )


if __name__ == "__main__":
    if database := os.environ.get("OVERVIEW_BENCHMARK"):
        print(json.dumps(measure(database)))
    else:
        main(*sys.argv[1:] or ["postgres://postgres@127.0.0.1:5432/postgres"])
