import pytest

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.apart import MAX_CALLS, read_apart

A_500 = UpstreamUnavailable("no", service="lms", reason=UpstreamReason.SERVER_ERROR, status=500)
ODD = UpstreamChanged("no", service="lms", reason=UpstreamReason.UNKNOWN_SHAPE)
LATE = UpstreamUnavailable("no", service="lms", reason=UpstreamReason.TIMEOUT)


class Service:
    """Answers with the keys, and fails whenever one of the `culprits` is among them."""

    def __init__(self, *culprits, error=A_500):
        self.culprits, self.error, self.asked = set(culprits), error, []

    def __call__(self, keys):
        self.asked.append(list(keys))
        if self.culprits.intersection(keys):
            raise self.error
        return Rows(keys)


def unknown(answer):
    return {row.key for row in answer.unreadable}


@pytest.mark.parametrize("error", [A_500, ODD])
@pytest.mark.parametrize("culprits", [(0,), (99,), (40,), (3, 77)])
def test_whoever_makes_a_question_about_many_fail_stands_alone(culprits, error):
    service = Service(*culprits, error=error)
    answer = read_apart(range(100), service, call="GET /them/")
    assert sorted(answer) == [key for key in range(100) if key not in culprits]
    assert unknown(answer) == set(culprits)
    assert len(service.asked) <= MAX_CALLS


def test_answers_come_between_the_failures_of_one_culprit():
    failed = []

    def ask(keys):
        failed.append(57 in keys)
        if 57 in keys:
            raise A_500
        return Rows(keys)

    read_apart(range(100), ask, call="GET /them/")
    longest = max(len(run) for run in "".join("x" if each else " " for each in failed).split())
    assert longest <= 3


def test_a_service_that_answers_nothing_is_not_asked_for_each_key():
    service = Service(*range(100))
    with pytest.raises(UpstreamUnavailable):
        read_apart(range(100), service, call="GET /them/")
    assert len(service.asked) == 7


@pytest.mark.parametrize("status", [502, 503, 504, 429])
def test_a_failure_that_is_nobodys_own_is_not_taken_apart(status):
    service = Service(
        1, error=UpstreamUnavailable("no", service="lms", reason=UpstreamReason.SERVER_ERROR, status=status)
    )
    with pytest.raises(UpstreamUnavailable):
        read_apart(range(100), service, call="GET /them/")
    assert len(service.asked) == 1


def test_when_time_is_up_the_rest_is_unknown_and_what_was_answered_stays():
    def ask(keys):
        if len(keys) == 4:
            raise A_500
        if 2 in keys:
            raise LATE
        return Rows(keys)

    answer = read_apart(range(4), ask, call="GET /them/")
    assert (list(answer), unknown(answer)) == ([0, 1], {2, 3})


def test_an_empty_question_is_asked_once():
    service = Service()
    assert read_apart([], service, call="GET /them/") == ()
