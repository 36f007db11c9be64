"""`python -m benchmarks.groups`: the first page, and the CSV, of the members of a budget's group.

    python -m benchmarks.groups [postgres://postgres@127.0.0.1:5432/postgres]

Makes a database of its own beside the PostgreSQL named and drops it. The LMS is the simulator, in this process. The
floor of the page is what we cannot do without: the LMS's answer, and one statement for the totals of its learners. The
memory of a CSV is the peak while it is sent, beside that for a tenth of the members. Writes docs/benchmarks/groups.json
and groups.rst.
"""

import json
import statistics
import tracemalloc
from typing import Any

from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import measure_apart, taken
from simulator.app import Simulator

MEMBERS = 10_000
REPEAT = 15
STATEMENTS, FLOORS, MEMORY = 8, 4, 1.5


def measure(simulator: Simulator) -> list[Row]:
    """Return the figures of a group of 10,000 members, and of its CSV beside that of a smaller one."""
    from rest_framework.test import APIClient

    from enterprise_access.apps.core.models import User

    small, large = (make_budget(simulator.world, count) for count in (MEMBERS // 10, MEMBERS))
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    token = simulator.tokens.token_for("enterprise_access_worker")
    return [
        measure_page(client, large, token, "member_details"),
        measure_page(client, large, token, ""),
        measure_csv(client, small, large),
    ]


def make_budget(world: Any, members: int) -> Any:
    """Return a budget that is restricted to a group of so many members, each of whom has redeemed."""
    from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals
    from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget

    group = world.add_group(customer="acme", name=f"Group of {members}").uuid
    for number in range(members):
        world.set_member(group_uuid=group, email=f"m{number:05}@example.com", status="pending")
    world.set_member(group_uuid=group, username="ada")
    budget = make_budget(display_name=f"Of {members}")
    budget.group_associations.create(group_uuid=group)
    LearnerTotals.objects.bulk_create(
        LearnerTotals(policy=budget, lms_user_id=1001 + number, redemptions=1) for number in range(members)
    )
    return budget


def measure_page(client: Any, budget: Any, token: str, sort_by: str) -> Row:
    """Ask for the first page as the admin portal does, in turn with the floor."""
    import requests
    from django.conf import settings
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from enterprise_access.apps.subsidy_access_policies.selectors.groups import count_redemptions

    group = budget.group_associations.get().group_uuid
    lms = f"{settings.LMS_BASE_URL}/enterprise/api/v1/enterprise-group/{group}/learners/"
    order: dict[str, str] = {"sort_by": sort_by, "is_reversed": "true"} if sort_by else {}

    def read() -> None:
        answer = requests.get(lms, {**order, "page": "1"}, headers={"Authorization": f"JWT {token}"}, timeout=60)
        rows = answer.json()["results"]
        count_redemptions(policy_uuid=budget.pk, lms_user_ids={row["lms_user_id"] or 0 for row in rows})

    def ask() -> None:
        answer = client.get(url_of(budget), {"page": 1, **({"sort_by": sort_by} if sort_by else {})})
        if answer.status_code != 200 or answer.json()["count"] < MEMBERS:
            raise RuntimeError(f"The members answered {answer.status_code}.")

    ask()
    read()
    pairs = [(taken(read), taken(ask)) for _ in range(REPEAT)]
    with CaptureQueriesContext(connection) as statements:
        ask()
    low, high = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
    return {
        "what": f"first page of {MEMBERS:,}, " + (f"by {sort_by}" if sort_by else "in the order of the LMS"),
        "statements": len(statements),
        "p50_ms": round(1000 * high, 1),
        "floor_p50_ms": round(1000 * low, 1),
        "floors": round(high / low, 2),
        "limits": {"floors": FLOORS, "statements": STATEMENTS},
    }


def measure_csv(client: Any, small: Any, large: Any) -> Row:
    """Read the CSV of both groups, and compare the memory that it took at most."""
    for budget in (small, large):
        read_csv(client, budget)
    peaks = []
    for budget in (small, large):
        tracemalloc.start()
        read_csv(client, budget)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return {
        "what": f"CSV of {MEMBERS:,} beside {MEMBERS // 10:,}",
        "p50_ms": round(1000 * taken(lambda: read_csv(client, large)), 1),
        "peak_mb": round(peaks[1] / 2**20, 1),
        "memory": round(peaks[1] / peaks[0], 2),
        "limits": {"memory": MEMORY},
    }


def read_csv(client: Any, budget: Any) -> None:
    query = {"traverse_pagination": "true", "format_csv": "true", "sort_by": "member_details"}
    answer = client.get(url_of(budget), query)
    lines = sum(part.count(b"\r\n") for part in answer.streaming_content)
    if lines < MEMBERS // 10:
        raise RuntimeError(f"The CSV has {lines} lines.")


def url_of(budget: Any) -> str:
    return f"/api/v1/subsidy-access-policies/{budget.pk}/group-members"


# --- Telling ---------------------------------------------------------------------------------------------------------


def write_report(rows: list[Row]) -> None:
    about = about_this("python -m benchmarks.groups", members=MEMBERS)
    titles = ("What", "Statements", "Median (ms)", "Floor (ms)", "Floors", "Peak (MB)", "Memory, times")
    keys = ("what", "statements", "p50_ms", "floor_p50_ms", "floors", "peak_mb", "memory")
    page = [
        *heading("Members of groups"),
        "The first page of the members of a budget's group, and their CSV, on PostgreSQL. The floor of the page is the",
        "LMS's answer and one statement for the totals of its learners. The memory of the CSV is its peak beside that",
        "of the CSV of a tenth of the members; the simulated LMS in the same process is part of both.",
        "",
        *list_table(titles, [[row.get(key, "") for key in keys] for row in rows]),
        "",
        made_by(about),
        "",
    ]
    write("groups", {"about": about, "results": rows}, "\n".join(page))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    measure_apart("groups", measure, write_report)
