"""What a run has tried, and what was lost: one closing line for each of the proofs (`make test-chaos` and its kin).

A test says what it has tried with the `tally` fixture, and how much of it was lost before it asserts that nothing was;
the line is printed at the end of the run, whether the test passed or not. A failed test is a loss of its own, so that
a proof that broke off never closes with 0.
"""

from collections import Counter

import attrs
import pytest

KEY: pytest.StashKey["Tally"] = pytest.StashKey()


@attrs.define
class Tally:
    """What was tried and what was lost, by the words that the closing line has for it."""

    proof: str = ""
    tried: Counter[str] = attrs.field(factory=Counter)
    lost: Counter[str] = attrs.field(factory=Counter)

    def of(self, proof: str) -> "Tally":
        """Say which proof this run is, by the name of its target."""
        self.proof = proof
        return self

    def add(self, **tried: int) -> None:
        """Count what was tried, as in `add(learners=500, kills_of_beat=2)`."""
        self.tried.update({_words(name): count for name, count in tried.items()})

    def lose(self, **lost: int) -> None:
        """Count what was lost, or done twice; 0 is worth saying, since it says that somebody looked."""
        for name, count in lost.items():
            self.lost[_words(name)] += count

    def line(self, failed: int) -> str:
        """Return the closing line."""
        tried = ", ".join(f"{count:,} {name}" for name, count in self.tried.items())
        lost = ", ".join(f"{count:,} {name}" for name, count in ({"failed tests": failed} | self.lost).items())
        return f"{self.proof}: tried {tried}; lost {failed + sum(self.lost.values()):,} ({lost})"


def _words(name: str) -> str:
    return name.replace("_", " ")


def of(config: pytest.Config) -> Tally:
    """Return the tally of this run."""
    return config.stash.setdefault(KEY, Tally())


def close(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the closing line of a run that was a proof."""
    tally = of(config)
    if tally.tried:
        failed = sum(len(reporter.stats.get(outcome, ())) for outcome in ("failed", "error"))
        reporter.write_line(tally.line(failed), bold=True, red=bool(failed), green=not failed)
