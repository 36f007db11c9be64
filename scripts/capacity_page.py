"""Write docs/capacity/index.rst from what was measured (docs/capacity/*.json), with the calculator (capacity.py)."""

import json
import math
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

sys.path.insert(0, str(Path(__file__).resolve().parent))

from capacity import (
    FEW_LEARNERS,
    FOLDER,
    LEARNERS_PER_CUSTOMER,
    LICENSES_PER_PAGE,
    LOGINS_PEAK,
    NEWCOMER_SHARE,
    PEAK_SHARE,
    Coefficients,
    Installation,
    Load,
    calls_of_look,
    forecast,
    most_newcomers,
    peak,
    storage_bytes,
    storm_forecast,
    storm_measured,
)

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
WIDTH = 118


def main() -> int:
    (FOLDER / "index.rst").write_text(page(Installation(), Coefficients.read(), read_storm()))
    return 0


def read_storm() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "storm.json").read_text())
    return found


def page(inst: Installation, coef: Coefficients, found: Mapping[str, Any]) -> str:
    """Return docs/capacity/index.rst."""
    parts = [*introduction(), *loads(inst, coef), *needs(inst, coef), *costs(coef), *check(coef, found)]
    return "\n".join(parts).rstrip() + "\n"


# --- The parts -------------------------------------------------------------------------------------------------------


def introduction() -> list[str]:
    return [
        *title("Capacity", over=True),
        *text("How much an installation can take, and what gives in first. ``make capacity`` reckons it for yours::"),
        '    make capacity ARGS="--learners 1000000 --customers 200 --logins-per-hour 50000 --workers 16"',
        "",
        *text("""
            It multiplies what one learner was measured to cost (below; ``make bench-capacity`` measures anew) with what
            comes, and divides by what there is: processes, and the calls that the neighbours allow. This page is made
            by it (``make capacity-page``). What it rests on:
        """),
        *point("""
            A login of a learner who is owed nothing costs one row write and no call. Only newcomers cost more: who logs
            in for the first time, or after an intention was added.
        """),
        *point("""
            A worker takes all who wait of one customer together, up to ``REALIZE_BATCH``. So a queue makes looks
            cheaper: as long as something is short, more learners wait, batches grow, and the load sinks. The calculator
            looks for the batch at which everything suffices, and says how long learners wait for it to gather; longer
            than ``--patience-minutes`` they shall not.
        """),
        *point(f"""
            license-manager is asked for each of up to {FEW_LEARNERS} learners, for more by pages of {LICENSES_PER_PAGE}
            licenses when these are fewer calls. So the size of a customer counts: with 50,000 licenses or more, a look
            at a hundred learners takes a hundred calls.
        """),
        *point("""
            Customers are taken to be of equal size, and to be busy at the same time; a login loads one page of the
            learner portal. How long the neighbours take is
            yours to say (``--call-seconds``, ``--enroll-seconds``): their own limits besides the throttles are not
            known here.
        """),
        "",
    ]


def loads(inst: Installation, coef: Coefficients) -> list[str]:
    lines = [
        *title("From ten thousand learners to ten million"),
        *text(f"""
            With {LEARNERS_PER_CUSTOMER:,} learners and 5 intentions a customer, and the installation that the
            calculator assumes unless it is told: {inst.workers} worker processes, {inst.webs} web processes,
            {inst.consumers} consumer of logins, neighbours that take {inst.call_seconds} s for a read and
            {inst.enroll_seconds} s for an enrollment, learners who may wait for {inst.patience_minutes:.0f} minutes.
            In the busiest hour {PEAK_SHARE:.0%} of the learners log in, and at most {LOGINS_PEAK:,}. More than 100% is
            too much.
        """),
    ]
    days = [("An ordinary day", NEWCOMER_SHARE), ("The first day, when everybody who comes is a newcomer", 1.0)]
    for day, share in days:
        lines += text(f"**{day}** ({share:.0%} of those who log in are owed something):")
        lines += table(
            ["learners", "logins an hour", "learners in a look (wait)", "the first limit, and its use", "moved by"],
            [_load_row(peak(size, newcomers=share), inst, coef) for size in SIZES],
        )
    limits = forecast(peak(SIZES[-1], newcomers=NEWCOMER_SHARE), inst, coef).limits
    return [
        *lines,
        *text("Every limit, for ten million learners on an ordinary day:"),
        *table(
            ["limit", "use", "needed", "there is", "moved by"],
            [
                [
                    limit.name,
                    f"{limit.share:,.0%}",
                    f"{limit.needed:,.1f} {limit.unit}",
                    f"{limit.available:,.1f}",
                    code(limit.moved_by),
                ]
                for limit in sorted(limits, key=lambda limit: -limit.share)
            ],
        ),
    ]


def _load_row(load: Load, inst: Installation, coef: Coefficients) -> list[str]:
    found = forecast(load, inst, coef)
    return [
        f"{load.learners:,}",
        f"{load.logins_per_hour:,.0f}",
        f"{found.batch} ({minutes(found.wait_minutes)})",
        f"{found.first.name}: {found.first.share:,.0%}",
        code(found.first.moved_by),
    ]


def needs(inst: Installation, coef: Coefficients) -> list[str]:
    return [
        *title("What it takes"),
        *text("""
            Processes of ours for the first day, if the neighbours have no throttles; and how many newcomers an hour
            their throttles allow, however many processes we have. Fewer and bigger customers get more: their learners
            are looked at together.
        """),
        *table(
            [
                "learners",
                "newcomers an hour",
                "workers",
                "web",
                "consumers",
                "the neighbours allow",
                "who stops at that",
            ],
            [_needs_row(peak(size, newcomers=1.0), inst, coef) for size in SIZES],
        ),
        *text(f"""
            What is kept once everybody was there (tables with their indexes), and what Redis holds when the stream of
            logins is full ({inst.stream_max_len:,} messages):
        """),
        *table(
            ["learners", *coef.bytes, "a full stream"],
            [
                [
                    f"{size:,}",
                    *(gigabytes(storage_bytes(peak(size, newcomers=1), coef, database)) for database in coef.bytes),
                    gigabytes(inst.stream_max_len * coef.message_bytes),
                ]
                for size in SIZES
            ],
        ),
    ]


def _needs_row(load: Load, inst: Installation, coef: Coefficients) -> list[str]:
    unthrottled = evolve(inst, workers=10**9, license_manager_a_minute=10**9, platform_a_minute=10**9)
    needed = {limit.name: limit.needed for limit in forecast(load, unthrottled, coef).limits}
    most, stopped_by = most_newcomers(load, inst, coef)
    return [
        f"{load.learners:,}",
        f"{load.newcomers_per_hour:,.0f}",
        f"{math.ceil(needed['worker processes']):,}",
        f"{math.ceil(needed['web processes']):,}",
        f"{math.ceil(needed['event consumers'] / coef.events_per_second)}",
        f"{most:,.0f}",
        stopped_by.name,
    ]


def costs(coef: Coefficients) -> list[str]:
    look = f"{coef.look_cpu_seconds:.3f} + {coef.learner_cpu_seconds:.4f}"
    statements = f"{coef.look_statements:.0f} + {coef.learner_statements:.1f}"
    sizes = (1, 5, 6, 20, 100)
    calls = [calls_of_look(size, intentions=5, licenses=1000, enroll_batch=20).values() for size in sizes]
    rows = [
        [f"``{name}``", f"{number:g}", *(f"{table_sizes[name]:,.0f}" for table_sizes in coef.bytes.values())]
        for name, number in coef.rows.items()
    ]
    return [
        *title("What one learner costs"),
        *text(f"""
            Measured with {coef.intentions} intentions, on PostgreSQL, on a machine with two cores that had other work
            as well; the pages of the learner portal are those of ``make bench-portal``.
        """),
        *table(
            ["what", "cost"],
            [
                ["CPU seconds of a worker: for a look, and for each learner in it", look],
                ["SQL statements: for a look, and for each learner in it", statements],
                [f"CPU seconds for a page of {LICENSES_PER_PAGE} licenses", f"{coef.page_cpu_seconds:.4f}"],
                ["seconds that PostgreSQL is busy, for a learner", f"{coef.database_seconds_per_learner:.4f}"],
                [
                    "CPU seconds for checking the intentions of a customer",
                    f"{coef.check_cpu_seconds:.3f}, and {coef.check_calls} calls",
                ],
                ["logins a second that one consumer process takes", f"{coef.events_per_second:,.0f}"],
                ["seconds of a web process for a page load, without neighbours", f"{coef.web_seconds:.3f}"],
                ["bytes of a login in Redis", f"{coef.message_bytes:,}"],
            ],
        ),
        *text("Calls of a look by the number of learners in it, for a customer with 1,000 licenses:"),
        *table(
            ["learners", "LMS: links", "platform: enrollments", "license-manager", "LMS: bulk posts"],
            [[f"{size}", *map(str, numbers)] for size, numbers in zip(sizes, calls, strict=True)],
        ),
        *text("Rows and bytes (with indexes, and with what updates leave behind until the database clears it away):"),
        *table(["table", "rows a learner", *(f"bytes a learner in {name}" for name in coef.bytes)], rows),
    ]


def check(coef: Coefficients, found: Mapping[str, Any]) -> list[str]:
    expected = storm_forecast(found["learners"], found["workers"], coef)
    measured = storm_measured(found)
    return [
        *title("Is it so?"),
        *text(f"""
            The coefficients are those of a storm of {coef.storm["learners"]:,} learners. From these the calculator
            forecasts a storm of {found["learners"]:,} learners of one customer on {found["workers"]} worker processes;
            it was then raised (``make bench-capacity``):
        """),
        *table(
            ["", "forecast", "measured", "error"],
            [
                [name, f"{value:,.0f}", f"{measured[name]:,.0f}", f"{value / measured[name] - 1:+.0%}"]
                for name, value in expected.items()
            ],
        ),
        *text(f"""
            Answers 429: {found["throttled"]}. Items sent twice: {found["duplicates"]}. The seconds depend on what else
            the machine had to do: the load average at the end was {coef.storm["load_average"]:.1f} in the small storm
            and {found["load_average"]:.1f} in the big one, on {found["about"]["cores"]} cores. So do the calls of the
            platform, when a round of a hundred learners becomes slower than half of ``ENROLLMENTS_FRESH_SECONDS``: then
            its facts are read again before each bulk post that follows.
        """),
    ]


# --- reStructuredText ------------------------------------------------------------------------------------------------


def title(words: str, *, over: bool = False) -> list[str]:
    line = "=" * len(words)
    return [*([line] if over else []), words, line, ""]


def text(words: str) -> list[str]:
    return [*wrapped(words), ""]


def point(words: str) -> list[str]:
    return [f"{' ' if number else '*'} {line}" for number, line in enumerate(wrapped(words))]


def wrapped(words: str) -> list[str]:
    return textwrap.wrap(" ".join(words.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (titles, *rows):
        lines += [f"   {' ' if number else '*'} - {cell}".rstrip() for number, cell in enumerate(row)]
    return [*lines, ""]


def code(words: str) -> str:
    """Set commands and names of settings as code."""
    return re.sub(r"\b[A-Z]+(?:_[A-Z]+)+\b", r"``\g<0>``", words.replace("`", "``"))


def minutes(number: float) -> str:
    return "at once" if number < 1 else f"{number:,.0f} min"


def gigabytes(number: float) -> str:
    return f"{number / 1e9:,.2f} GB"


if __name__ == "__main__":
    sys.exit(main())
