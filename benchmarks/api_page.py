"""docs/benchmarks/api.rst."""

from collections.abc import Sequence

from benchmarks.reporting import Row, heading, list_table, made_by


def as_page(about: Row, results: Sequence[Row]) -> str:
    lines = heading("The API: figures")
    lines += [
        made_by(about),
        f"Server: {about['server']}; {about['repeat']} repetitions. The floor is an authenticated view on the same",
        "server that returns the same body, prepared, through the same renderer; both are measured in turns, so that",
        "the ratio holds on a busy machine. Times are milliseconds, network and token included. Statements are all of",
        "the request's, the caller's own included; those of a cache that lives in a database stand apart.",
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
            ["", "bytes", "statements (cache)", "upstream calls", "floor p50 / p95", "ours p50 / p95", "ratio"],
            [_warm("learner-status", row) for row in result["learner_status"]]
            + [_warm("list", row) for row in result["list"]],
        )
        lines += ["Warm, without a pause between requests:", ""]
        lines += list_table(
            ["", "clients", "a second: floor / ours", "floor p50 / p95", "ours p50 / p95", "ratio"],
            [
                _load(f"{kind}, {row['intentions']}", load)
                for kind, rows in (("learner-status", result["learner_status"]), ("list", result["list"]))
                for row in rows
                for load in row["loads"]
            ],
        )
        lines += [f"Cold, with neighbours that answer {result['delay_ms']} ms late:", ""]
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
        f"Upstream calls when many ask at once for what nobody knows, {asked[0]['intentions']} intentions: {burst}.",
        f"When nobody knows the modes of the runs either: {_by_endpoint(result['calls_without_modes'])}.",
        "",
        "While every neighbour hangs, what has a stale copy is answered in",
        f"{silent['candidate']['p50']} ms (p50; {silent['ratio']} floors), {silent['slowest']} ms at worst;",
        f"{silent['slower_than_half_a_second']} requests waited before the breaker opened. What nobody knows is",
        f"answered with {unknown['status']} ``{unknown['code']}`` after {unknown['first']} ms at first,"
        f" {unknown['p50']} ms (p50) of {unknown['asked']}, {unknown['slowest']} ms at worst.",
        "",
    ]
