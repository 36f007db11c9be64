"""`make bench-redeeming`: 200 learners redeem at once, with money for 150; how much of the time the ledger is used.

    python -m benchmarks.redeeming [postgres://postgres@127.0.0.1:5432/postgres] [redis://127.0.0.1:6379/9]

The ledger takes LEDGER_SECONDS for each call, and takes one at a time; it notes when it had a call. The worker has
two processes. The database is made beside the one named and dropped; the Redis database named is emptied.
REDEEMING_LEARNERS and REDEEMING_PAID change the size. Writes redeeming.json and redeeming.rst in docs/benchmarks.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Final

import requests

from benchmarks.page_storm import empty, environment_of
from benchmarks.reporting import ROOT, Row, about_this, heading, list_table, made_by, percentiles, write
from benchmarks.serving import UpstreamServices, fresh_database, migrate, running, wait_for

LEARNERS: Final = int(os.environ.get("REDEEMING_LEARNERS", "200"))
PAID: Final = int(os.environ.get("REDEEMING_PAID", "150"))
LEDGER_SECONDS: Final = 0.4
# Learners who ask in the same moment; each clicks twice.
ASKERS, CLICKS = 8, 2
GIVE_UP_SECONDS: Final = 600


def main(database_url: str, redis_url: str) -> None:
    about = about_this("make bench-redeeming", ledger_ms=round(1000 * LEDGER_SECONDS))
    sizes = {"REDEEMING_LEARNERS": str(LEARNERS), "REDEEMING_PAID": str(PAID)}
    with (
        fresh_database(database_url) as (url, _),
        running("benchmarks.redeeming_neighbours:app", os.environ | sizes) as upstream,
    ):
        environment = environment_of(url, redis_url, upstream) | {"SUBSIDY_BASE_URL": f"{upstream.url}/subsidy"}
        empty(redis_url)
        migrate(environment)
        make_slow(upstream)
        with worker(environment):
            child = subprocess.run(
                [sys.executable, "-m", "benchmarks.redeeming", "--inside"],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
        found = json.loads(child.stdout.splitlines()[-1]) | of_ledger(upstream)
    print(json.dumps(found), flush=True)
    write("redeeming", {"about": about, "redeeming": found}, as_page(about, found))


@contextlib.contextmanager
def worker(environment: dict[str, str]) -> Iterator[None]:
    """Run a worker with two processes."""
    words = ["celery", "-A", "enterprise_access", "worker", "--concurrency", "2", "--queues", "interactive,background"]
    command = [sys.executable, "-m", *words, "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def make_slow(upstream: UpstreamServices) -> None:
    fault = {"kind": "delay_before", "endpoint": "subsidy.redeem", "times": None, "seconds": LEDGER_SECONDS}
    requests.post(f"{upstream.url}/control/faults", json=fault, timeout=30).raise_for_status()


def of_ledger(upstream: UpstreamServices) -> Row:
    """Return what the ledger saw: its calls, the pauses between them, and the share of the time that it was used."""
    times = requests.get(f"{upstream.url}/ledger-times", timeout=30).json()
    calls = [call for call in upstream.calls("subsidy") if call["endpoint"] == "subsidy.redeem"]
    pauses = percentiles([1000 * (later - ended) for (_, ended), (later, _) in pairwise(times)])
    return {
        "calls": len(calls),
        "calls_for_one_learner": max(
            sum(one["body"]["lms_user_id"] == who for one in calls) for who in learners(calls)
        ),
        "refused_for_being_locked": sum(call["status"] == 429 for call in calls),
        "seconds": round(times[-1][1] - times[0][0], 1),
        "ledger_used": round(sum(ended - began for began, ended in times) / (times[-1][1] - times[0][0]), 3),
        "pause_p50_ms": pauses["p50"],
        "pause_p95_ms": pauses["p95"],
    }


def learners(calls: list[Row]) -> set[int]:
    return {call["body"]["lms_user_id"] for call in calls}


def inside() -> Row:
    """Ask for every learner, and wait for the workers, in a process that is set up for the database."""
    import django

    django.setup()
    from django.db import connection

    from benchmarks.redeeming_neighbours import FIRST_LEARNER, RUN, SLUG
    from enterprise_access.apps.customers.services import fetch_customer_by_slug
    from enterprise_access.apps.redemption.models import RedemptionAttempt
    from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
    from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
    from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
    from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
    from enterprise_access.upstream import catalog, subsidy

    customer = fetch_customer_by_slug(slug=SLUG).pk
    client = subsidy.from_settings()
    if client is None:
        raise RuntimeError("The address of the ledger is not set.")
    (account,) = client.list_subsidies(customer_uuid=customer)
    (own,) = catalog.from_settings().list_catalogs(customer_uuid=customer)
    policy = SubsidyAccessPolicy.objects.create(
        customer_uuid=customer,
        subsidy=Subsidy.objects.create(uuid=account.uuid, customer_uuid=customer),
        catalog_uuid=own.uuid,
        display_name="Storm",
        policy_type=PolicyType.PER_LEARNER_SPEND.value,
        access_method=AccessMethod.DIRECT.value,
    )

    def ask(number: int) -> None:
        try:
            for learner in range(FIRST_LEARNER + number, FIRST_LEARNER + LEARNERS, ASKERS):
                for _ in range(CLICKS):
                    redeem(RedemptionOrder(policy=policy, lms_user_id=learner, run_key=RUN))
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=ASKERS) as pool:
        list(pool.map(ask, range(ASKERS)))
    wait_for(lambda: not RedemptionAttempt.objects.exclude(due_at=None).exists(), GIVE_UP_SECONDS)
    committed = RedemptionAttempt.objects.filter(state="committed")
    return {
        "learners": LEARNERS,
        "paid": committed.count(),
        "paid_too_few_or_many": abs(committed.values("lms_user_id").distinct().count() - PAID),
        "open": RedemptionAttempt.objects.open().count(),
        "totals_that_differ": len(list_differences(Subsidy.objects.get())),
    }


def as_page(about: Row, found: Row) -> str:
    rows = [
        ("learners who redeem, each twice", found["learners"]),
        ("learners who are paid for", found["paid"]),
        ("calls to the ledger", found["calls"]),
        ("calls for one learner, at most", found["calls_for_one_learner"]),
        ("calls that found the ledger locked", found["refused_for_being_locked"]),
        ("redemptions that are still open", found["open"]),
        ("totals of the budget that are not what its rows come to", found["totals_that_differ"]),
        ("seconds from the first call to the last answer", found["seconds"]),
        ("share of them in which the ledger had a call", found["ledger_used"]),
        ("pause between two calls, median (ms)", found["pause_p50_ms"]),
        ("pause between two calls, 95th percentile (ms)", found["pause_p95_ms"]),
    ]
    lines = [
        *heading("Redemptions at once: figures"),
        made_by(about),
        "Learners of one customer redeem a course at the same time, and there is not enough money for all. The",
        f"ledger takes {about['ledger_ms']} ms for each call, and one call at a time; it is the simulator, which notes",
        "when it had a call. A worker has two processes, on PostgreSQL and Redis; all of it shares one machine.",
        "",
        *list_table(["", "measured"], rows),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    if "--inside" in sys.argv:
        print(json.dumps(inside()))
    else:
        defaults = ["postgres://postgres@127.0.0.1:5432/postgres", "redis://127.0.0.1:6379/9"]
        main(*[*sys.argv[1:], *defaults[len(sys.argv) - 1 :]])
