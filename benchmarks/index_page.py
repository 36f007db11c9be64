"""docs/benchmarks/index.rst: every bar with what was measured, and where the time goes when one is not met."""

from collections.abc import Sequence

from benchmarks.reporting import Row, as_cell, heading, list_table, made_by, timeline_table

# Bars about the time of a warm request, by the words they begin with, and the profile that belongs to each.
PROFILES = {
    "learner-status warm, 10 ": "10",
    "learner-status warm, 100 ": "100",
}
STALE = "upstream services hang, stale copy: p50"
COLD = "learner-status cold"


def as_page(found: Row) -> str:
    """Return the page, made of bench.json."""
    about, bars = found["about"], found["bars"]
    lines = heading("Benchmarks")
    lines += [
        made_by(about),
        f"The load was {about['load_at_end']} at the end; PostgreSQL {about['postgresql'] or 'unknown'}, Redis"
        f" {about['redis'] or 'unknown'}, SQLite {about['sqlite']}. It took {about['seconds']} s.",
        "",
        "A *bar* is the limit that a figure has to keep; the worst figure counts. Times are compared with a *floor*",
        "that was measured in the same run: an authenticated view on the same server that returns a prepared body.",
        "Counts are exact. ``make bench`` measures the small sizes, ``make bench FULL=1`` all sizes, with more",
        "repetitions.",
        "",
        *_summary(bars, found["failed"]),
        "",
        *list_table(["bar", "what", "measured", "limit", "floor", "result"], [_line(bar) for bar in bars]),
        ".. image:: api.svg",
        "   :alt: P1: how many floors a warm learner-status takes, by number of intentions, with the bars.",
        "",
        ".. image:: api-cold.svg",
        "   :alt: P2: how long a cold learner-status takes, by number of intentions, with the bar.",
        "",
        ".. image:: storm.svg",
        "   :alt: P5: how many learners are enrolled per second, by number of worker processes, with the bar.",
        "",
        *_where_the_time_goes(found),
        *heading("All figures", "-"),
        ".. toctree::",
        "   :glob:",
        "",
        "   *",
    ]
    return "\n".join(lines) + "\n"


def status(bar: Row) -> str:
    """Return the verdict in words."""
    if bar["is_met"] is None:
        return "stated" if bar["figures"] else "not measured"
    return "met" if bar["is_met"] else "**NOT MET**"


def _summary(bars: Sequence[Row], failed: Sequence[str]) -> list[str]:
    judged = [bar for bar in bars if bar["is_met"] is not None]
    missed = [bar for bar in judged if not bar["is_met"]]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} bars are met."]
    if missed:
        lines += ["", "Not met (`why, and what was tried <not-met.rst>`_):", ""]
        lines += [f"* {bar['bar']}: {bar['what']}" for bar in missed]
    if failed:
        lines += ["", f"Not measured, because the benchmark failed: {', '.join(failed)}."]
    return lines


def _line(bar: Row) -> list[object]:
    if not bar["figures"]:
        return [bar["bar"], bar["what"], "", "", "", status(bar)]
    if bar["limit"] is None:
        measured = "; ".join(f"{as_cell(figure['value'])} ({figure['where']})" for figure in bar["figures"])
        return [bar["bar"], bar["what"], measured, "", "", status(bar)]
    measured = f"{as_cell(bar['measured'])} {bar['unit']}".strip() + f" ({bar['where']})"
    sign = "≥" if bar["is_least"] else "≤"
    return [bar["bar"], bar["what"], measured, f"{sign} {as_cell(bar['limit'])}", bar["floor"], status(bar)]


# --- Where the time goes ---------------------------------------------------------------------------------------------


def _where_the_time_goes(found: Row) -> list[str]:
    missed = [bar for bar in found["bars"] if bar["is_met"] is False]
    results = {result["storage"]: result for result in found["rooms"].get("api", {}).get("results", ())}
    lines: list[str] = []
    shown: set[tuple[str, str]] = set()
    for bar in missed:
        size = next((size for words, size in PROFILES.items() if bar["what"].startswith(words)), None)
        if size and (bar["where"], size) not in shown:
            shown.add((bar["where"], size))
            lines += _profile(f"{bar['where']}, {size} intentions", results[bar["where"]]["profiles"][size])
        if bar["what"].startswith(STALE):
            lines += _profile(f"{bar['where']}, stale, 10 intentions", results[bar["where"]]["silent"]["profile"])
        if bar["what"].startswith(COLD):
            lines += heading(f"{bar['where']}, cold, 100 intentions", "~")
            lines += timeline_table(results[bar["where"]]["timeline"])
    if any(bar["bar"] == "portal" for bar in missed):
        lines += heading("A page of the learner portal, cold", "~")
        lines += timeline_table(found["rooms"]["portal"]["timeline"])
    return [*heading("Where the time goes", "-"), *lines] if lines else []


def _profile(title: str, profile: Row) -> list[str]:
    floor, ours = profile["floor"], profile["candidate"]
    packages = [*ours["packages"], *(name for name in floor["packages"] if name not in ours["packages"])]
    return [
        *heading(title, "~"),
        f"Milliseconds of a request under the profiler, which slows small functions down: {ours['ms']} in total, the"
        f" floor {floor['ms']}.",
        "",
        *list_table(
            ["package", "ms of the request", "ms of the floor"],
            [[f"``{name}``", ours["packages"].get(name), floor["packages"].get(name)] for name in packages],
        ),
        "Functions by their own time:",
        "",
        *_functions(ours["by_own_time"]),
        "Functions by their time, including the functions that they call:",
        "",
        *_functions(ours["by_cumulative_time"]),
    ]


def _functions(rows: Sequence[Row]) -> list[str]:
    return list_table(
        ["function", "calls per request", "own ms", "total ms"],
        [[f"``{row['function']}``", row["calls"], row["own_ms"], row["cumulative_ms"]] for row in rows],
    )
