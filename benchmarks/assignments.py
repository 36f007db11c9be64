"""`python -m benchmarks.assignments`: allocating to 1,000 people, and a list of 25 of very many assignments.

    python -m benchmarks.assignments [postgres://postgres@127.0.0.1:5432/postgres]

Makes a database of its own beside the PostgreSQL named and drops it. The catalog and the ledger are the simulator, in
this process. The floor of allocating is one statement that inserts as many assignments; the floor of the list is what
the database needs for the page, the count and the counts by state. FULL=1 takes 100,000 assignments in place of 10,000.
Writes docs/benchmarks/assignments.json and assignments.rst.
"""

import json
import os
import statistics
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import measure_apart, taken
from simulator.app import Simulator

IS_FULL = os.environ.get("FULL") == "1"
ASSIGNMENTS = 100_000 if IS_FULL else 10_000
PEOPLE, REPEAT = 1_000, 7
COURSE, PRICE = "edX+DemoX", 14_900


def measure(_: Simulator) -> list[Row]:
    """Return the figures of both."""
    policy = make_policy()
    rows = measure_allocating(policy)
    fill(policy)
    return [*rows, measure_list(policy)]


def make_policy() -> Any:
    from enterprise_access.apps.content_assignments.tests.scene import make_assigned_budget
    from enterprise_access.lib import clock

    policy = make_assigned_budget(spend_limit=10**15)
    policy.subsidy.balance = 10**15
    # As if it were always young: what is measured is allocating.
    policy.subsidy.fetched_at = clock.now() + timedelta(days=1)
    policy.subsidy.save()
    return policy


def measure_allocating(policy: Any) -> list[Row]:
    """Allocate to other people each time, and then to the same ones."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
    from enterprise_access.apps.content_assignments.services.allocating import allocate_to_people
    from enterprise_access.lib import clock

    def allocate(turn: int) -> None:
        allocate_to_people(
            policy,
            learner_emails=[f"p{turn}.{number}@example.com" for number in range(PEOPLE)],
            content_key=COURSE,
            content_price_cents=PRICE,
            admin_lms_user_id=9,
            now=clock.now(),
        )

    def insert(turn: int) -> float:
        template = LearnerContentAssignment.objects.first()
        rows = []
        for number in range(PEOPLE):
            row = LearnerContentAssignment(**{field.attname: getattr(template, field.attname) for field in fields})
            row.pk, row.learner_email = uuid4(), f"f{turn}.{number}@example.com"
            row.follow()
            rows.append(row)
        seconds = taken(lambda: LearnerContentAssignment.objects.bulk_create(rows))
        made = LearnerContentAssignment.objects.filter(pk__in=[row.pk for row in rows])
        made._raw_delete(made.db)
        return seconds

    fields = LearnerContentAssignment._meta.concrete_fields
    allocate(0)
    first, again, floor = [], [], []
    for turn in range(1, REPEAT + 1):
        floor.append(insert(turn))
        first.append(taken(partial(allocate, turn)))
        again.append(taken(partial(allocate, turn)))
    with CaptureQueriesContext(connection) as statements:
        allocate(REPEAT + 1)
    with CaptureQueriesContext(connection) as repeated:
        allocate(REPEAT + 1)
    writes = [query["sql"] for query in repeated if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    return [
        row_of(f"allocate {PEOPLE} people", floor, first, len(statements), limits={"floors": 12, "statements": 40}),
        {**row_of("the same again", floor, again, len(repeated), limits={"writes": 0}), "writes": len(writes)},
    ]


def fill(policy: Any) -> None:
    """Bring the configuration to the number of assignments."""
    from django.db import connection

    from enterprise_access.apps.content_assignments.models import LearnerContentAssignment

    template = LearnerContentAssignment.objects.filter(policy_uuid=policy.pk).first()
    fields = LearnerContentAssignment._meta.concrete_fields
    count = LearnerContentAssignment.objects.count()
    states = (("waiting", 1), ("failed", 3), ("notifying", 0))
    while count < ASSIGNMENTS:
        rows = []
        for number in range(count, min(count + 5_000, ASSIGNMENTS)):
            row = LearnerContentAssignment(**{field.attname: getattr(template, field.attname) for field in fields})
            row.pk, row.learner_email = UUID(int=number + 1), f"many{number}@example.com"
            row.learner_state, row.learner_state_order = states[number % 3]
            row.follow()
            rows.append(row)
        LearnerContentAssignment.objects.bulk_create(rows)
        count += len(rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure_list(policy: Any) -> Row:
    """Ask for a page as the admin portal does, in turn with what the database needs for it."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from rest_framework.test import APIClient

    from enterprise_access.apps.core.models import User

    table = "content_assignments_learnercontentassignment"
    where = f"configuration_uuid = '{policy.assignment_configuration}' AND state IN ('allocated', 'errored')"
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    url = f"/api/v1/assignment-configurations/{policy.assignment_configuration}/admin/assignments/"
    query = {"page": "1", "page_size": "25", "state__in": "allocated,errored", "ordering": "-recent_action_time"}

    def read() -> None:
        with connection.cursor() as cursor:
            # Nothing in it comes from outside.
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608
            cursor.execute(f"SELECT learner_state, count(*) FROM {table} WHERE {where} GROUP BY 1")  # noqa: S608
            cursor.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY recent_action_at DESC, uuid LIMIT 25")  # noqa: S608
            cursor.fetchall()

    def ask() -> None:
        answer = client.get(url, query)
        if answer.status_code != 200 or answer.json()["count"] < ASSIGNMENTS:
            raise RuntimeError(f"The list answered {answer.status_code}.")

    ask()
    pairs = [(taken(read), taken(ask)) for _ in range(REPEAT)]
    with CaptureQueriesContext(connection) as statements:
        ask()
    floor, seconds = zip(*pairs, strict=True)
    return row_of(
        f"25 of {ASSIGNMENTS:,} with counts", list(floor), list(seconds), len(statements), limits={"floors": 4}
    )


def row_of(what: str, floor: list[float], seconds: list[float], statements: int, *, limits: Row) -> Row:
    low, high = statistics.median(floor), statistics.median(seconds)
    return {
        "what": what,
        "statements": statements,
        "p50_ms": round(1000 * high, 1),
        "floor_p50_ms": round(1000 * low, 1),
        "floors": round(high / low, 1),
        "limits": limits,
    }


# --- Telling ---------------------------------------------------------------------------------------------------------


def write_report(rows: list[Row]) -> None:
    about = about_this("python -m benchmarks.assignments", assignments=ASSIGNMENTS, people=PEOPLE)
    titles = ("What", "Statements", "Median (ms)", "Floor (ms)", "Floors")
    keys = ("what", "statements", "p50_ms", "floor_p50_ms", "floors")
    page = [
        *heading("Assignments"),
        "Allocating to many people in one call, and a page of a long list, on PostgreSQL. The floor of allocating is",
        "one statement that inserts as many assignments; that of the list, what its rows and counts take.",
        "",
        *list_table(titles, [[row[key] for key in keys] for row in rows]),
        "",
        made_by(about),
        "",
    ]
    write("assignments", {"about": about, "results": rows}, "\n".join(page))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    measure_apart("assignments", measure, write_report)
