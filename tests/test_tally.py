"""The closing line of a proof says what was tried and lost, and never closes with 0 when something failed."""

import os
import subprocess
import sys
from collections import namedtuple
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.tally import KEY, Tally, close

Config = namedtuple("Config", "stash")


class Reporter:
    """As much of pytest's as is asked."""

    def __init__(self, **stats: int) -> None:
        self.stats = {outcome: [object()] * count for outcome, count in stats.items()}
        self.out = StringIO()
        self.looks: dict[str, Any] = {}

    def write_line(self, line: str, **looks: Any) -> None:
        self.out.write(line)
        self.looks = looks


def closed(tally: Tally, **stats: int) -> Reporter:
    config: Any = Config(pytest.Stash())
    config.stash[KEY] = tally
    reporter: Any = Reporter(**stats)
    close(reporter, config)
    return reporter


def a_tally() -> Tally:
    tally = Tally().of("test-something")
    tally.add(learners=1500, kills_of_beat=2)
    tally.lose(wrong_answers=0)
    return tally


def test_what_was_tried_is_said_and_that_nothing_was_lost():
    reporter = closed(a_tally(), passed=3)
    assert reporter.out.getvalue() == (
        "test-something: tried 1,500 learners, 2 kills of beat; lost 0 (0 failed tests, 0 wrong answers)"
    )
    assert reporter.looks["green"]


@pytest.mark.parametrize("outcome", ["failed", "error"])
def test_a_failed_test_is_a_loss(outcome):
    reporter = closed(a_tally(), **{outcome: 1})
    assert reporter.out.getvalue().endswith("; lost 1 (1 failed tests, 0 wrong answers)")
    assert reporter.looks["red"]


def test_what_was_lost_adds_up():
    tally = a_tally()
    tally.lose(wrong_answers=2)
    tally.lose(wrong_answers=1, rows=1)
    assert tally.line(1).endswith("; lost 5 (1 failed tests, 3 wrong answers, 1 rows)")


def test_a_run_that_is_no_proof_says_nothing():
    assert closed(Tally(), failed=1).out.getvalue() == ""


TEST = """
def test_that_fails(request):
    from tests import tally

    tally.of(request.config).of("test-inner").add(things=3)
    assert {lives}
"""


CLOSING = """
def pytest_terminal_summary(terminalreporter, config):
    from tests import tally

    tally.close(terminalreporter, config)
"""


@pytest.mark.parametrize(("lives", "lost"), [(True, "lost 0 (0 failed tests)"), (False, "lost 1 (1 failed tests)")])
def test_a_whole_run_closes_with_what_it_lost(tmp_path, lives, lost):
    (tmp_path / "test_inner.py").write_text(TEST.format(lives=lives))
    (tmp_path / "conftest.py").write_text(CLOSING)
    run = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:django",
        "--rootdir",
        ".",
        "-c",
        "/dev/null",
    ]
    root = Path(__file__).resolve().parents[1]
    heard = subprocess.run(
        [*run, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert f"test-inner: tried 3 things; {lost}" in heard.stdout, heard.stdout + heard.stderr
