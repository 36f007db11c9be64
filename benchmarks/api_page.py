"""docs/benchmarks/api.rst."""

from collections.abc import Sequence

from benchmarks.reporting import Row, heading, list_table, made_by


def as_page(about: Row, results: Sequence[Row]) -> str:
    lines = heading("The API: figures")
    lines += [
        made_by(about),
        f"Server: {about['server']}; {about['repeat']} repetitions. The floor is an authenticated view on the same",
        "server that returns the same, prepared body through the same renderer. Both are measured in turns, so that",
        "the ratio is right on a busy machine, too. Times are milliseconds, including network and token. Statements",
        "are all database queries of the request, including those for the caller; those of a cache in a database are",
        "in parentheses.",
        "",
        ".. image:: api.svg",
        "   :alt: How many floors a warm learner-status takes, by number of intentions, with the bars.",
        "",
        ".. image:: api-cold.svg",
        "   :alt: How long a cold learner-status takes, by number of intentions, with the bar.",
        "",
    ]
    for result in results:
        lines += heading(result["storage"], "-")
        lines += ["Warm, one client:", ""]
        lines += list_table(
            ["", "bytes", "statements (cache)", "upstream calls", "floor p50 / p95", "request p50 / p95", "ratio"],
            [_warm("learner-status", row) for row in result["learner_status"]]
            + [_warm("list", row) for row in result["list"]],
        )
        lines += ["Warm, without a pause between requests:", ""]
        lines += list_table(
            ["", "clients", "per second: floor / request", "floor p50 / p95", "request p50 / p95", "ratio"],
            [
                _load(f"{kind}, {row['intentions']}", load)
                for kind, rows in (("learner-status", result["learner_status"]), ("list", result["list"]))
                for row in rows
                for load in row["loads"]
            ],
        )
        lines += [f"Cold, with upstream services that answer {result['delay_ms']} ms late:", ""]
        lines += list_table(
            ["intentions", "upstream calls", "by endpoint", "p50", "slowest", "floor p50"],
            [
                [
                    row["intentions"],
                    row["upstream_calls"],
                    _by_endpoint(row["calls"]),
                    row["p50"],
                    row["slowest"],
                    row["floor_p50"],
                ]
                for row in result["cold"]
            ],
        )
        lines += _prose(result)
    return "\n".join(lines).rstrip() + "\n"


def _warm(kind: str, row: Row) -> list[object]:
    return [
        f"{kind}, {row['intentions']}",
        row["bytes"],
        f"{row['statements']} ({row['statements_of_database_cache']})",
        row["upstream_calls"],
        *_times(row),
    ]


def _load(title: str, load: Row) -> list[object]:
    rates = load["per_second"]
    return [title, load["clients"], f"{rates['floor']} / {rates['candidate']}", *_times(load)]


def _times(row: Row) -> list[object]:
    return [*(f"{row[who]['p50']} / {row[who]['p95']}" for who in ("floor", "candidate")), row["ratio"]]


def _by_endpoint(calls: Row) -> str:
    return ", ".join(f"{endpoint} {count}" for endpoint, count in calls.items())


def _prose(result: Row) -> list[str]:
    silent, unknown, asked = result["silent"], result["silent"]["unknown"], result["burst"]
    burst = ", ".join(f"{row['upstream_calls']} for {row['callers']}" for row in asked)
    return [
        f"Upstream calls of simultaneous callers with a cold cache, {asked[0]['intentions']} intentions: {burst}.",
        f"Calls when the modes of the runs are unknown, too: {_by_endpoint(result['calls_without_modes'])}.",
        "",
        "While all upstream services hang, a request with a stale copy takes",
        f"{silent['candidate']['p50']} ms (p50; {silent['ratio']} floors), {silent['slowest']} ms at worst;",
        f"{silent['slower_than_half_a_second']} requests waited before the circuit opened. A request without a copy is",
        f"answered with {unknown['status']} ``{unknown['code']}``: the first after {unknown['first']} ms,"
        f" {unknown['p50']} ms (p50) of {unknown['asked']}, {unknown['slowest']} ms at worst.",
        "",
    ]
