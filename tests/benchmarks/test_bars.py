"""The judgement over what was measured: the worst figure counts, and nothing is met that was not measured."""

import json
from typing import Any

import pytest

from benchmarks import __main__ as bench
from benchmarks.bars import BARS, judge
from benchmarks.index_page import as_page, status
from benchmarks.reporting import ROOT

STORAGES = ("SQLite, database cache", "PostgreSQL, Redis")


def warm(intentions: int, ratio: float, **more: Any) -> dict[str, Any]:
    floor = {"floor": {"p50": 2.0}}
    loads = [{"clients": clients, "ratio": ratio, **floor} for clients in (1, 8)]
    row = {"intentions": intentions, "ratio": ratio, "statements": 7, "upstream_calls": 0, "loads": loads, **floor}
    return row | more


def api(storage: str = STORAGES[0], **more: Any) -> dict[str, Any]:
    """Everything of one storage, exactly as good as it has to be."""
    return {
        "storage": storage,
        "learner_status": [warm(1, 1.5), warm(10, 1.5), warm(50, 2.0), warm(100, 2.5)],
        "list": [warm(10, 3.0), warm(100, 9.0)],
        "cold": [
            {"intentions": 10, "catalogs": 1, "upstream_calls": 6, "p50": 900.0, "floor_p50": 4.0},
            {"intentions": 100, "catalogs": 1, "upstream_calls": 8, "p50": 404.0, "floor_p50": 4.0},
        ],
        "burst": [{"callers": 64, "intentions": 10, "upstream_calls": 7}],
        "calls_without_modes": {"lms.customer": 1},
        "silent": {
            "ratio": 1.8,
            "floor": {"p50": 2.0},
            "slowest": 1000.0,
            "unmarked": 0,
            "unknown": {"answered_otherwise": 0, "slowest": 3000.0},
        },
        **more,
    }


def storm(workers: int, rate: float, **more: Any) -> dict[str, Any]:
    logins = {"learners": 250, "calls_when_links_are_old": {"lms.learners": 3}, "calls_when_nothing_is_owed": {}}
    return {
        "workers": workers,
        "learners_per_second": rate,
        "cores_used": 0.5,
        "upstream_calls_per_learner": 0.5,
        "items_sent": 1000,
        "bulk_posts": 60,
        "duplicates": 0,
        "logins": logins,
        **more,
    }


def event(case: str, rate: int, *, batch: int = 200, writes: float = 1.0) -> dict[str, Any]:
    return {"case": case, "batch": batch, "events_per_second": rate, "row_writes_per_event": writes}


def rooms(**more: Any) -> dict[str, Any]:
    """Everything exactly as good as it has to be."""
    return {
        "api": {"results": [api(storage) for storage in STORAGES]},
        "content": {
            "cold": [{"keys": 100, "catalogs": 4, "calls": 13.0}],
            "burst": [{"keys": 100, "catalogs": 4, "calls": 14, "callers": 8, "processes": 4}],
        },
        "storm": {"runs": [storm(1, 10.0), storm(2, 17.0), storm(4, 20.0)]},
        "fairness": {
            "fairness": {
                "backlog": 10_000,
                "backlog_at_end": 5_000,
                "slowest_login_seconds": 10.0,
                "slowest_page_seconds": 10.0,
                "longest_queue": 50,
            },
        },
        "page_storm": {
            "about": {"per_second": 2.0},
            "storm": {
                "newcomers": 1200,
                "refused_for_calling_too_often": 0,
                "in_time": 0.95,
                "platform_reads_per_newcomer": 0.2,
            },
        },
        "events": {"cases": [event("logins", 400), event("one at a time", 50, batch=1)]},
        "overview": {
            "results": [{"database": "SQLite", "page": "attempts", "statements": 7, "statements_when_small": 7}]
        },
        "portal": {
            "loads": [
                {"load": "cold", "delay_ms": 50, "rounds": 3},
                {"load": "warm", "delay_ms": 50, "rounds": 1},
                {"load": "warm", "delay_ms": 0, "rounds": None},
            ]
        },
        "assignments": {
            "results": [
                {"what": "allocate", "floors": 12, "statements": 40, "limits": {"floors": 12, "statements": 40}},
                {"what": "again", "writes": 0, "limits": {"writes": 0}},
            ]
        },
        "groups": {
            "results": [
                {"what": "first page", "floors": 4, "statements": 8, "limits": {"floors": 4, "statements": 8}},
                {"what": "CSV", "memory": 1.5, "limits": {"memory": 1.5}},
            ]
        },
        "budgets": {
            "results": [
                {
                    "what": "list",
                    "floors": 2,
                    "more_statements": 0,
                    "warm_calls": 0,
                    "limits": {"floors": 2, "more_statements": 0, "warm_calls": 0},
                },
                {"what": "promises", "per_second": 100, "limits": {"per_second": 100}},
                {"what": "new", "calls": 110, "statements": 100, "limits": {"calls": 110, "statements": 100}},
            ]
        },
        "redemption": {"results": [{"what": "credit", **REDEMPTION, "limits": REDEMPTION}]},
        "requests": {
            "results": [
                {"what": "list", "floors": 4, "statements": 4, "limits": {"floors": 4, "statements": 4}},
                {"what": "grant", "statements": 40, "calls": 1, "limits": {"calls": 1}},
            ]
        },
        "redeeming": {
            "redeeming": {
                "learners": 200,
                "paid": 150,
                "paid_too_few_or_many": 0,
                "calls_for_one_learner": 1,
                "refused_for_being_locked": 0,
                "ledger_used": 0.9,
            }
        },
        **more,
    }


# The figures of learner credit, all in one row, each exactly as good as it has to be.
REDEMPTION: dict[str, float] = {
    "floors": 2,
    "upstream_calls": 0,
    "more_statements": 0,
    "cold_ms": 404.0,
    "ledger_calls": 1,
    "reads": 2,
    "own_share": 0.15,
}


def verdict(what: str, found: dict[str, Any]) -> dict[str, Any]:
    (bar,) = [bar for bar in judge(found) if bar["what"].startswith(what)]
    return bar


STATED = (
    "login storm: learners a second",
    "login storm: learners a second of 4",
    "login storm: cores",
    "page storm: platform reads",
)


def is_stated(bar: dict[str, Any]) -> bool:
    return bar["what"].startswith(STATED) and "beside" not in bar["what"]


def test_there_is_something_for_every_number():
    assert list(dict.fromkeys(bar.number for bar in BARS)) == [
        "P1",
        "P2",
        "P3",
        "P4",
        "P5",
        "P6",
        "P7",
        "P8",
        "P9",
        "assignments",
        "groups",
        "budgets",
        "credit",
        "requests",
        "redeeming",
        "portal",
    ]


def test_what_is_exactly_as_good_as_it_has_to_be_is_met():
    bars = judge(rooms())
    assert [bar["what"] for bar in bars if bar["is_met"] is not True] == [b["what"] for b in bars if is_stated(b)]
    assert {status(bar) for bar in bars if is_stated(bar)} == {"stated"}


def test_nothing_is_met_that_was_not_measured():
    assert {(bar["is_met"], status(bar)) for bar in judge({})} == {(None, "not measured")}


@pytest.mark.parametrize("name", rooms())
def test_what_belongs_to_a_benchmark_that_failed_is_not_measured(name):
    all_of_it = {bar["what"] for bar in judge(rooms()) if bar["figures"]}
    left = rooms()
    del left[name]
    lacking = {bar["what"] for bar in judge(left) if not bar["figures"]}
    assert lacking
    assert lacking < all_of_it


def test_a_storm_of_fewer_pages_than_the_bar_asks_for_proves_nothing():
    calm = rooms()["page_storm"] | {"about": {"per_second": 0.5}}
    assert status(verdict("page storm: answers 429", rooms(page_storm=calm))) == "not measured"


@pytest.mark.parametrize("more", [{"backlog": 9_999}, {"backlog_at_end": 0}])
def test_a_backlog_that_is_small_or_gone_keeps_nobody_waiting_and_proves_nothing(more):
    assert status(verdict("fairness: messages in a queue", with_fairness(**more))) == "not measured"


def test_figures_of_another_shape_are_not_measured():
    without = storm(2, 17.0)
    del without["logins"]
    assert status(verdict("upstream calls of logins", rooms(storm={"runs": [without]}))) == "not measured"


def changed(**more: Any) -> dict[str, Any]:
    """One of two storages is different."""
    return rooms(api={"results": [api(), api(STORAGES[1], **more)]})


def cold(**more: Any) -> dict[str, Any]:
    first, last = api()["cold"]
    return changed(cold=[first, last | more])


def silent(**more: Any) -> dict[str, Any]:
    found = api()["silent"]
    return changed(silent=found | more)


def with_storm(**more: Any) -> dict[str, Any]:
    return rooms(storm={"runs": [storm(1, 10.0), storm(2, 17.0, **more)]})


def with_page_storm(**more: Any) -> dict[str, Any]:
    found = rooms()["page_storm"]
    return rooms(page_storm=found | {"storm": found["storm"] | more})


def with_fairness(**more: Any) -> dict[str, Any]:
    found = rooms()["fairness"]["fairness"]
    return rooms(fairness={"fairness": found | more})


def with_redeeming(**more: Any) -> dict[str, Any]:
    return rooms(redeeming={"redeeming": rooms()["redeeming"]["redeeming"] | more})


LOGINS = storm(1, 1.0)["logins"]


def with_worse(benchmark: str, **worse: Any) -> dict[str, Any]:
    """Return everything as it has to be, but for one figure of a benchmark whose rows name their limits."""
    found = rooms()
    for row in found[benchmark]["results"]:
        row |= {name: value for name, value in worse.items() if name in row}
    return found


TOO_BAD: list[tuple[str, dict[str, Any], float, float]] = [
    (
        "learner-status warm, 10 intentions, 1 client",
        changed(learner_status=[warm(1, 1), warm(10, 1.51)]),
        1.51,
        1.5,
    ),
    (
        "learner-status warm, 10 intentions, 8 clients",
        changed(learner_status=[warm(1, 1), warm(10, 1.0, loads=[{}, {"ratio": 1.6, "floor": {"p50": 1.0}}])]),
        1.6,
        1.5,
    ),
    ("learner-status warm, 100 intentions, 1 client", changed(learner_status=[warm(1, 1), warm(100, 2.6)]), 2.6, 2.5),
    ("SQL statements of a warm", changed(learner_status=[warm(1, 1), warm(50, 2, statements=8)]), 8, 7),
    ("SQL statements that more", changed(learner_status=[warm(1, 1, statements=6), warm(10, 1)]), 1, 0),
    ("upstream calls of a warm", changed(learner_status=[warm(1, 1), warm(10, 1, upstream_calls=1)]), 1, 0),
    ("upstream calls of a cold", cold(upstream_calls=9), 9, 8),
    ("learner-status cold", cold(p50=404.1), 404.1, 404.0),
    ("course modes", changed(calls_without_modes={"platform.course": 1}), 1, 0),
    (
        "upstream calls of a burst on a cold cache: learner",
        changed(burst=[{"callers": 8, "intentions": 10, "upstream_calls": 8}]),
        8,
        7,
    ),
    (
        "upstream calls of a burst on a cold cache: content",
        rooms(content=rooms()["content"] | {"burst": [rooms()["content"]["burst"][0] | {"calls": 15}]}),
        15,
        14,
    ),
    ("upstream services hang, stale copy: p50", silent(ratio=1.95), 1.3, 1.2),
    ("upstream services hang, stale copy: answers", silent(unmarked=1), 1, 0),
    ("upstream services hang, no copy", silent(unknown={"answered_otherwise": 1, "slowest": 1.0}), 1, 0),
    (
        "upstream services hang: longest",
        silent(unknown={"answered_otherwise": 0, "slowest": 3000.1}),
        3000.1,
        3000,
    ),
    ("upstream services hang: longest", silent(slowest=4000.0), 4000.0, 3000),
    ("login storm: upstream calls", with_storm(upstream_calls_per_learner=0.501), 0.501, 0.5),
    ("page storm: answers 429", with_page_storm(refused_for_calling_too_often=1), 1, 0),
    ("page storm: share of pages", with_page_storm(in_time=0.94), 0.94, 0.95),
    (
        "fairness: the longest that a learner of another customer waits, by login",
        with_fairness(slowest_login_seconds=10.1),
        10.1,
        10,
    ),
    (
        "fairness: the longest that a learner of another customer waits, by page",
        with_fairness(slowest_page_seconds=10.1),
        10.1,
        10,
    ),
    ("fairness: messages in a queue", with_fairness(longest_queue=51), 51, 50),
    ("assignments: beside the floor", with_worse("assignments", floors=12.1), 12.1, 12),
    ("assignments: SQL statements", with_worse("assignments", statements=41), 41, 40),
    ("assignments: the same again, writes", with_worse("assignments", writes=1), 1, 0),
    ("group members, first page: beside", with_worse("groups", floors=4.1), 4.1, 4),
    ("group members, first page: SQL", with_worse("groups", statements=9), 9, 8),
    ("group members: peak memory", with_worse("groups", memory=1.6), 1.6, 1.5),
    ("list of budgets: beside", with_worse("budgets", floors=2.1), 2.1, 2),
    ("list of budgets: SQL", with_worse("budgets", more_statements=1), 1, 0),
    ("list of budgets: upstream calls", with_worse("budgets", warm_calls=1), 1, 0),
    ("new transactions: upstream calls", with_worse("budgets", calls=111), 111, 110),
    ("promises on one budget", with_worse("budgets", per_second=99), 99, 100),
    ("new transactions: SQL", with_worse("budgets", statements=101), 101, 100),
    ("learner credit, warm", with_worse("redemption", floors=2.1), 2.1, 2),
    ("learner credit: upstream", with_worse("redemption", upstream_calls=1), 1, 0),
    ("can-redeem: SQL", with_worse("redemption", more_statements=1), 1, 0),
    ("can-redeem cold", with_worse("redemption", cold_ms=404.1), 404.1, 404.0),
    ("redeem: redemptions", with_worse("redemption", ledger_calls=2), 2, 1),
    ("redeem: reads", with_worse("redemption", reads=3), 3, 2),
    ("redeem: own time", with_worse("redemption", own_share=0.16), 0.16, 0.15),
    ("subsidy requests, lists", with_worse("requests", floors=4.1), 4.1, 4),
    ("subsidy requests: SQL", with_worse("requests", statements=5), 5, 4),
    ("subsidy requests: calls", with_worse("requests", calls=2), 2, 1),
    ("redemptions at once: share", with_redeeming(ledger_used=0.89), 0.89, 0.9),
    ("redemptions at once: too few", with_redeeming(paid_too_few_or_many=1), 1, 0),
    ("redemptions at once: calls for one", with_redeeming(calls_for_one_learner=2), 2, 1),
    ("redemptions at once: calls that met", with_redeeming(refused_for_being_locked=1), 1, 0),
    ("login storm: bulk posts", with_storm(bulk_posts=61), 61, 60),
    ("login storm: enrollments sent twice", with_storm(duplicates=1), 1, 0),
    (
        "login storm: learners a second of 2 workers",
        rooms(storm={"runs": [storm(1, 10.0), storm(2, 16.9)]}),
        1.69,
        1.7,
    ),
    ("events a second", rooms(events={"cases": [event("new", 399), event("known", 500)]}), 399, 400),
    ("row writes", rooms(events={"cases": [event("new", 500, writes=1.1)]}), 1.1, 1),
    (
        "upstream calls to find",
        with_storm(logins=LOGINS | {"calls_when_links_are_old": {"lms.learners": 3, "platform.enrollments": 1}}),
        4,
        3,
    ),
    ("upstream calls of logins", with_storm(logins=LOGINS | {"calls_when_nothing_is_owed": {"lms.learners": 1}}), 1, 0),
    ("list of intentions", changed(list=[warm(10, 1, statements=4), warm(100, 1, statements=5)]), 1, 0),
    (
        "admin",
        rooms(
            overview={
                "results": [
                    {"database": "SQLite", "page": "attempts", "statements": 9, "statements_when_small": 7},
                    {"database": "SQLite", "page": "requests", "statements": 9, "statements_when_small": 9},
                ]
            }
        ),
        9,
        7,
    ),
    (
        "a page's calls that wait for one another, cold",
        rooms(portal={"loads": [{"load": "cold", "delay_ms": 50, "rounds": 4}]}),
        4,
        3.5,
    ),
]


@pytest.mark.parametrize(("what", "found", "measured", "limit"), TOO_BAD, ids=[case[0] for case in TOO_BAD])
def test_what_is_a_little_too_bad_is_not_met_whatever_else_is_good(what, found, measured, limit):
    bar = verdict(what, found)
    assert (bar["measured"], bar["limit"], bar["is_met"]) == (measured, limit, False)
    assert status(bar) == "**NOT MET**"


def test_every_bar_that_has_a_limit_is_seen_to_be_missed_above():
    judged = {bar["what"] for bar in judge(rooms()) if bar["is_met"] is not None}
    missed = {verdict(what, found)["what"] for what, found, *_ in TOO_BAD}
    # Those of which another one is the twin.
    assert judged - missed == {
        "learner-status warm, 100 intentions, 8 clients: p50",
        "a page's calls that wait for one another, warm",
    }


# --- Telling -------------------------------------------------------------------------------------------------------


ABOUT = {
    "command": "make bench",
    "commit": "abc1234",
    "is_changed_since": False,
    "date": "2026-01-31",
    "python": "3.11.7",
    "django": "5.2",
    "cores": 2,
    "memory_gb": 8,
    "load": 0.1,
    "load_at_end": 0.2,
    "postgresql": "15.1",
    "redis": None,
    "sqlite": "3.40",
    "seconds": 1,
}


def told(found: dict[str, Any], failed: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"about": ABOUT, "failed": list(failed), "bars": judge(found), "rooms": found}


def test_the_command_succeeds_when_every_bar_is_met(capsys):
    assert bench.tell(told(rooms())) == 0
    assert "0 not met" in capsys.readouterr().out


def test_the_command_fails_when_a_bar_is_not_met():
    assert bench.tell(told(cold(upstream_calls=9))) == 1


def test_the_command_fails_when_a_benchmark_has_failed():
    assert bench.tell(told(rooms(), failed=("storm",))) == 1


def test_the_page_lists_what_is_not_met_and_shows_where_the_time_goes():
    part = {"ms": 9.5, "packages": {"django": 4.5}, "by_own_time": [], "by_cumulative_time": []}
    profiles = {"10": {"floor": part, "candidate": part | {"packages": {"django": 4.5, "json": 3.25}}}}
    page = as_page(told(changed(learner_status=[warm(1, 1), warm(10, 1.6)], profiles=profiles)))
    assert "* P1: learner-status warm, 10 intentions, 1 client: p50\n" in page
    assert "PostgreSQL, Redis, 10 intentions\n~~~~" in page
    assert "   * - ``json``\n     - 3.25\n     -\n" in page
    assert page.count("~~~~\n") == 1, "of two bars with the same profile, it is shown once"


def test_a_cold_request_that_takes_too_long_is_shown_call_by_call():
    call = {"call": "GET /lms/", "began_ms": 1.5, "ended_ms": 52.5}
    found = cold(p50=500.0)
    found["api"]["results"][1]["timeline"] = {"ms": 60.0, "rounds": 1, "calls": [call]}
    page = as_page(told(found))
    assert "   * - ``GET /lms/``\n     - 1.5\n     - 52.5\n" in page


def test_the_page_says_that_nothing_is_not_met_and_what_was_not_measured():
    page = as_page(told({}, failed=("api",)))
    assert "Where the time goes" not in page
    assert "Not met:" not in page
    assert "     - not measured\n" in page
    assert "Not measured, because the benchmark failed: api." in page


@pytest.mark.parametrize("name", ["nothing", "reporting"], ids=["no such program", "a program that writes nothing"])
def test_a_benchmark_without_new_figures_has_failed(tmp_path, name):
    (tmp_path / f"{name}.json").write_text("{}")
    assert not bench.succeeds(bench.Benchmark(name), tmp_path, is_full=False)


def test_what_a_benchmark_never_wrote_is_absent(tmp_path):
    (tmp_path / "api.json").write_text("{}")
    assert bench.read_rooms(tmp_path, ["api", "storm"]) == {"api": {}}


# --- The figures in the documents ----------------------------------------------------------------------------------


def test_the_page_of_bars_says_what_its_figures_say():
    folder = ROOT / "docs" / "benchmarks"
    found = json.loads((folder / "bench.json").read_text())
    assert found["bars"] == json.loads(json.dumps(judge(found["rooms"])))
    assert (folder / "index.rst").read_text() == as_page(found)
