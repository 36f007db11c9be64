"""`python -m benchmarks.budgets`: lists, promises and reconciling of learner credit, on PostgreSQL.

    python -m benchmarks.budgets [postgres://postgres@127.0.0.1:5432/postgres]

Makes a database of its own beside the PostgreSQL named, and drops it. The list of 50 budgets is served by gunicorn with
2 sync workers, in turn with the floor: a view there that answers with the same bytes. There are 1,000,000 transactions;
the first of them go the product's own way, and its totals are compared with the rows. Promises are made by eight
processes on one budget. Writes docs/benchmarks/budgets.json and budgets.rst.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from database_matrix import fresh_database  # noqa: E402

from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write  # noqa: E402
from benchmarks.serving import served_here, taken  # noqa: E402

TRANSACTIONS, FEW = 1_000_000, 10_000
POLICIES, LEARNERS = 50, 5_000
REPEAT, WARM_ENOUGH = 60, 6
PROCESSES, SECONDS = 8, 5.0
NEW = 10_000
# What the figures have to be.
FLOORS, PER_SECOND, CALLS, ROWS_OF_A_STATEMENT = 2, 100, 110, 100
SPACE = UUID(int=1)
CUSTOMER = UUID("acae0000-0000-4000-8000-000000000001")
ACCOUNT = UUID("5b51d000-0000-4000-8000-0000000000a1")
LIST = f"/api/v1/subsidy-access-policies/?enterprise_customer_uuid={CUSTOMER}"


def main(database_url: str) -> None:
    with fresh_database(database_url) as (fresh, _):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "enterprise_access.settings.test",
            "DATABASE_URL": fresh,
            "LOG_LEVEL": "ERROR",
            "BUDGETS_BENCHMARK": "1",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
        command = [sys.executable, "-m", "benchmarks.budgets"]
        found = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    write_report(json.loads(found.stdout.splitlines()[-1]))


# --- In a process of its own, so that the environment can name the database -----------------------------------------


def measure() -> list[Row]:
    import django

    django.setup()
    world = play_the_ledger()
    policies = add_policies()
    add_transactions(policies, range(FEW))
    few = statements_of_list()
    add_many_transactions(policies, range(FEW, TRANSACTIONS))
    refuse_wrong_totals(policies)
    return [list_beside_the_floor(world, few), reserving(policies[0]), reconciling(world)]


def add_policies() -> list[UUID]:
    from django.utils import timezone

    from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy, SubsidyTotals

    balance = 10**12
    account = Subsidy.objects.create(
        uuid=ACCOUNT, customer_uuid=CUSTOMER, balance=balance, total_deposits=balance, fetched_at=timezone.now()
    )
    SubsidyTotals.objects.create(subsidy=account)
    about = {"policy_type": "PerLearnerSpendCreditAccessPolicy", "access_method": "direct", "customer_uuid": CUSTOMER}
    return [
        SubsidyAccessPolicy.objects.create(
            subsidy=account, catalog_uuid=SPACE, display_name=f"Budget {number}", spend_limit=10**10, **about
        ).pk
        for number in range(POLICIES)
    ]


def add_transactions(policies: list[UUID], numbers: range) -> None:
    """Let the product take over transactions that it hears of."""
    from django.utils import timezone

    from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
    from enterprise_access.apps.subsidy_access_policies.services.budget import LedgerNews, record_all_news
    from enterprise_access.lib import clock

    began = timezone.now() - timedelta(days=400)
    news = [
        LedgerNews(
            uuid=uuid5(SPACE, str(number)),
            subsidy_uuid=ACCOUNT,
            policy_uuid=policies[number % POLICIES],
            lms_user_id=1 + number % LEARNERS,
            content_key=f"course-v1:edX+C{number // LEARNERS}+1",
            quantity_cents=-100,
            state=TransactionState.COMMITTED,
            is_reversed=False,
            created=began + timedelta(seconds=number),
            modified=began + timedelta(seconds=number),
            source="reconciliation",
        )
        for number in numbers
    ]
    record_all_news(subsidy_uuid=ACCOUNT, news=news, now=clock.now())


MANY = """
    INSERT INTO subsidy_access_policies_subsidytransaction (uuid, subsidy_id, policy_uuid, lms_user_id, content_key,
        content_key_folded, quantity, state, is_reversed, created, modified, seen_at, source)
    SELECT md5(n::text)::uuid, %(account)s, (%(policies)s::uuid[])[1 + n %% %(budgets)s], 1 + n %% %(learners)s, run,
        lower(run), -100, 'committed', false, at, at, now(), 'reconciliation'
    FROM generate_series(%(first)s, %(last)s) AS n, LATERAL (
        SELECT 'course-v1:edX+C' || n / %(learners)s || '+1' AS run,
            now() - interval '400 days' + n * interval '1 second' AS at
    ) AS made
    """
TOTALS = (
    """
    INSERT INTO subsidy_access_policies_policytotals (policy_id, held, allocated, spent, redemptions)
    SELECT policy_uuid, 0, 0, -sum(quantity), count(*) FROM subsidy_access_policies_subsidytransaction GROUP BY 1
    ON CONFLICT (policy_id) DO UPDATE SET spent = excluded.spent, redemptions = excluded.redemptions
    """,
    """
    INSERT INTO subsidy_access_policies_learnertotals (policy_id, lms_user_id, held, spent, redemptions)
    SELECT policy_uuid, lms_user_id, 0, -sum(quantity), count(*)
    FROM subsidy_access_policies_subsidytransaction GROUP BY 1, 2
    ON CONFLICT (policy_id, lms_user_id) DO UPDATE SET spent = excluded.spent, redemptions = excluded.redemptions
    """,
    """
    UPDATE subsidy_access_policies_subsidytotals
    SET promised = (SELECT -sum(quantity) FROM subsidy_access_policies_subsidytransaction)
    """,
    "ANALYZE",
)


def add_many_transactions(policies: list[UUID], numbers: range) -> None:
    """Write as many more as the server makes in seconds, and the totals that they come to."""
    from django.db import connection

    about: Row = {"account": ACCOUNT, "policies": policies, "budgets": POLICIES, "learners": LEARNERS}
    with connection.cursor() as cursor:
        cursor.execute(MANY, about | {"first": numbers.start, "last": numbers.stop - 1})
        for statement in TOTALS:
            cursor.execute(statement)


def refuse_wrong_totals(policies: list[UUID]) -> None:
    """Compare the totals of a budget and of the account with the rows that they count."""
    from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, SubsidyTotals, SubsidyTransaction

    for policy in policies[:2]:
        rows, totals = SubsidyTransaction.objects.filter(policy_uuid=policy), PolicyTotals.objects.get(pk=policy)
        if (rows.count(), 100 * rows.count()) != (totals.redemptions, totals.spent):
            raise RuntimeError(f"The totals of {policy} are not what its rows come to.")
    if (
        count := SubsidyTransaction.objects.count()
    ) != TRANSACTIONS or SubsidyTotals.objects.get().promised != 100 * count:
        raise RuntimeError("The totals of the account are not what its rows come to.")


def client_of_staff() -> Any:
    from django.contrib.auth import get_user_model
    from django.test import Client

    client, people = Client(), get_user_model().objects
    client.force_login(people.filter(username="root").first() or people.create_superuser("root"))
    return client


def keep_young() -> None:
    """Let the copy of the account be young: no call is made."""
    from django.utils import timezone

    from enterprise_access.apps.subsidy_access_policies.models import Subsidy

    Subsidy.objects.update(fetched_at=timezone.now())


def statements_of_list() -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of_staff()
    keep_young()
    client.get(LIST)
    with CaptureQueriesContext(connection) as statements:
        answer = client.get(LIST)
    if answer.status_code != 200 or len(answer.json()["results"]) != POLICIES:
        raise RuntimeError(f"The list answered {answer.status_code}.")
    return len(statements)


def list_beside_the_floor(world: Any, few: int) -> Row:
    from django.conf import settings
    from django.urls import path
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from enterprise_access import urls

    client = client_of_staff()
    statements = statements_of_list()
    prepared = client.get(LIST).json()

    class FloorView(APIView):
        """Answers with the same data, prepared."""

        def get(self, _: Any) -> Response:
            return Response(prepared)

    urls.urlpatterns.append(path("floor/", FloorView.as_view()))
    asked = len(world.journal.calls(service="subsidy"))
    client.get(LIST)
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}
    ours: list[float] = []
    floor: list[float] = []
    with served_here() as ask:
        for number in range(WARM_ENOUGH + REPEAT):
            keep_young()
            for url, times in (("/floor/", floor), (LIST, ours)):
                seconds = taken(partial(ask, url, headers))
                # The first ones meet workers that have done nothing of this yet.
                if number >= WARM_ENOUGH:
                    times.append(seconds)
    client.get(LIST)
    p50, floor_p50 = 1000 * statistics.median(ours), 1000 * statistics.median(floor)
    return {
        "what": f"list of {POLICIES} budgets over {TRANSACTIONS:,} transactions",
        "statements": statements,
        "more_statements": statements - few,
        "warm_calls": len(world.journal.calls(service="subsidy")) - asked,
        "p50_ms": round(p50, 2),
        "floor_p50_ms": round(floor_p50, 2),
        "floors": round(p50 / floor_p50, 2),
        "limits": {"floors": FLOORS, "more_statements": 0, "warm_calls": 0},
    }


def reserving(policy_uuid: UUID) -> Row:
    """Let eight processes promise money of one budget for some seconds; return how many a second they make."""
    from django.db import connections

    connections.close_all()
    reading, writing = os.pipe()
    started = time.monotonic() + 1
    children = [
        pid for pid in (promise_on(policy_uuid, number, started, writing) for number in range(PROCESSES)) if pid
    ]
    os.close(writing)
    with os.fdopen(reading) as lines:
        counts = [json.loads(line) for line in lines]
    for child in children:
        os.waitpid(child, 0)
    made = sum(one["made"] for one in counts)
    return {
        "what": f"promises on one budget by {PROCESSES} processes",
        "per_second": round(made / SECONDS, 1),
        "limits": {"per_second": PER_SECOND},
    }


def promise_on(policy_uuid: UUID, number: int, started: float, writing: int) -> int:
    """Fork a process that promises until the time is over, and writes how often it did; return its pid."""
    child = os.fork()
    if child:
        return child
    from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
    from enterprise_access.apps.subsidy_access_policies.services import reserve
    from enterprise_access.lib import clock

    time.sleep(max(0.0, started - time.monotonic()))
    made = 0
    while time.monotonic() < started + SECONDS:
        reserve(
            policy_uuid=policy_uuid,
            lms_user_id=1 + number,
            content_key="course-v1:edX+DemoX+2026_T1",
            amount_cents=1,
            kind=ReservationKind.REDEMPTION,
            now=clock.now(),
        )
        made += 1
    os.write(writing, json.dumps({"made": made}).encode() + b"\n")
    os._exit(0)


def play_the_ledger() -> Any:
    """Let every call go to the simulator inside this process; return its world."""
    import requests
    from django.conf import settings

    from simulator.app import create_app, simulator_of
    from simulator.in_process import SimulatorAdapter
    from simulator.seed import WORKER_KEY, WORKER_SECRET
    from simulator.tokens import throwaway_jwk

    issuer = settings.JWT_AUTH["JWT_ISSUERS"][0]
    app = create_app(signing_key=throwaway_jwk(), issuer=issuer["ISSUER"], audience=issuer["AUDIENCE"])
    adapter = SimulatorAdapter(app)
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = WORKER_KEY, WORKER_SECRET
    requests.adapters.HTTPAdapter.send = lambda _, *args, **kwargs: adapter.send(*args, **kwargs)  # type: ignore[method-assign]
    return simulator_of(app).world


def reconciling(world: Any) -> Row:
    """Read new transactions of the simulated enterprise-subsidy."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
    from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_new
    from enterprise_access.apps.subsidy_access_policies.tests.test_reconciling import add_many

    add_many(world, SubsidyAccessPolicy.objects.earliest("created"), NEW)
    asked = len(world.journal.calls(service="subsidy"))
    with CaptureQueriesContext(connection) as statements:
        reconcile_new()
    return {
        "what": f"reading {NEW:,} new transactions",
        "calls": len(world.journal.calls(service="subsidy")) - asked,
        "statements": len(statements),
        "limits": {"calls": CALLS, "statements": NEW // ROWS_OF_A_STATEMENT},
    }


# --- The report ------------------------------------------------------------------------------------------------------


def write_report(rows: list[Row]) -> None:
    command = "python -m benchmarks.budgets"
    about = about_this(command, transactions=TRANSACTIONS, policies=POLICIES, learners=LEARNERS, repetitions=REPEAT)
    titles = ("What", "Statements", "Calls", "Calls when warm", "Median (ms)", "Floor (ms)", "Floors", "A second")
    keys = ("what", "statements", "calls", "warm_calls", "p50_ms", "floor_p50_ms", "floors", "per_second")
    page = [
        *heading("Budgets of learner credit"),
        f"There are {TRANSACTIONS:,} transactions of {LEARNERS:,} learners in one account with {POLICIES} budgets, on",
        "PostgreSQL. The floor is a view that answers with the same bytes, asked for in turn with the list. Calls are",
        "those to enterprise-subsidy.",
        "",
        *list_table(titles, [[row.get(key, "") for key in keys] for row in rows]),
        "",
        made_by(about),
        "",
    ]
    write("budgets", {"about": about, "results": rows}, "\n".join(page))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    if os.environ.get("BUDGETS_BENCHMARK"):
        print(json.dumps(measure()))
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else "postgres://postgres@127.0.0.1:5432/postgres")
