"""`make capacity`: how many newcomers an hour an installation can take, from what one newcomer was measured to cost.

    python scripts/capacity.py [--workers 4] [--round-seconds 0.6] [--learners-per-round 1] [--page]

Three limits, and the smallest counts: the calls that upstream services allow our account, the worker processes, and
the web threads. What one newcomer costs comes from docs/benchmarks/page_storm.json (`make bench-page-storm`). Learner
credit and requests have limits of their own, from the measurements beside it (`make bench`). `--page` writes the tables
of docs/capacity/index.rst.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

ROOT: Final = Path(__file__).resolve().parent.parent
BENCHMARKS: Final = ROOT / "docs" / "benchmarks"
MEASURED: Final = BENCHMARKS / "page_storm.json"
TABLE: Final = ROOT / "docs" / "capacity" / "limits.rst"
TABLE_OF_CREDIT: Final = ROOT / "docs" / "capacity" / "limits_of_credit.rst"
HOUR: Final = 3600
MS: Final = 1000
# How many learners one read of platform enrollments names, and one minute allows (settings PLATFORM_READS_PER_MINUTE).
LEARNERS_PER_READ: Final = 100
READS_PER_MINUTE: Final = 96
# How many calls for licenses one minute allows (settings LICENSE_READS_PER_MINUTE). Up to five learners of a customer
# cost a call each; for more, one page of 500 licenses is one call (licenses/services/lookup.py).
LICENSE_READS_PER_MINUTE: Final = 300
FEW_LEARNERS: Final = 5
# How many licenses one call of license-manager assigns (subsidy_requests/services/granting.py).
LICENSES_PER_CALL: Final = 100


@frozen(kw_only=True)
class Installation:
    """What there is. `round_seconds`: how long a worker takes for one round, of so many learners of one customer."""

    workers: int = 4
    web_threads: int = 64
    round_seconds: float = 0.6
    learners_per_round: int = 1


def limits(installation: Installation, page_seconds: float) -> dict[str, float]:
    """Return how many newcomers an hour each limit allows."""
    learners = installation.learners_per_round
    license_calls = learners if learners <= FEW_LEARNERS else 1
    return {
        "platform reads (LMS)": READS_PER_MINUTE * 60 * LEARNERS_PER_READ,
        "license-manager": LICENSE_READS_PER_MINUTE * 60 * learners / license_calls,
        "worker processes": installation.workers * learners * HOUR / installation.round_seconds,
        "web threads": installation.web_threads * HOUR / page_seconds,
    }


def newcomers_per_hour(installation: Installation, page_seconds: float) -> tuple[str, float]:
    """Return the smallest limit, and what it allows."""
    return min(limits(installation, page_seconds).items(), key=lambda pair: pair[1])


def limits_of_credit(installation: Installation) -> dict[str, float]:
    """Return how many an hour each limit of learner credit and requests allows, from what was measured of one."""
    storm = _measured("redeeming")["redeeming"]
    budgets, assignments = (_results("budgets"), _results("assignments"))
    allocation = next(row for what, row in assignments.items() if what.startswith("allocate "))
    redemption = next(row for what, row in _results("redemption").items() if what.startswith("redeem,"))
    people = _measured("assignments")["about"]["people"]
    return {
        "redemptions of one subsidy": storm["paid"] * HOUR / storm["seconds"],
        "redemptions of all subsidies": installation.workers * HOUR * MS / redemption["p50_ms"],
        "promises of one budget": budgets["promises on one budget by 8 processes"]["per_second"] * HOUR,
        "assignments of one budget": people * HOUR * MS / allocation["p50_ms"],
        "licenses for approved requests": LICENSE_READS_PER_MINUTE * 60 * LICENSES_PER_CALL,
    }


def _measured(name: str) -> dict[str, Any]:
    return json.loads((BENCHMARKS / f"{name}.json").read_text())


def _results(name: str) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in _measured(name)["results"]}


def table_of_credit() -> str:
    """Return the second table of the page."""
    rows = [
        ["limit", "an hour"],
        *([name, f"{allowed:,.0f}"] for name, allowed in limits_of_credit(Installation()).items()),
    ]
    return _as_table(rows)


def table(measured: Mapping[str, Any]) -> str:
    """Return the table of the page: limits at two sizes of a round."""
    page_seconds = measured["storm"]["p50_seconds"]
    sizes = (1, 10)
    found = [limits(Installation(learners_per_round=size), page_seconds) for size in sizes]
    rows = [["limit", *(f"{size} learner{'s' * (size > 1)} in a round" for size in sizes)]]
    rows += [[name, *(f"{each[name]:,.0f}" for each in found)] for name in found[0]]
    return _as_table(rows)


def _as_table(rows: Sequence[Sequence[str]]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'* -' if place == 0 else '  -'} {cell}" for place, cell in enumerate(row)]
    return "\n".join([".. Written by make capacity-page.", "", *lines]) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("workers", 4), ("web-threads", 64), ("learners-per-round", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--round-seconds", type=float, default=0.6)
    parser.add_argument("--page", action="store_true", help="Write the tables of the documentation.")
    options = parser.parse_args(arguments)
    measured = json.loads(MEASURED.read_text())
    if options.page:
        TABLE.write_text(table(measured))
        TABLE_OF_CREDIT.write_text(table_of_credit())
        return 0
    installation = Installation(
        workers=options.workers,
        web_threads=options.web_threads,
        round_seconds=options.round_seconds,
        learners_per_round=options.learners_per_round,
    )
    for name, allowed in limits(installation, measured["storm"]["p50_seconds"]).items():
        print(f"{name:24}{allowed:>14,.0f} newcomers an hour")
    name, allowed = newcomers_per_hour(installation, measured["storm"]["p50_seconds"])
    print(f"first limit: {name}, {allowed:,.0f} newcomers an hour")
    for name, allowed in limits_of_credit(installation).items():
        print(f"{name:32}{allowed:>14,.0f} an hour")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
