"""Decisions that need not be made again: for how long a verdict holds."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.remembering import decide_for_a_while
from enterprise_access.apps.default_enrollments.domain.values import Case, Reason
from enterprise_access.apps.default_enrollments.tests.cases import (
    NOON,
    OLDER_RUN,
    ONE_DAY,
    ONE_SECOND,
    make_case,
    make_resolved,
    make_run,
    realized,
)
from enterprise_access.apps.default_enrollments.tests.test_decision_properties import cases

moments = st.builds(
    lambda days, seconds: NOON + days * ONE_DAY + timedelta(seconds=seconds),
    st.integers(min_value=-2, max_value=2),
    st.sampled_from([-1.5, -1, -0.5, 0, 0.5, 1, 1.5]),
)


@given(case=cases(), now=moments, later=moments)
def test_what_is_remembered_is_what_would_be_decided_now(case: Case, now: datetime, later: datetime):
    decided = decide_for_a_while(case, now=now)
    assert decided.verdict == decide(case, now=now)
    if decided.holds_at(later):
        assert decided.verdict == decide(case, now=later)


def test_a_verdict_holds_until_enrollment_closes_and_not_at_that_very_moment():
    case = make_case(run=make_run(enrollment_ends_at=NOON))
    decided = decide_for_a_while(case, now=NOON - ONE_DAY)
    assert decided.holds_at(NOON - ONE_SECOND)
    assert not decided.holds_at(NOON)
    assert decide(case, now=NOON + ONE_SECOND).reason is Reason.ENROLLMENT_CLOSED


def test_at_the_moment_of_a_change_nothing_is_remembered():
    assert not decide_for_a_while(make_case(run=make_run(enrollment_ends_at=NOON)), now=NOON).holds_at(NOON)


def test_a_verdict_that_no_instant_can_change_holds_for_good():
    case = evolve(make_case(), is_linked=False)
    assert decide_for_a_while(case, now=NOON).holds_at(NOON + 10_000 * ONE_DAY)


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_verdict_is_that_of_the_instant_it_was_made_and_holds_then(seconds):
    case = make_case(run=make_run(enrollment_ends_at=NOON, ends_at=NOON + ONE_DAY))
    now = NOON + seconds * ONE_SECOND
    decided = decide_for_a_while(case, now=now)
    assert decided.verdict == decide(case, now=now)
    assert decided.holds_at(now) == (now != NOON)


def test_an_instant_that_has_passed_ends_nothing():
    case = make_case(run=make_run(enrollment_starts_at=NOON - ONE_SECOND, enrollment_ends_at=NOON + ONE_DAY))
    assert decide_for_a_while(case, now=NOON).until == NOON + ONE_DAY


@pytest.mark.parametrize(
    "facts",
    [
        {"modes": {"audit": None, "verified": NOON}},
        {"run": make_run(upgrade_deadlines={"verified": NOON})},
        {"resolution": make_resolved(runs=(make_run(), make_run(OLDER_RUN, ends_at=NOON)))},
        {"realizations": (realized(), realized(OLDER_RUN, left_at=NOON))},
    ],
    ids=["of a mode", "of a seat", "of another run", "of a realization"],
)
def test_an_instant_anywhere_in_the_case_ends_it(facts):
    assert decide_for_a_while(make_case(**facts), now=NOON - ONE_DAY).until == NOON


def test_a_clock_that_is_put_back_is_not_believed_to_have_seen_the_future():
    decided = decide_for_a_while(make_case(run=make_run(enrollment_starts_at=NOON)), now=NOON + ONE_SECOND)
    assert not decided.holds_at(NOON - ONE_SECOND)
