import pytest

from tests.sampling import commit, some

FAULTS = {f"fault {number}": number for number in range(9)}


@pytest.fixture
def tried(monkeypatch):
    """Return a function that says which faults are tried somewhere, at a commit."""

    def tried_at(where, at):
        monkeypatch.setenv("SAMPLE", at)
        commit.cache_clear()
        return some(FAULTS, where, count=2)

    yield tried_at
    commit.cache_clear()


def test_a_commit_tries_the_same_each_time_and_others_elsewhere(tried):
    assert tried("a", "c0ffee") == tried("a", "c0ffee")
    assert len({tuple(tried(where, "c0ffee")) for where in "abcdefgh"}) > 1


def test_in_the_course_of_time_everything_is_tried_everywhere(tried):
    assert set().union(*(tried("a", f"{number:x}") for number in range(60))) == FAULTS.keys()


@pytest.mark.parametrize("count", [0, 9, 10])
def test_all_are_tried_when_none_or_enough_are_asked_for(count):
    assert some(FAULTS, "a", count=count) == FAULTS
