"""How many rows a round of work takes: what keeps it short, and never what only makes it small."""

import pytest

from enterprise_access.lib.work.pace import MIN_BATCH, ROUND_SECONDS, RoundCosts

LIMIT = 100


def sizes(*costs, limit=LIMIT):
    """Return the sizes of rounds that cost so much each and so much for each row."""
    pace, found = RoundCosts(), []
    for of_round, per_row in costs:
        found.append(pace.batch(limit))
        pace.note(rows=found[-1], seconds=of_round + per_row * found[-1])
    return found


def test_the_first_round_takes_what_it_may():
    assert RoundCosts().batch(LIMIT) == LIMIT


@pytest.mark.parametrize("of_round", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("per_row", [0.05, 0.1, 0.2])
def test_rounds_that_are_long_because_of_their_rows_become_short(of_round, per_row):
    for batch in sizes(*[(of_round, per_row)] * 30)[2:]:
        # A little longer now and then, to learn what a row costs.
        assert batch == MIN_BATCH or of_round + per_row * batch <= 1.4 * ROUND_SECONDS


@pytest.mark.parametrize("of_round", [3.0, 7.0, 30.0])
def test_rounds_that_are_long_whatever_their_size_stay_large(of_round):
    """Ten times as many rounds of ten keep everybody waiting ten times as long."""
    found = sizes(*[(of_round, 0.01)] * 60)
    assert sum(found) / len(found) >= 0.9 * LIMIT


def test_a_round_of_one_learner_in_between_changes_little():
    pace = RoundCosts()
    for rows in (100, 1, 100, 1, 100):
        pace.note(rows=rows, seconds=6.0 + 0.02 * rows)
    assert pace.batch(LIMIT) >= LIMIT / 2


def test_a_pace_that_changes_is_followed():
    cheap, dear_rows, dear_rounds = [(0.0, 0.01)] * 20, [(0.0, 1.0)] * 20, [(7.0, 0.01)] * 40
    found = sizes(*cheap, *dear_rows, *dear_rounds)
    assert (found[19], found[39]) == (LIMIT, MIN_BATCH)
    assert found[-5:] == [LIMIT] * 5
