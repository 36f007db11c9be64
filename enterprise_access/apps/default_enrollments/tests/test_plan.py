"""Several intentions of one learner, decided together."""

import pytest

from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.values import Case, Reason, Rule, Verdict
from enterprise_access.apps.default_enrollments.tests.cases import (
    NOON,
    OLDER_RUN,
    ONE_SECOND,
    OTHER_COURSE,
    RUN,
    RUN_OF_OTHER_COURSE,
    enrolled,
    left,
    make_case,
    make_resolved,
    make_run,
    make_run_case,
    unresolved,
)


def rules_of(**cases: Case) -> dict[str, Rule]:
    return {name: verdict.rule for name, verdict in decide_all(cases, now=NOON).items()}


def run_case_of_other_course() -> Case:
    return make_run_case(content_key=RUN_OF_OTHER_COURSE, course_key=OTHER_COURSE, run=make_run(RUN_OF_OTHER_COURSE))


def test_a_run_intention_that_enrolls_covers_the_course():
    assert rules_of(course=make_case(), run=make_run_case()) == {"course": Rule.D6, "run": Rule.D17}


def test_the_order_of_the_intentions_does_not_matter_and_is_kept():
    for names in (("course", "run"), ("run", "course")):
        cases = {"course": make_case(), "run": make_run_case()}
        verdicts = decide_all({name: cases[name] for name in names}, now=NOON)
        assert tuple(verdicts) == names
        assert verdicts["course"].rule is Rule.D6


def test_a_run_intention_that_upgrades_covers_the_course():
    rows = (enrolled("audit"),)
    rules = rules_of(course=make_case(enrollments=rows), run=make_run_case(enrollments=rows))
    assert rules == {"course": Rule.D6, "run": Rule.D16}


def test_a_run_intention_that_is_served_leaves_the_course_served_too():
    rows = (enrolled(),)
    rules = rules_of(course=make_case(enrollments=rows), run=make_run_case(enrollments=rows))
    assert rules == {"course": Rule.D1, "run": Rule.D1}


def test_a_run_intention_that_is_served_in_audit_covers_the_course():
    facts = {"enrollments": (enrolled("audit"),), "modes": {"audit": None}}
    rules = rules_of(course=make_case(**facts), run=make_run_case(**facts))
    assert rules == {"course": Rule.D6, "run": Rule.D9}


def test_a_run_intention_that_is_skipped_covers_nothing():
    run = make_run_case(content_key=OLDER_RUN, run=make_run(OLDER_RUN, status="unpublished"))
    assert rules_of(course=make_case(), run=run) == {"course": Rule.D17, "run": Rule.D12}


def test_a_run_intention_of_another_course_covers_nothing():
    rules = rules_of(course=make_case(), run=run_case_of_other_course())
    assert rules == {"course": Rule.D17, "run": Rule.D17}


def test_a_run_of_the_course_that_is_not_the_advertised_one_covers_it():
    run = make_run_case(content_key=OLDER_RUN, run=make_run(OLDER_RUN))
    assert rules_of(course=make_case(), run=run)["course"] is Rule.D6


def test_a_run_is_of_the_course_whatever_the_case_of_the_keys():
    run = make_run_case(content_key=RUN.upper())
    assert rules_of(course=make_case(content_key="EDX+DEMOX", resolution=unresolved()), run=run)["course"] is Rule.D6


def test_run_intentions_do_not_cover_one_another():
    older = make_run_case(content_key=OLDER_RUN, run=make_run(OLDER_RUN))
    assert rules_of(one=make_run_case(), other=older) == {"one": Rule.D17, "other": Rule.D17}


def test_a_leaver_is_not_enrolled_again_because_of_cover():
    rows = (left(),)
    rules = rules_of(course=make_case(enrollments=rows), run=make_run_case(enrollments=rows))
    assert rules == {"course": Rule.D5, "run": Rule.D5}


def test_cover_that_the_caller_knows_of_is_kept():
    assert rules_of(course=make_case(is_covered_in_plan=True))["course"] is Rule.D6


def test_a_run_that_is_listed_under_the_course_only_covers_it():
    foreign = make_run("course-v1:edX+Renamed+2024")
    course = make_case(resolution=make_resolved(make_run(), runs=(make_run(), foreign)))
    run = make_run_case(content_key=foreign.key, resolution=make_resolved(foreign, runs=(make_run(), foreign)))
    assert rules_of(course=course, run=run)["course"] is Rule.D6


def test_a_run_that_says_itself_of_which_course_it_is_covers_it():
    renamed = make_run("course-v1:edX+Renamed+2024")
    run = make_run_case(content_key=renamed.key, run=renamed)
    assert rules_of(course=make_case(), run=run)["course"] is Rule.D6


@pytest.mark.parametrize("make", [make_case, make_run_case])
def test_every_intention_is_decided_for_the_instant_that_was_asked_for(make):
    case = make(run=make_run(enrollment_starts_at=NOON))
    [before] = decide_all({"one": case}, now=NOON - ONE_SECOND).values()
    [then] = decide_all({"one": case}, now=NOON).values()
    assert (before.rule, then.rule) == (Rule.D12, Rule.D17)


class TestVerdictsGivenBefore:
    """What was decided of the very same case is not decided again."""

    # Not what the rules say of these cases, so that one sees whose word it is.
    GIVEN = Verdict.none(Rule.D1, Reason.ENROLLED)
    SKIPPED = Verdict.skip(Rule.D13, Reason.INVITATION_ONLY)

    @pytest.mark.parametrize("case", [make_case(), make_run_case()], ids=["course", "run"])
    def test_is_taken_for_what_it_is(self, case):
        assert decide_all({"one": case}, now=NOON, decided={"one": self.GIVEN}) == {"one": self.GIVEN}

    @pytest.mark.parametrize("case", [make_case(), make_run_case()], ids=["course", "run"])
    def test_is_taken_for_its_own_intention_only(self, case):
        verdicts = decide_all({"one": case}, now=NOON, decided={"other": self.GIVEN})
        assert verdicts["one"].rule is Rule.D17

    def test_of_a_run_says_whether_it_covers_the_course(self):
        cases = {"course": make_case(), "run": make_run_case()}
        assert decide_all(cases, now=NOON, decided={"run": self.GIVEN})["course"].rule is Rule.D6
        assert decide_all(cases, now=NOON, decided={"run": self.SKIPPED})["course"].rule is Rule.D17

    def test_of_a_course_does_not_count_once_a_run_covers_it(self):
        cases = {"course": make_case(), "run": make_run_case()}
        assert decide_all(cases, now=NOON, decided={"course": self.GIVEN})["course"].rule is Rule.D6


def test_no_intentions_are_no_verdicts():
    assert rules_of() == {}
