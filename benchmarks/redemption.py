"""`python -m benchmarks.redemption`: what learners ask about their credit, and redeeming.

    python -m benchmarks.redemption [postgres://postgres@127.0.0.1:5432/postgres]

Makes a database of its own beside the PostgreSQL named and drops it. The upstream services are the simulator, in this
process; the cache is this process's own. What is warm is served by gunicorn with 2 sync workers, which begin with what
this process knows. The floor is an authenticated view on the same server that returns the same body, prepared, through
the same renderer; floor and candidate are measured in turns. Own time is what is left of a redemption when what
was waited for is taken off. Writes docs/benchmarks/redemption.json and redemption.rst.
"""

import json
import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.reporting import Row, about_this, heading, list_table, made_by, write
from benchmarks.serving import DELAY_SECONDS, measure_apart, served_here, taken
from simulator.app import Simulator
from simulator.seed import ACME

POLICIES, RUNS = 5, 10
REPEAT, COLD_REPEAT, REDEMPTIONS = 60, 7, 12
WARM_ENOUGH = 6
LEDGER_SECONDS = 0.4
FLOORS, COLD_MILLISECONDS, OWN_SHARE, READS = 2, 400, 0.15, 2
# The customer, the link, the enrollments; the account and its transactions; which catalogs there are.
COLD_CALLS = 6
ADA = 1001
BASE = "/api/v1/policy-redemption/"
CAN_REDEEM = f"{BASE}enterprise-customer/{ACME}/can-redeem/"
CREDITS = f"{BASE}credits_available/"


def measure(simulator: Simulator) -> list[Row]:
    """Return the figures of all."""
    from django.test import override_settings

    with tempfile.TemporaryDirectory() as folder, override_settings(ROOT_URLCONF="benchmarks.api_urls"):
        os.environ["BENCH_PREPARED"] = folder
        bench = Bench(simulator, Path(folder))
        return [
            *bench.measure_warm(),
            bench.measure_cold(),
            bench.measure_redeeming(),
        ]


class Bench:
    """Measures what Ada of Acme asks."""

    def __init__(self, simulator: Simulator, prepared: Path) -> None:
        self.simulator, self.world, self.prepared = simulator, simulator.world, prepared
        self.client = self.client_of("ada")
        self.headers = {"Authorization": f"JWT {simulator.tokens.token_for('ada')}"}
        keys = [f"CreditX+C{number:02}" for number in range(RUNS)]
        self.runs = [self.world.add_open_course(key=key).key for key in keys]
        self.catalog = self.world.add_catalog(customer="acme", title="Credit", courses=keys).uuid
        self.can_redeem: dict[str, Any] = {"content_key": self.runs[:RUNS]}
        self.credits: dict[str, Any] = {"enterprise_customer_uuid": str(ACME), "lms_user_id": ADA}

    def client_of(self, username: str) -> Any:
        from rest_framework.test import APIClient

        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"JWT {self.simulator.tokens.token_for(username)}")
        return client

    def add_policies(self, count: int) -> None:
        from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget

        for _ in range(count):
            make_budget(catalog_uuid=self.catalog, display_name=os.urandom(8).hex())

    def get(self, url: str, query: dict[str, Any]) -> bytes:
        answer = self.client.get(url, query)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answered {answer.status_code}: {answer.content[:300]!r}")
        return bytes(answer.content)

    # --- Warm

    def measure_warm(self) -> list[Row]:
        """Ask as often as it takes for copies to be young, and then in turn with the floor."""
        self.add_policies(1)
        few = self.statements(CAN_REDEEM, {"content_key": self.runs[0]})
        self.add_policies(POLICIES - 1)
        what = f"can-redeem warm, {POLICIES} budgets, {RUNS} runs"
        return [
            self.compare(what, "can-redeem", CAN_REDEEM, self.can_redeem, more_statements_than=few),
            self.compare(f"credits_available warm, {POLICIES} budgets", "credits", CREDITS, self.credits),
        ]

    def compare(
        self, what: str, name: str, url: str, query: dict[str, Any], *, more_statements_than: int | None = None
    ) -> Row:
        body = self.get(url, query)
        (self.prepared / f"{name}.json").write_bytes(body)
        floor, asked = f"/floor/{name}/", f"{url}?{urlencode(query, doseq=True)}"
        seen = len(self.world.journal.calls())
        statements = self.statements(url, query)
        with served_here() as ask:
            if len(ask(floor, self.headers)) != len(ask(asked, self.headers)):
                raise RuntimeError("The floor answers another body.")
            # So often that both workers have done it before.
            for path in (floor, asked) * WARM_ENOUGH:
                ask(path, self.headers)
            pairs = [tuple(taken(partial(ask, path, self.headers)) for path in (floor, asked)) for _ in range(REPEAT)]
        # Once more here, where calls are counted: the copies are still young.
        self.get(url, query)
        low, high = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
        row: Row = {
            "what": what,
            "statements": statements,
            "upstream_calls": len(self.world.journal.calls()) - seen,
            "p50_ms": round(1000 * high, 2),
            "floor_p50_ms": round(1000 * low, 2),
            "floors": round(high / low, 2),
            "limits": {"floors": FLOORS, "upstream_calls": 0},
        }
        if more_statements_than is not None:
            row["more_statements"] = statements - more_statements_than
            row["limits"]["more_statements"] = 0
        return row

    def statements(self, url: str, query: dict[str, Any]) -> int:
        """Count the statements of a warm request."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        self.get(url, query)
        with CaptureQueriesContext(connection) as statements:
            self.get(url, query)
        return len(statements)

    # --- Cold

    def measure_cold(self) -> Row:
        """Ask for what nobody knows, while every upstream service answers late."""
        self.simulator.faults.add("delay_before", "*", times=None, seconds=DELAY_SECONDS)
        times, floors, calls = [], [], list[Counter[str]]()
        for _ in range(COLD_REPEAT):
            forget()
            seen = len(self.world.journal.calls())
            times.append(1000 * taken(lambda: self.get(CAN_REDEEM, self.can_redeem)))
            calls.append(Counter(call.endpoint for call in self.world.journal.calls()[seen:]))
            floors += [1000 * taken(lambda: self.get("/floor/can-redeem/", {})) for _ in range(5)]
        self.simulator.faults.clear()
        most = max(calls, key=Counter.total)
        floor = statistics.median(floors)
        return {
            "what": f"can-redeem cold, services {round(1000 * DELAY_SECONDS)} ms late",
            "upstream_calls": most.total(),
            "calls": dict(most),
            "cold_ms": round(statistics.median(times), 1),
            "floor_p50_ms": round(floor, 2),
            "limits": {
                "cold_ms": round(COLD_MILLISECONDS + floor, 1),
                # All catalogs of the customer are asked for all runs, each once.
                "upstream_calls": COLD_CALLS + self.world.tables.catalogs.count(customer=ACME),
            },
        }

    # --- Redeeming

    def measure_redeeming(self) -> Row:
        """Let one learner after the other load a page and redeem, with nothing else waiting."""
        from enterprise_access.apps.redemption.services.advancing import work_on_attempts
        from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy

        policy = SubsidyAccessPolicy.objects.filter(catalog_uuid=self.catalog).first()
        if policy is None:
            raise RuntimeError("There is no budget.")
        self.simulator.faults.add("delay_before", "subsidy.redeem", times=None, seconds=LEDGER_SECONDS)
        times, calls = [], list[Counter[str]]()

        def redeem(learner: int, client: Any) -> Callable[[], object]:
            def call() -> None:
                body = {"lms_user_id": learner, "content_key": self.runs[0], "metadata": {}}
                answer = client.post(f"{BASE}{policy.pk}/redeem/", body, format="json")
                work_on_attempts()
                if answer.status_code != 200 or answer.json()["state"] != "pending":
                    raise RuntimeError(f"Redeeming answered {answer.status_code}: {answer.content[:300]!r}")

            return call

        for number in range(REDEMPTIONS + 1):
            learner = self.world.add_learner(username=f"redeemer{number}", customer="acme")
            client = self.client_of(learner.username)
            client.get(CAN_REDEEM, {"content_key": self.runs[0]})
            seen = len(self.world.journal.calls())
            times.append(taken(redeem(learner.id, client)))
            calls.append(Counter(call.endpoint for call in self.world.journal.calls()[seen:]))
        self.simulator.faults.clear()
        self.need_paid()
        # The first one meets a process that has done nothing of this yet.
        own = statistics.median(times[1:]) - LEDGER_SECONDS
        most = max(calls[1:], key=Counter.total)
        return {
            "what": f"redeem, a ledger that takes {round(1000 * LEDGER_SECONDS)} ms",
            "ledger_calls": most["subsidy.redeem"],
            "reads": sum(count for name, count in most.items() if name.startswith("subsidy.")) - most["subsidy.redeem"],
            "calls": dict(most),
            "p50_ms": round(1000 * (own + LEDGER_SECONDS), 1),
            "own_ms": round(1000 * own, 1),
            "own_share": round(own / LEDGER_SECONDS, 3),
            "limits": {"ledger_calls": 1, "reads": READS, "own_share": OWN_SHARE},
        }

    def need_paid(self) -> None:
        from enterprise_access.apps.redemption.models import RedemptionAttempt

        paid = RedemptionAttempt.objects.filter(state="committed").count()
        if paid != REDEMPTIONS + 1:
            raise RuntimeError(f"{paid} redemptions were paid.")


def forget() -> None:
    """Know nothing but budgets and what was redeemed."""
    from django.core.cache import cache

    from enterprise_access.apps.content_metadata.selectors import content
    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerEnrollment
    from enterprise_access.apps.subsidy_access_policies.models import Subsidy

    cache.clear()
    content._cache._kept.clear()
    LearnerEnrollment.objects.all().delete()
    EnterpriseLearner.objects.all().delete()
    EnterpriseCustomer.objects.all().delete()
    Subsidy.objects.update(fetched_at="2020-01-01T00:00:00Z")


def write_report(rows: list[Row]) -> None:
    about = about_this("python -m benchmarks.redemption", budgets=POLICIES, runs=RUNS)
    titles = ("What", "Statements", "Upstream calls", "Median (ms)", "Floor (ms)", "Floors", "Own time (ms)")
    keys = ("what", "statements", "upstream_calls", "p50_ms", "floor_p50_ms", "floors", "own_ms")
    page = [
        *heading("Learner credit"),
        "What a learner asks about credit, and redeeming, on PostgreSQL. What is warm is served by gunicorn with 2",
        "sync workers; the floor is an authenticated view there that returns the same body, prepared, through the same",
        "renderer. Own time of a redemption is that of request and worker, the ledger's time taken off.",
        "",
        *list_table(titles, [[row.get(key, "") for key in keys] for row in rows]),
        "",
        made_by(about),
        "",
    ]
    write("redemption", {"about": about, "results": rows}, "\n".join(page))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    measure_apart("redemption", measure, write_report)
