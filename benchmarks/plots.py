"""The pictures of docs/benchmarks, with the bars drawn in. Needs matplotlib (requirements/bench.txt)."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl

from benchmarks.bars import COLD_MILLISECONDS, TWO_WORKERS, WARM_FLOORS
from benchmarks.reporting import FOLDER, Row

mpl.use("svg")
# The same figures make the same file; words stay words.
mpl.rcParams |= {"svg.hashsalt": "benchmarks", "svg.fonttype": "none"}

from matplotlib import pyplot as plt  # noqa: E402


def plot_warm(results: Sequence[Row], name: str) -> None:
    """Plot how many floors a warm learner-status takes, by number of intentions."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for color, result in enumerate(results):
        rows = result["learner_status"]
        for number, style in enumerate(("o-", "s--")):
            load = rows[0]["loads"][number]
            ratios = [row["loads"][number]["ratio"] if number else row["ratio"] for row in rows]
            label = f"{result['storage']}, {load['clients']} client{'s' * (load['clients'] > 1)}"
            axes.plot([row["intentions"] for row in rows], ratios, style, color=f"C{color}", label=label)
    axes.plot(list(WARM_FLOORS), list(WARM_FLOORS.values()), "k_", markersize=20, markeredgewidth=2, label="bar")
    axes.axhline(1, color="grey", linewidth=1, linestyle=":", label="floor")
    axes.set(xlabel="intentions", ylabel="floors (p50)", title="learner-status, warm")
    _save(figure, axes, name)


def plot_cold(results: Sequence[Row], name: str) -> None:
    """Plot how long a cold learner-status takes, by number of intentions."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for result in results:
        rows = result["cold"]
        axes.plot([row["intentions"] for row in rows], [row["p50"] for row in rows], "o-", label=result["storage"])
    last = max((result["cold"][-1] for result in results), key=lambda row: float(row["floor_p50"]))
    limit = COLD_MILLISECONDS + last["floor_p50"]
    axes.plot([last["intentions"]], [limit], "k_", markersize=20, markeredgewidth=2, label="bar")
    title = f"learner-status, cold; upstream services answer {results[0]['delay_ms']} ms late"
    axes.set(xlabel="intentions", ylabel="ms (p50)", title=title)
    _save(figure, axes, name)


def plot_storm(runs: Sequence[Row], name: str) -> None:
    """Plot how many learners are enrolled in a second, by number of worker processes."""
    figure, axes = plt.subplots(figsize=(7, 4))
    workers = [run["workers"] for run in runs]
    axes.plot(workers, [run["learners_per_second"] for run in runs], "o-", label="learners a second")
    one = next((run["learners_per_second"] for run in runs if run["workers"] == 1), None)
    if one is not None:
        axes.plot([2], [TWO_WORKERS * one], "k_", markersize=20, markeredgewidth=2, label="bar")
    cores = axes.twinx()
    cores.plot(workers, [run["cores_used"] for run in runs], "s--", color="grey")
    cores.set(ylabel="cores used by the workers (dashed)", ylim=(0, None))
    axes.set(xlabel="worker processes", ylabel="learners a second", title="A login storm", xticks=workers)
    _save(figure, axes, name)


def _save(figure: Any, axes: Any, name: str) -> None:
    axes.set_ylim(0, None)
    axes.legend()
    FOLDER.mkdir(parents=True, exist_ok=True)
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
