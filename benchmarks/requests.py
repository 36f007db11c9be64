"""`python -m benchmarks.requests`: lists and counts of very many subsidy requests, and approving 100 of them.

    python -m benchmarks.requests [postgres://postgres@127.0.0.1:5432/postgres]

Makes a database of its own beside the PostgreSQL named and drops it. license-manager is the simulator, in this process.
The floor of a list is what the database needs for its page and its count; that of the counts is one grouped statement.
More requests must not mean more statements: those with 500 requests are the limit.
FULL=1 takes 200,000 requests in place of 20,000. Writes docs/benchmarks/requests.json and requests.rst.
"""

import json
import os
import statistics
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import measure_apart, taken
from simulator.app import Simulator
from simulator.seed import ACME, ACME_ANNUAL

REQUESTS = 200_000 if os.environ.get("FULL") == "1" else 20_000
FEW, APPROVED, REPEAT = 500, 100, 7
STATES = ("requested", "approved", "declined", "cancelled", "expired")
TABLE = "subsidy_requests_subsidyrequest"
POLICY = UUID(int=7)


def measure(simulator: Simulator) -> list[Row]:
    """Return the figures of all."""
    fill(0, FEW)
    statements = count_statements()
    fill(FEW, REQUESTS)
    return [*measure_reads(statements), *measure_approving(simulator.world)]


def fill(first: int, end: int) -> None:
    """Make requests for credit of one customer and budget."""
    from django.db import connection

    from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
    from enterprise_access.lib import clock

    now = clock.now()
    for start in range(first, end, 5_000):
        SubsidyRequest.objects.bulk_create(
            SubsidyRequest(
                uuid=UUID(int=number + 1),
                customer_uuid=ACME,
                subsidy_type="learner_credit",
                lms_user_id=number + 1,
                email=f"many{number}@example.com",
                email_folded=f"many{number}@example.com",
                course_id="edX+DemoX",
                course_id_folded="edx+demox",
                policy_uuid=POLICY,
                state=STATES[number % len(STATES)],
                learner_request_state=STATES[number % len(STATES)],
                latest_action_type=STATES[number % len(STATES)],
                latest_action_at=now,
            )
            for number in range(start, min(start + 5_000, end))
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


ASKED: Final[Row] = {"enterprise_customer_uuid": str(ACME), "policy_uuid": str(POLICY)}
# As the admin portal asks.
READS: Final[Mapping[str, Row]] = {
    "the tab of requests": {
        **ASKED,
        "page": 1,
        "page_size": 10,
        "state": "requested,declined,cancelled,errored",
    },
    "the table of approved ones": {
        **ASKED,
        "page": 1,
        "page_size": 25,
        "state": "approved",
        "ordering": "-latest_action_time",
    },
    "the counts by state": ASKED,
}


def floors() -> Mapping[str, list[str]]:
    """Return what the database needs for each read."""
    # Nothing in these statements comes from outside.
    whose = f"customer_uuid = '{ACME}' AND subsidy_type = 'learner_credit' AND policy_uuid = '{POLICY}'"
    undecided = f"{whose} AND state IN ('requested', 'declined', 'cancelled', 'errored')"
    approved = f"{whose} AND state = 'approved'"
    page = f"SELECT * FROM {TABLE} WHERE"  # noqa: S608
    count = f"SELECT count(*) FROM {TABLE} WHERE"  # noqa: S608
    return {
        "the tab of requests": [
            f"{count} {undecided}",
            f"{page} {undecided} ORDER BY created DESC, uuid LIMIT 10",
        ],
        "the table of approved ones": [
            f"{count} {approved}",
            f"{page} {approved} ORDER BY latest_action_at DESC, created DESC, uuid LIMIT 25",
        ],
        "the counts by state": [f"SELECT state, count(*) FROM {TABLE} WHERE {whose} GROUP BY 1"],  # noqa: S608
    }


@cache
def operator() -> Any:
    """Return a client that may read everything."""
    from rest_framework.test import APIClient

    from enterprise_access.apps.core.models import User

    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    return client


def ask(asked: Row) -> None:
    url = f"/api/v1/learner-credit-requests/{'' if 'page' in asked else 'overview/'}"
    answer = operator().get(url, asked)
    if answer.status_code != 200 or not answer.json():
        raise RuntimeError(f"{url} answered {answer.status_code}.")


def count_statements() -> dict[str, int]:
    """Return how many statements each read makes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = {}
    for what, asked in READS.items():
        ask(asked)
        with CaptureQueriesContext(connection) as statements:
            ask(asked)
        counts[what] = len(statements)
    return counts


def measure_reads(few: Mapping[str, int]) -> list[Row]:
    """Ask in turn with what the database needs for it. `few`: the statements with few requests."""
    from django.db import connection

    def read(statements: list[str]) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                cursor.fetchall()

    counts, rows = count_statements(), []
    for what, floor in floors().items():
        pairs = [(taken(partial(read, floor)), taken(partial(ask, READS[what]))) for _ in range(REPEAT)]
        low, high = zip(*pairs, strict=True)
        limits = {"floors": 4, "statements": few[what]}
        rows.append(row_of(f"{what}, of {REQUESTS:,}", list(high), counts[what], floor=list(low), limits=limits))
    return rows


def measure_approving(world: Any) -> list[Row]:
    """Approve requests for licenses, and let a worker grant them."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from enterprise_access.apps.subsidy_requests.tests.made import approve, grant, made
    from simulator import licensing

    for _ in range(2 * APPROVED):
        licensing.add_free_license(world, plan_uuid=ACME_ANNUAL)
    rows = [made(10**7 + number) for number in range(APPROVED)]
    with CaptureQueriesContext(connection) as approving:
        approved = taken(lambda: approve(*rows))
    with CaptureQueriesContext(connection) as granting:
        granted = taken(grant)
    calls = sum(call.endpoint == "license_manager.assign" for call in world.journal.calls())
    return [
        row_of(f"approve {APPROVED} requests for licenses", [approved], len(approving), limits={"statements": 30}),
        {
            **row_of(f"grant {APPROVED} licenses", [granted], len(granting), limits={"calls": 1}),
            "calls": calls,
        },
    ]


def row_of(what: str, seconds: list[float], statements: int, *, limits: Row, floor: list[float] | None = None) -> Row:
    high, low = statistics.median(seconds), statistics.median(floor) if floor else None
    return {
        "what": what,
        "statements": statements,
        "p50_ms": round(1000 * high, 1),
        "floor_p50_ms": round(1000 * low, 1) if low else None,
        "floors": round(high / low, 1) if low else None,
        "limits": limits,
    }


# --- Telling ---------------------------------------------------------------------------------------------------------


def write_report(rows: list[Row]) -> None:
    about = about_this("python -m benchmarks.requests", requests=REQUESTS, approved=APPROVED)
    titles = ("What", "Statements", "Calls to assign", "Median (ms)", "Floor (ms)", "Floors")
    keys = ("what", "statements", "calls", "p50_ms", "floor_p50_ms", "floors")
    page = [
        *heading("Subsidy requests"),
        "Lists and counts of very many requests, and approving some, on PostgreSQL. The floor of a list is what its",
        "page and its count take; that of the counts is one grouped statement.",
        "",
        *list_table(titles, [[row.get(key) or "" for key in keys] for row in rows]),
        "",
        made_by(about),
        "",
    ]
    write("requests", {"about": about, "results": rows}, "\n".join(page))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    measure_apart("requests", measure, write_report)
