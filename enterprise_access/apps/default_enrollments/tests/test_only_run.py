"""The run that an approval may enroll in: the only open one, or the reason why there is none."""

from datetime import timedelta

import pytest

from enterprise_access.apps.content_metadata.domain import CourseRun
from enterprise_access.apps.default_enrollments.domain.only_run import choose_only_run
from enterprise_access.apps.default_enrollments.tests.cases import COURSE, NOON, OLDER_RUN, ONE_SECOND, RUN, make_course
from enterprise_access.apps.default_enrollments.tests.cases import make_run as any_run
from enterprise_access.apps.subsidy_requests.domain.enrolling import WhyNot

MONTH = timedelta(days=30)


def make_run(key: str = RUN, **facts: object) -> CourseRun:
    return any_run(key, **{"starts_at": NOON, **facts})


def chosen(*runs: CourseRun, key: str = COURSE) -> object:
    found = choose_only_run(make_course(runs=runs), content_key=key, now=NOON, starts_within=MONTH)
    return found.key if isinstance(found, CourseRun) else found


CLOSED = make_run(OLDER_RUN, enrollment_ends_at=NOON - ONE_SECOND)


def test_the_only_open_run_is_chosen_whatever_closed_ones_there_are():
    assert chosen(make_run()) == chosen(CLOSED, make_run()) == chosen(make_run(), CLOSED) == RUN


def test_two_open_runs_are_the_learners_choice():
    assert chosen(make_run(), make_run(OLDER_RUN)) is WhyNot.SEVERAL_OPEN_RUNS


def test_no_run_and_no_open_run_are_the_same():
    assert chosen() is chosen(CLOSED) is WhyNot.NO_OPEN_RUN


def test_a_run_starts_within_the_time_at_the_very_second():
    assert chosen(make_run(starts_at=NOON + MONTH)) == RUN
    assert chosen(make_run(starts_at=NOON + MONTH + ONE_SECOND)) is WhyNot.RUN_STARTS_TOO_LATE
    assert chosen(make_run(starts_at=NOON - MONTH)) == RUN


def test_a_start_that_is_not_known_is_not_soon():
    assert chosen(make_run(starts_at=None)) is WhyNot.RUN_DATES_UNKNOWN


@pytest.mark.parametrize("facts", [{"status": None}, {"has_dates": False}, {"has_dates": False, "status": None}])
def test_beside_a_run_that_may_be_open_nothing_is_certain(facts):
    unsure = make_run(OLDER_RUN, **facts)
    assert chosen(unsure) is chosen(make_run(), unsure) is chosen(unsure, make_run()) is WhyNot.RUN_DATES_UNKNOWN


def test_a_run_without_dates_that_is_closed_in_any_case_does_not_matter():
    closed = make_run(OLDER_RUN, has_dates=False, is_enrollable_snapshot=False)
    assert chosen(make_run(), closed) == RUN
    assert chosen(make_run(), make_run(OLDER_RUN, has_dates=False, status="unpublished")) == RUN
    assert chosen(make_run(), make_run(OLDER_RUN, has_dates=False, ends_at=NOON - ONE_SECOND)) == RUN


def test_a_run_that_is_named_is_the_one_that_counts():
    assert chosen(make_run(), make_run(OLDER_RUN), key=RUN.upper().replace("COURSE-V1", "course-v1")) == RUN
    assert chosen(make_run(), CLOSED, key=OLDER_RUN) is WhyNot.NO_OPEN_RUN
    assert chosen(make_run(), key=OLDER_RUN) is WhyNot.NO_OPEN_RUN
