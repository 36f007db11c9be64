"""What "good" means, as figures: every bar in one table, and the judgement over what was measured. Nothing is measured
here.

A bar is judged by its worst figure. One that lacks figures is not met; it is not measured.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import asdict, frozen

from benchmarks.reporting import Row

# What was found by the benchmarks, by their names. Those that were not run, or failed, are absent.
Rooms = Mapping[str, Any]

WARM_FLOORS: Final = {10: 1.5, 100: 2.5}
STATEMENTS: Final = 7
COLD_CALLS, KEYS_OF_A_CALL = 5, 40
COLD_MILLISECONDS: Final = 400
COLD_INTENTIONS: Final = 100
# What is stale is answered "at warm speed"; that much is left to chance.
STALE_TO_WARM: Final = 1.2
HELD_MILLISECONDS: Final = 3_000
CALLS_OF_A_LEARNER: Final = 0.5
ITEMS_OF_A_POST, MORE_POSTS = 20, 10
TWO_WORKERS: Final = 1.7
EVENTS_TO_LEARNERS: Final = 20
SIGHTINGS_OF_A_CALL: Final = 100
BACKLOG: Final = 10_000
SECONDS_BESIDE_A_BACKLOG: Final = 10
# A few for each process that takes from the queue, and what beat sends.
MESSAGES_IN_A_QUEUE: Final = 50
NEWCOMERS_PER_SECOND: Final = 2
PAGES_IN_TIME: Final = 0.95
REDEMPTIONS: Final = 150
LEDGER_USED: Final = 0.9
ROUNDS: Final = {"cold": 3.5, "warm": 1.2}


@frozen
class Figure:
    """One measurement with its limit; without one, it is only stated. `floor`: what the same run took for nothing."""

    where: str
    value: float
    limit: float | None
    floor: float | None = None


@frozen
class Bar:
    """One claim. `figures` finds what there is to judge, and may raise KeyError when a benchmark does not tell it."""

    number: str
    what: str
    unit: str
    figures: Callable[[Rooms], Iterable[Figure]]
    is_least: bool = False

    def excess(self, figure: Figure) -> float:
        """Return how far a figure is beyond its limit, in limits; up to 0 it is met."""
        beyond = figure.value - (figure.limit or 0)
        return (-beyond if self.is_least else beyond) / (abs(figure.limit or 0) or 1)


@frozen
class Verdict:
    """What became of one bar. `is_met` None: not measured, or only stated (then there are figures without a limit)."""

    bar: str
    what: str
    unit: str
    is_least: bool
    where: str | None
    measured: float | None
    limit: float | None
    floor: float | None
    is_met: bool | None
    figures: tuple[Figure, ...]


def judge(rooms: Rooms) -> list[Row]:
    """Return the verdict on every bar, in the order of the table."""
    return [asdict(_judge(bar, rooms)) for bar in BARS]


def _judge(bar: Bar, rooms: Rooms) -> Verdict:
    try:
        figures = tuple(bar.figures(rooms))
    except KeyError:
        figures = ()
    worst = max(figures, key=bar.excess, default=None)
    return Verdict(
        bar=bar.number,
        what=bar.what,
        unit=bar.unit,
        is_least=bar.is_least,
        where=worst.where if worst else None,
        measured=worst.value if worst else None,
        limit=worst.limit if worst else None,
        floor=worst.floor if worst else None,
        is_met=None if worst is None or worst.limit is None else bar.excess(worst) <= 0,
        figures=figures,
    )


# --- P1 to P4: one learner's status ----------------------------------------------------------------------------------


def _each(rooms: Rooms, key: str) -> Iterator[tuple[str, Any]]:
    """Yield each storage with what was found on it."""
    for result in rooms.get("api", {}).get("results", ()):
        yield result["storage"], result[key]


def _intentions(row: Row) -> str:
    return f"{row['intentions']} intention{'s' * (row['intentions'] > 1)}"


def warm_floors(intentions: int, number: int) -> Callable[[Rooms], Iterator[Figure]]:
    """Return a finder of how many floors a warm request takes; `number` is that of the load, 0 a client alone."""

    def find(rooms: Rooms) -> Iterator[Figure]:
        for storage, rows in _each(rooms, "learner_status"):
            for row in rows:
                if row["intentions"] == intentions:
                    found = row["loads"][number] if number else row
                    yield Figure(storage, found["ratio"], WARM_FLOORS[intentions], found["floor"]["p50"])

    return find


def warm_statements(rooms: Rooms) -> Iterator[Figure]:
    for storage, rows in _each(rooms, "learner_status"):
        for row in rows:
            yield Figure(f"{storage}, {_intentions(row)}", row["statements"], STATEMENTS)


def more_statements(key: str) -> Callable[[Rooms], Iterator[Figure]]:
    """Return a finder of how many statements more intentions add."""

    def find(rooms: Rooms) -> Iterator[Figure]:
        for storage, rows in _each(rooms, key):
            statements = [row["statements"] for row in rows]
            where = f"{storage}, {rows[0]['intentions']} to {rows[-1]['intentions']}"
            yield Figure(where, max(statements) - min(statements), 0)

    return find


def warm_calls(rooms: Rooms) -> Iterator[Figure]:
    for storage, rows in _each(rooms, "learner_status"):
        yield Figure(storage, max(row["upstream_calls"] for row in rows), 0)


def cold_calls(rooms: Rooms) -> Iterator[Figure]:
    for storage, rows in _each(rooms, "cold"):
        for row in rows:
            limit = COLD_CALLS + row["catalogs"] * math.ceil(row["intentions"] / KEYS_OF_A_CALL)
            yield Figure(f"{storage}, {_intentions(row)}", row["upstream_calls"], limit)


def cold_time(rooms: Rooms) -> Iterator[Figure]:
    for storage, rows in _each(rooms, "cold"):
        for row in rows:
            if row["intentions"] == COLD_INTENTIONS:
                limit = round(COLD_MILLISECONDS + row["floor_p50"], 1)
                yield Figure(storage, row["p50"], limit, row["floor_p50"])


def calls_for_modes(rooms: Rooms) -> Iterator[Figure]:
    for storage, calls in _each(rooms, "calls_without_modes"):
        yield Figure(storage, calls.get("platform.course", 0), 0)


def burst_calls(rooms: Rooms) -> Iterator[Figure]:
    alone = {
        (storage, row["intentions"]): row["upstream_calls"] for storage, rows in _each(rooms, "cold") for row in rows
    }
    for storage, rows in _each(rooms, "burst"):
        for row in rows:
            limit = alone[storage, row["intentions"]] + 1
            yield Figure(f"{storage}, {row['callers']} callers", row["upstream_calls"], limit)


def content_burst_calls(rooms: Rooms) -> Iterator[Figure]:
    if content := rooms.get("content"):
        alone = {(row["keys"], row["catalogs"]): row["calls"] for row in content["cold"]}
        for row in content["burst"]:
            limit = alone[row["keys"], row["catalogs"]] + 1
            yield Figure(f"{row['callers']} callers in {row['processes']} processes", row["calls"], limit)


def stale_to_warm(rooms: Rooms) -> Iterator[Figure]:
    warm = {
        storage: row["ratio"] for storage, rows in _each(rooms, "learner_status") for row in rows[1:2]
    }  # of 10 intentions, as the silence was
    for storage, silent in _each(rooms, "silent"):
        ratio = round(silent["ratio"] / warm[storage], 2)
        yield Figure(storage, ratio, STALE_TO_WARM, silent["floor"]["p50"])


def unmarked(rooms: Rooms) -> Iterator[Figure]:
    for storage, silent in _each(rooms, "silent"):
        yield Figure(storage, silent["unmarked"], 0)


def unclear(rooms: Rooms) -> Iterator[Figure]:
    for storage, silent in _each(rooms, "silent"):
        yield Figure(storage, silent["unknown"]["answered_otherwise"], 0)


def held(rooms: Rooms) -> Iterator[Figure]:
    for storage, silent in _each(rooms, "silent"):
        yield Figure(f"{storage}, stale", silent["slowest"], HELD_MILLISECONDS)
        yield Figure(f"{storage}, unknown", silent["unknown"]["slowest"], HELD_MILLISECONDS)


# --- P5 and P6: many learners ----------------------------------------------------------------------------------------


def _runs(rooms: Rooms) -> list[Row]:
    return list(rooms.get("storm", {}).get("runs", ()))


def of_storm(key: str, limit_of: Callable[[Row], float | None]) -> Callable[[Rooms], Iterator[Figure]]:
    def find(rooms: Rooms) -> Iterator[Figure]:
        for run in _runs(rooms):
            yield Figure(_workers(run), run[key], limit_of(run))

    return find


def _workers(run: Row) -> str:
    return f"{run['workers']} worker{'s' * (run['workers'] > 1)}"


def two_workers(rooms: Rooms) -> Iterator[Figure]:
    rates = {run["workers"]: run["learners_per_second"] for run in _runs(rooms)}
    if {1, 2} <= rates.keys():
        yield Figure("2 workers", round(rates[2] / rates[1], 2), TWO_WORKERS, rates[1])


def four_workers(rooms: Rooms) -> Iterator[Figure]:
    for run in _runs(rooms):
        if run["workers"] == 4:
            yield Figure(_workers(run), run["learners_per_second"], None)


def events_per_second(rooms: Rooms) -> Iterator[Figure]:
    if runs := _runs(rooms):
        learners = max(run["learners_per_second"] for run in runs)
        for case in rooms["events"]["cases"]:
            # One at a time is how they come when there are few.
            if case["batch"] > 1:
                yield Figure(case["case"], case["events_per_second"], round(EVENTS_TO_LEARNERS * learners, 1), learners)


def row_writes(rooms: Rooms) -> Iterator[Figure]:
    for case in rooms["events"]["cases"]:
        yield Figure(case["case"], case["row_writes_per_event"], 1)


def sighting_calls(rooms: Rooms) -> Iterator[Figure]:
    for run in _runs(rooms):
        found = run["logins"]
        limit = math.ceil(found["learners"] / SIGHTINGS_OF_A_CALL)
        yield Figure(
            f"{found['learners']} learners, {_workers(run)}", sum(found["calls_when_links_are_old"].values()), limit
        )


def calls_of_nothing_owed(rooms: Rooms) -> Iterator[Figure]:
    for run in _runs(rooms):
        found = run["logins"]
        yield Figure(
            f"{found['learners']} learners, {_workers(run)}", sum(found["calls_when_nothing_is_owed"].values()), 0
        )


# --- P7 and the portal -----------------------------------------------------------------------------------------------


def more_statements_of_pages(rooms: Rooms) -> Iterator[Figure]:
    for row in rooms.get("overview", {}).get("results", ()):
        yield Figure(f"{row['database']}, {row['page']}", row["statements"], row["statements_when_small"])


def rounds(load: str) -> Callable[[Rooms], Iterator[Figure]]:
    """Return a finder of how many calls of a page had to wait for one another."""

    def find(rooms: Rooms) -> Iterator[Figure]:
        for row in rooms.get("portal", {}).get("loads", ()):
            if row["load"] == load and row["rounds"] is not None:
                yield Figure(f"answers {row['delay_ms']} ms late", row["rounds"], ROUNDS[load])

    return find


# --- Assignments, groups and budgets ---------------------------------------------------------------------------------
# --- Assignments, groups, requests ------------------------------------------------------------------------------------


def with_limits(benchmark: str, key: str) -> Callable[[Rooms], Iterator[Figure]]:
    """Return a finder of the figures of a benchmark whose rows name their limits."""

    def find(rooms: Rooms) -> Iterator[Figure]:
        for row in rooms.get(benchmark, {}).get("results", ()):
            if (limit := row["limits"].get(key)) is not None:
                yield Figure(row["what"], row[key], limit)

    return find


# --- P8: newcomers through the portal, under the throttles -----------------------------------------------------------


def of_page_storm(key: str, limit: float | None) -> Callable[[Rooms], Iterator[Figure]]:
    def find(rooms: Rooms) -> Iterator[Figure]:
        found = rooms["page_storm"]["storm"]
        if rooms["page_storm"]["about"]["per_second"] >= NEWCOMERS_PER_SECOND:
            yield Figure(f"{found['newcomers']} newcomers", found[key], limit)

    return find


# --- P9: fairness ----------------------------------------------------------------------------------------------------


def beside_a_backlog(key: str, limit: float) -> Callable[[Rooms], Iterator[Figure]]:
    def find(rooms: Rooms) -> Iterator[Figure]:
        found = rooms["fairness"]["fairness"]
        # Who came when the backlog was gone waited for nothing.
        if found["backlog"] >= BACKLOG and found["backlog_at_end"] > 0:
            yield Figure(f"{found['backlog']} of another customer are waiting", found[key], limit)

    return find


# --- Redemptions at once ---------------------------------------------------------------------------------------------


def of_redeeming(key: str, limit: float) -> Callable[[Rooms], Iterator[Figure]]:
    def find(rooms: Rooms) -> Iterator[Figure]:
        found = rooms["redeeming"]["redeeming"]
        if found["paid"] >= REDEMPTIONS:
            yield Figure(f"{found['learners']} learners", found[key], limit)

    return find


# --- The table -------------------------------------------------------------------------------------------------------

BARS: Final[Sequence[Bar]] = (
    Bar("P1", "learner-status warm, 10 intentions, 1 client: p50", "floors", warm_floors(10, 0)),
    Bar("P1", "learner-status warm, 10 intentions, 8 clients: p50", "floors", warm_floors(10, 1)),
    Bar("P1", "learner-status warm, 100 intentions, 1 client: p50", "floors", warm_floors(100, 0)),
    Bar("P1", "learner-status warm, 100 intentions, 8 clients: p50", "floors", warm_floors(100, 1)),
    Bar("P1", "SQL statements of a warm request, with authentication", "", warm_statements),
    Bar("P1", "SQL statements that more intentions add", "", more_statements("learner_status")),
    Bar("P1", "upstream calls of a warm request", "", warm_calls),
    Bar("P2", "upstream calls of a cold request", "", cold_calls),
    Bar("P2", "learner-status cold, 100 intentions: p50", "ms", cold_time),
    Bar("P2", "course modes fetched in a request", "", calls_for_modes),
    Bar("P3", "upstream calls of a burst on a cold cache: learner-status", "", burst_calls),
    Bar("P3", "upstream calls of a burst on a cold cache: content", "", content_burst_calls),
    Bar("P4", "upstream services hang, stale copy: p50, compared with a warm answer", "times", stale_to_warm),
    Bar("P4", "upstream services hang, stale copy: answers not marked as stale", "", unmarked),
    Bar("P4", "upstream services hang, no copy: answers without a clear error", "", unclear),
    Bar("P4", "upstream services hang: longest time that a web worker was busy", "ms", held),
    Bar(
        "P5",
        "login storm: upstream calls of a learner",
        "",
        of_storm("upstream_calls_per_learner", lambda _: CALLS_OF_A_LEARNER),
    ),
    Bar(
        "P5",
        "login storm: bulk posts",
        "",
        of_storm("bulk_posts", lambda run: run["items_sent"] // ITEMS_OF_A_POST + MORE_POSTS),
    ),
    Bar("P5", "login storm: enrollments sent twice", "", of_storm("duplicates", lambda _: 0)),
    Bar("P5", "login storm: learners a second of 2 workers, beside those of 1", "times", two_workers, is_least=True),
    Bar("P5", "login storm: learners a second", "", of_storm("learners_per_second", lambda _: None)),
    Bar("P5", "login storm: learners a second of 4 workers", "", four_workers),
    Bar("P5", "login storm: cores used by the workers", "", of_storm("cores_used", lambda _: None)),
    Bar("P6", "events a second of a consumer, 20 times the learners of P5", "", events_per_second, is_least=True),
    Bar("P6", "row writes of an event", "", row_writes),
    Bar("P6", "upstream calls to find the customers of learners who were seen", "", sighting_calls),
    Bar("P6", "upstream calls of logins with nothing pending", "", calls_of_nothing_owed),
    Bar("P7", "list of intentions: SQL statements that more intentions add", "", more_statements("list")),
    Bar("P7", "admin: SQL statements of a page with many rows, beside few", "", more_statements_of_pages),
    Bar("P8", "page storm: answers 429", "", of_page_storm("refused_for_calling_too_often", 0)),
    Bar(
        "P8",
        "page storm: share of pages that show the enrollment within 3 s",
        "",
        of_page_storm("in_time", PAGES_IN_TIME),
        is_least=True,
    ),
    Bar("P8", "page storm: platform reads of a newcomer", "", of_page_storm("platform_reads_per_newcomer", None)),
    Bar(
        "P9",
        "fairness: the longest that a learner of another customer waits, by login",
        "s",
        beside_a_backlog("slowest_login_seconds", SECONDS_BESIDE_A_BACKLOG),
    ),
    Bar(
        "P9",
        "fairness: the longest that a learner of another customer waits, by page",
        "s",
        beside_a_backlog("slowest_page_seconds", SECONDS_BESIDE_A_BACKLOG),
    ),
    Bar("P9", "fairness: messages in a queue, at most", "", beside_a_backlog("longest_queue", MESSAGES_IN_A_QUEUE)),
    Bar("assignments", "assignments: beside the floor", "floors", with_limits("assignments", "floors")),
    Bar("assignments", "assignments: SQL statements", "", with_limits("assignments", "statements")),
    Bar("assignments", "assignments: the same again, writes", "", with_limits("assignments", "writes")),
    Bar("groups", "group members, first page: beside the floor", "floors", with_limits("groups", "floors")),
    Bar("groups", "group members, first page: SQL statements", "", with_limits("groups", "statements")),
    Bar(
        "groups",
        "group members: peak memory of the CSV of 10,000, beside 1,000",
        "times",
        with_limits("groups", "memory"),
    ),
    Bar("budgets", "list of budgets: beside the floor", "floors", with_limits("budgets", "floors")),
    Bar("budgets", "list of budgets: SQL statements that more rows add", "", with_limits("budgets", "more_statements")),
    Bar("budgets", "list of budgets: upstream calls of a warm one", "", with_limits("budgets", "warm_calls")),
    Bar("budgets", "promises on one budget: a second", "", with_limits("budgets", "per_second"), is_least=True),
    Bar("budgets", "new transactions: upstream calls", "", with_limits("budgets", "calls")),
    Bar("budgets", "new transactions: SQL statements", "", with_limits("budgets", "statements")),
    Bar("credit", "learner credit, warm: beside the floor", "floors", with_limits("redemption", "floors")),
    Bar("credit", "learner credit: upstream calls", "", with_limits("redemption", "upstream_calls")),
    Bar(
        "credit",
        "can-redeem: SQL statements that more budgets and runs add",
        "",
        with_limits("redemption", "more_statements"),
    ),
    Bar("credit", "can-redeem cold: p50", "ms", with_limits("redemption", "cold_ms")),
    Bar("credit", "redeem: redemptions asked of the ledger", "", with_limits("redemption", "ledger_calls")),
    Bar("credit", "redeem: reads of the ledger", "", with_limits("redemption", "reads")),
    Bar("credit", "redeem: own time, beside the ledger's", "times", with_limits("redemption", "own_share")),
    Bar(
        "requests", "subsidy requests, lists and counts: beside the floor", "floors", with_limits("requests", "floors")
    ),
    Bar("requests", "subsidy requests: SQL statements", "", with_limits("requests", "statements")),
    Bar("requests", "subsidy requests: calls to license-manager for 100", "", with_limits("requests", "calls")),
    Bar(
        "redeeming",
        "redemptions at once: share of the time that the ledger has a call",
        "",
        of_redeeming("ledger_used", LEDGER_USED),
        is_least=True,
    ),
    Bar("redeeming", "redemptions at once: too few or too many paid", "", of_redeeming("paid_too_few_or_many", 0)),
    Bar("redeeming", "redemptions at once: calls for one learner", "", of_redeeming("calls_for_one_learner", 1)),
    Bar("redeeming", "redemptions at once: calls that met a lock", "", of_redeeming("refused_for_being_locked", 0)),
    Bar("portal", "a page's calls that wait for one another, cold", "rounds", rounds("cold")),
    Bar("portal", "a page's calls that wait for one another, warm", "rounds", rounds("warm")),
)
