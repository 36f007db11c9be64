"""The rules of the decision, one by one, and their order."""

from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from enterprise_access.apps.content_metadata.domain import Resolved, UnresolvedReason
from enterprise_access.apps.default_enrollments.domain.case_view import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.decision import blocking_reasons, decide
from enterprise_access.apps.default_enrollments.domain.values import Bucket, Case, Reason, Rule, Verdict, VerdictKind
from enterprise_access.apps.default_enrollments.tests.cases import (
    AUDIT_ONLY,
    COURSE,
    NOON,
    OLDER_RUN,
    ONE_DAY,
    ONE_SECOND,
    OTHER_COURSE,
    RUN,
    RUN_OF_OTHER_COURSE,
    enrolled,
    left,
    make_case,
    make_course,
    make_resolved,
    make_run,
    make_run_case,
    realized,
    unknown,
    unresolved,
)
from enterprise_access.lib.keys import fold

LOUD_RUN = RUN.upper()
Facts = dict[str, Any]


def verdict_on(case: Case | None = None, **facts: Any) -> Verdict:
    return decide(case or make_case(**facts), now=NOON)


def answer(case: Case | None = None, **facts: Any) -> tuple[Rule, Reason]:
    verdict = verdict_on(case, **facts)
    return verdict.rule, verdict.reason


class TestShape:
    """What a verdict of each kind looks like."""

    def test_enroll(self):
        assert verdict_on() == Verdict(
            rule=Rule.D17,
            kind=VerdictKind.ENROLL,
            reason=Reason.NEEDS_ENROLLMENT,
            bucket=Bucket.ENROLLABLE,
            mode="verified",
        )

    def test_upgrade(self):
        assert verdict_on(enrollments=(enrolled("audit"),)) == Verdict(
            rule=Rule.D16,
            kind=VerdictKind.UPGRADE,
            reason=Reason.NEEDS_UPGRADE,
            bucket=Bucket.ENROLLABLE,
            mode="verified",
        )

    def test_none(self):
        verdict = verdict_on(enrollments=(enrolled(),))
        assert (verdict.kind, verdict.bucket, verdict.mode) == (VerdictKind.NONE, Bucket.ALREADY_ENROLLED, None)

    def test_skip(self):
        verdict = verdict_on(catalogs=())
        assert (verdict.kind, verdict.bucket, verdict.mode) == (VerdictKind.SKIP, Bucket.NOT_ENROLLABLE, None)

    def test_only_enroll_and_upgrade_are_to_do(self):
        assert verdict_on().is_to_do
        assert verdict_on(enrollments=(enrolled("audit"),)).is_to_do
        assert not verdict_on(enrollments=(enrolled(),)).is_to_do
        assert not verdict_on(catalogs=()).is_to_do

    def test_only_a_skip_is_a_skip(self):
        assert verdict_on(catalogs=()).is_skip
        assert not verdict_on(enrollments=(enrolled(),)).is_skip


class TestD0:
    """Nobody to enroll."""

    def test_customer_switched_off(self):
        assert answer(is_customer_active=False) == (Rule.D0, Reason.CUSTOMER_INACTIVE)

    def test_learner_not_linked(self):
        assert answer(is_linked=False) == (Rule.D0, Reason.LEARNER_NOT_LINKED)

    def test_the_customer_is_named_before_the_learner(self):
        assert answer(is_customer_active=False, is_linked=False) == (Rule.D0, Reason.CUSTOMER_INACTIVE)

    def test_comes_before_an_enrollment(self):
        assert answer(is_linked=False, enrollments=(enrolled(),)) == (Rule.D0, Reason.LEARNER_NOT_LINKED)


class TestD1:
    """An active paid enrollment in scope."""

    @pytest.mark.parametrize("mode", ["verified", "professional", "masters", "credit", "unpaid-executive-education"])
    def test_any_mode_but_audit_and_honor_is_paid(self, mode):
        assert answer(enrollments=(enrolled(mode),)) == (Rule.D1, Reason.ENROLLED)

    @pytest.mark.parametrize("mode", ["audit", "honor"])
    def test_audit_and_honor_are_not(self, mode):
        assert answer(enrollments=(enrolled(mode),))[0] is Rule.D16

    def test_another_run_of_the_course_serves_a_course_intention(self):
        assert answer(enrollments=(enrolled(run_key=OLDER_RUN),)) == (Rule.D1, Reason.ENROLLED)

    def test_another_run_of_the_course_does_not_serve_a_run_intention(self):
        assert answer(make_run_case(enrollments=(enrolled(run_key=OLDER_RUN),)))[0] is Rule.D17

    def test_a_run_of_another_course_serves_nothing(self):
        assert answer(enrollments=(enrolled(run_key=RUN_OF_OTHER_COURSE),))[0] is Rule.D17

    def test_keys_compare_ignoring_case(self):
        assert answer(enrollments=(enrolled(run_key=LOUD_RUN),)) == (Rule.D1, Reason.ENROLLED)
        assert answer(make_run_case(enrollments=(enrolled(run_key=LOUD_RUN),))) == (Rule.D1, Reason.ENROLLED)
        assert answer(make_run_case(content_key=LOUD_RUN, enrollments=(enrolled(),))) == (Rule.D1, Reason.ENROLLED)

    def test_holds_while_nothing_resolves(self):
        assert answer(resolution=unresolved(), enrollments=(enrolled(run_key=OLDER_RUN),)) == (Rule.D1, Reason.ENROLLED)
        case = make_run_case(resolution=unresolved(), enrollments=(enrolled(),))
        assert answer(case) == (Rule.D1, Reason.ENROLLED)

    def test_comes_before_having_left_another_run(self):
        rows = (left(run_key=OLDER_RUN), enrolled())
        assert answer(enrollments=rows, realizations=(realized(OLDER_RUN),)) == (Rule.D1, Reason.ENROLLED)

    def test_comes_before_an_unknown_state_elsewhere(self):
        assert answer(enrollments=(unknown(run_key=OLDER_RUN), enrolled())) == (Rule.D1, Reason.ENROLLED)

    def test_the_revocation_mark_of_an_earlier_time_does_not_matter(self):
        assert answer(enrollments=(enrolled(is_revoked=True),)) == (Rule.D1, Reason.ENROLLED)

    @pytest.mark.parametrize("row", [left(), unknown()])
    def test_an_enrollment_that_is_not_known_as_active_does_not_serve(self, row):
        assert answer(enrollments=(row,))[0] is not Rule.D1


class TestD2:
    """The learner left a realized run of this course."""

    def test_inactive_now(self):
        assert answer(enrollments=(left(),), realizations=(realized(),)) == (Rule.D2, Reason.LEARNER_UNENROLLED)

    def test_inactive_now_and_marked_revoked(self):
        rows = (left(is_revoked=True),)
        assert answer(enrollments=rows, realizations=(realized(),)) == (Rule.D2, Reason.LICENSE_REVOKED)

    def test_inactive_now_and_nobody_knows_why(self):
        rows = (left(is_revoked=None),)
        assert answer(enrollments=rows, realizations=(realized(),)) == (Rule.D2, Reason.ENROLLMENT_ENDED)

    def test_inactive_in_audit_counts_when_we_realized_it(self):
        assert answer(enrollments=(left("audit"),), realizations=(realized(),))[0] is Rule.D2

    def test_left_at_counts_whatever_the_enrollment_looks_like_now(self):
        fact = realized(left_at=NOON - ONE_DAY, left_reason=Reason.LEARNER_UNENROLLED)
        for rows in ((), (enrolled("audit"),), (left("audit"),), (unknown(),)):
            assert answer(enrollments=rows, realizations=(fact,)) == (Rule.D2, Reason.LEARNER_UNENROLLED)

    def test_the_reason_is_the_one_found_at_first_sight(self):
        # The LMS marks a leaver's row revoked, too, sooner or later.
        unenrolled = realized(left_at=NOON - ONE_DAY, left_reason=Reason.LEARNER_UNENROLLED)
        assert answer(enrollments=(left(is_revoked=True),), realizations=(unenrolled,))[1] is Reason.LEARNER_UNENROLLED
        revoked = realized(left_at=NOON - ONE_DAY, left_reason=Reason.LICENSE_REVOKED)
        assert answer(enrollments=(left(),), realizations=(revoked,))[1] is Reason.LICENSE_REVOKED

    def test_a_leaving_without_a_recorded_reason_is_the_learners(self):
        assert answer(realizations=(realized(left_at=NOON),)) == (Rule.D2, Reason.LEARNER_UNENROLLED)

    def test_of_several_reasons_the_learners_own_wins(self):
        revoked = realized(left_at=NOON, left_reason=Reason.LICENSE_REVOKED)
        unenrolled = realized(OLDER_RUN, left_at=NOON, left_reason=Reason.LEARNER_UNENROLLED)
        for facts in ((revoked, unenrolled), (unenrolled, revoked)):
            assert answer(realizations=facts) == (Rule.D2, Reason.LEARNER_UNENROLLED)

    def test_a_reason_as_recorded_and_one_as_seen_now_count_alike(self):
        revoked = realized(left_at=NOON, left_reason=Reason.LICENSE_REVOKED)
        facts: Facts = {"realizations": (revoked, realized(OLDER_RUN)), "enrollments": (left(run_key=OLDER_RUN),)}
        assert answer(**facts) == (Rule.D2, Reason.LEARNER_UNENROLLED)

    def test_all_revoked_is_revoked(self):
        revoked = realized(left_at=NOON, left_reason=Reason.LICENSE_REVOKED)
        rows = (left(run_key=OLDER_RUN, is_revoked=True),)
        assert answer(enrollments=rows, realizations=(revoked, realized(OLDER_RUN)))[1] is Reason.LICENSE_REVOKED

    def test_a_run_that_was_left_says_nothing_about_another_in_which_the_learner_stays(self):
        # The mark of the revocation is gone by now; what was recorded of that run stands, and the other was not left.
        revoked = realized(OLDER_RUN, left_at=NOON, left_reason=Reason.LICENSE_REVOKED)
        rows = (left(run_key=OLDER_RUN), enrolled("audit"))
        assert answer(enrollments=rows, realizations=(revoked, realized())) == (Rule.D2, Reason.LICENSE_REVOKED)

    def test_two_spellings_of_one_run_are_revoked_only_if_both_are(self):
        rows = (left(is_revoked=True), left(run_key=LOUD_RUN))
        assert answer(enrollments=rows, realizations=(realized(),)) == (Rule.D2, Reason.LEARNER_UNENROLLED)

    def test_another_run_than_the_advertised_one(self):
        assert answer(enrollments=(left(run_key=OLDER_RUN),), realizations=(realized(OLDER_RUN),))[0] is Rule.D2

    def test_a_run_intention_looks_at_the_whole_course(self):
        case = make_run_case(enrollments=(left(run_key=OLDER_RUN),), realizations=(realized(OLDER_RUN),))
        assert answer(case)[0] is Rule.D2

    def test_another_intention_realized_it(self):
        facts = (realized(of_this_intention=False, left_at=NOON, left_reason=Reason.LEARNER_UNENROLLED),)
        assert answer(realizations=facts)[0] is Rule.D2
        assert answer(make_run_case(realizations=facts))[0] is Rule.D2

    def test_a_realization_in_another_course_does_not_matter(self):
        facts = (realized(RUN_OF_OTHER_COURSE, course_key=OTHER_COURSE, left_at=NOON),)
        assert answer(realizations=facts)[0] is Rule.D17

    def test_keys_compare_ignoring_case(self):
        facts = (realized(LOUD_RUN, course_key=COURSE.lower()),)
        assert answer(enrollments=(left(),), realizations=facts)[0] is Rule.D2

    def test_holds_while_nothing_resolves(self):
        facts = (realized(OLDER_RUN, left_at=NOON),)
        assert answer(resolution=unresolved(), realizations=facts)[0] is Rule.D2
        assert answer(make_run_case(resolution=unresolved(), realizations=facts))[0] is Rule.D2

    def test_comes_before_an_unknown_state_and_a_missing_row(self):
        facts = (realized(left_at=NOON), realized(OLDER_RUN))
        assert answer(enrollments=(unknown(),), realizations=facts)[0] is Rule.D2

    def test_an_audit_enrollment_that_we_never_made_is_not_leaving(self):
        assert answer(enrollments=(left("audit"),))[0] is Rule.D17

    def test_an_override_lets_one_more_enrollment_through(self):
        facts = (realized(left_at=NOON, left_reason=Reason.LEARNER_UNENROLLED),)
        for rows in ((), (left(),), (left(is_revoked=True),)):
            assert answer(enrollments=rows, realizations=facts, has_override=True)[0] is Rule.D17


class TestD3:
    """The state of an enrollment is unknown."""

    @pytest.mark.parametrize("mode", ["verified", "audit"])
    def test_in_the_resolved_run(self, mode):
        assert answer(enrollments=(unknown(mode),)) == (Rule.D3, Reason.ENROLLMENT_STATE_UNKNOWN)

    def test_in_another_run_of_the_course(self):
        assert answer(enrollments=(unknown(run_key=OLDER_RUN),))[0] is Rule.D3

    def test_outside_the_scope_of_a_run_intention_it_does_not_matter(self):
        assert answer(make_run_case(enrollments=(unknown(run_key=OLDER_RUN),)))[0] is Rule.D17

    def test_in_a_realized_run_outside_the_scope_it_does(self):
        case = make_run_case(enrollments=(unknown(run_key=OLDER_RUN),), realizations=(realized(OLDER_RUN),))
        assert answer(case) == (Rule.D3, Reason.ENROLLMENT_STATE_UNKNOWN)

    def test_in_another_course_it_does_not_matter(self):
        assert answer(enrollments=(unknown(run_key=RUN_OF_OTHER_COURSE),))[0] is Rule.D17

    def test_an_override_does_not_make_it_known(self):
        assert answer(enrollments=(unknown(),), has_override=True)[0] is Rule.D3

    def test_comes_before_a_realized_run_that_is_not_visible(self):
        assert answer(enrollments=(unknown(),), realizations=(realized(OLDER_RUN),))[0] is Rule.D3

    def test_comes_before_a_left_paid_enrollment(self):
        assert answer(enrollments=(unknown(), left(run_key=OLDER_RUN)))[0] is Rule.D3

    def test_comes_before_being_served_in_audit(self):
        assert answer(enrollments=(enrolled("audit"), unknown(run_key=OLDER_RUN)), modes=AUDIT_ONLY)[0] is Rule.D3


class TestD4:
    """A realized run, not known as left, has no visible enrollment."""

    def test_realized_and_gone(self):
        assert answer(realizations=(realized(),)) == (Rule.D4, Reason.ENROLLMENT_NOT_VISIBLE)

    def test_in_another_run_of_the_course(self):
        assert answer(realizations=(realized(OLDER_RUN),))[0] is Rule.D4

    def test_a_run_intention_looks_at_the_whole_course(self):
        facts = (realized(OLDER_RUN, of_this_intention=False),)
        assert answer(make_run_case(realizations=facts))[0] is Rule.D4

    def test_one_of_two_gone_is_enough(self):
        rows, facts = (enrolled("audit"),), (realized(), realized(OLDER_RUN))
        assert answer(enrollments=rows, realizations=facts)[0] is Rule.D4

    def test_a_visible_row_in_another_case_is_visible(self):
        assert answer(enrollments=(enrolled("audit", LOUD_RUN),), realizations=(realized(),))[0] is Rule.D16

    def test_known_as_left_needs_no_row(self):
        assert answer(realizations=(realized(left_at=NOON),), has_override=True)[0] is Rule.D17

    def test_an_override_does_not_make_it_visible(self):
        assert answer(realizations=(realized(),), has_override=True)[0] is Rule.D4

    def test_in_another_course_it_does_not_matter(self):
        facts = (realized(RUN_OF_OTHER_COURSE, course_key=OTHER_COURSE),)
        assert answer(realizations=facts)[0] is Rule.D17

    def test_comes_before_a_left_paid_enrollment_that_we_did_not_make(self):
        assert answer(enrollments=(left(),), realizations=(realized(OLDER_RUN),))[0] is Rule.D4


class TestD5:
    """Another paid enrollment in scope is inactive."""

    def test_left_by_the_learner(self):
        assert answer(enrollments=(left(),)) == (Rule.D5, Reason.LEARNER_UNENROLLED)

    def test_all_revoked(self):
        rows = (left(is_revoked=True), left("professional", OLDER_RUN, is_revoked=True))
        assert answer(enrollments=rows) == (Rule.D5, Reason.LICENSE_REVOKED)

    def test_not_all_revoked(self):
        rows = (left(is_revoked=True), left(run_key=OLDER_RUN))
        assert answer(enrollments=rows) == (Rule.D5, Reason.LEARNER_UNENROLLED)

    def test_a_left_audit_enrollment_does_not_count_among_them(self):
        rows = (left(is_revoked=True), left("audit", OLDER_RUN))
        assert answer(enrollments=rows) == (Rule.D5, Reason.LICENSE_REVOKED)

    def test_in_another_run_of_the_course(self):
        assert answer(enrollments=(left(run_key=OLDER_RUN),))[0] is Rule.D5

    def test_outside_the_scope_of_a_run_intention_it_does_not_matter(self):
        assert answer(make_run_case(enrollments=(left(run_key=OLDER_RUN),)))[0] is Rule.D17

    def test_back_in_audit_by_themselves_is_still_having_left(self):
        assert answer(enrollments=(left(run_key=OLDER_RUN), enrolled("audit")))[0] is Rule.D5

    def test_holds_while_nothing_resolves(self):
        assert answer(resolution=unresolved(), enrollments=(left(),))[0] is Rule.D5

    def test_an_override_lets_one_more_enrollment_through(self):
        assert answer(enrollments=(left(),), has_override=True)[0] is Rule.D17


class TestD6:
    """A run intention of the same course serves the learner in this plan."""

    def test_a_course_intention_steps_back(self):
        assert answer(is_covered_in_plan=True) == (Rule.D6, Reason.COVERED_BY_OTHER_INTENTION)

    def test_a_run_intention_does_not(self):
        assert answer(make_run_case(is_covered_in_plan=True))[0] is Rule.D17

    def test_comes_after_leaving(self):
        assert answer(is_covered_in_plan=True, enrollments=(left(),))[0] is Rule.D5

    def test_comes_before_being_realized_earlier(self):
        facts: Facts = {"enrollments": (enrolled("audit", OLDER_RUN),), "realizations": (realized(OLDER_RUN),)}
        assert answer(is_covered_in_plan=True, **facts)[0] is Rule.D6


class TestD7:
    """Realized and still there in audit, in another run than the resolved one."""

    @pytest.mark.parametrize("mode", ["audit", "honor"])
    def test_in_another_run(self, mode):
        facts: Facts = {"enrollments": (enrolled(mode, OLDER_RUN),), "realizations": (realized(OLDER_RUN),)}
        assert answer(**facts) == (Rule.D7, Reason.REALIZED_EARLIER)

    def test_by_another_intention(self):
        facts = (realized(OLDER_RUN, of_this_intention=False),)
        assert answer(enrollments=(enrolled("audit", OLDER_RUN),), realizations=facts)[0] is Rule.D7

    def test_while_nothing_resolves(self):
        facts: Facts = {"enrollments": (enrolled("audit"),), "realizations": (realized(),)}
        assert answer(resolution=unresolved(), **facts) == (Rule.D7, Reason.REALIZED_EARLIER)
        assert answer(make_run_case(resolution=unresolved(), **facts)) == (Rule.D7, Reason.REALIZED_EARLIER)

    def test_in_the_resolved_run_it_is_to_be_upgraded(self):
        facts: Facts = {"enrollments": (enrolled("audit", LOUD_RUN),), "realizations": (realized(),)}
        assert answer(**facts)[0] is Rule.D16

    def test_not_realized_by_us_it_does_not_serve(self):
        assert answer(enrollments=(enrolled("audit", OLDER_RUN),))[0] is Rule.D17

    def test_outside_the_scope_of_a_run_intention_it_does_not_serve(self):
        facts: Facts = {"enrollments": (enrolled("audit", OLDER_RUN),), "realizations": (realized(OLDER_RUN),)}
        assert answer(make_run_case(**facts))[0] is Rule.D17


class TestD8:
    """The key does not resolve."""

    @pytest.mark.parametrize("reason", list(UnresolvedReason))
    def test_says_why(self, reason):
        assert answer(resolution=unresolved(reason)) == (Rule.D8, Reason(reason.value))

    def test_an_audit_enrollment_that_we_did_not_make_does_not_serve(self):
        assert answer(resolution=unresolved(), enrollments=(enrolled("audit"),))[0] is Rule.D8

    def test_comes_before_being_in_audit_only(self):
        facts: Facts = {"modes": AUDIT_ONLY, "enrollments": (enrolled("audit"),)}
        assert answer(resolution=unresolved(), **facts)[0] is Rule.D8


class TestD9:
    """Active in audit, and nothing better would be picked."""

    def test_audit_only(self):
        facts: Facts = {"modes": AUDIT_ONLY, "enrollments": (enrolled("audit"),)}
        assert answer(**facts) == (Rule.D9, Reason.ENROLLED_IN_AUDIT_ONLY_RUN)

    @pytest.mark.parametrize("modes", [{}, {"honor": None}, {"masters": None}, {"audit": NOON - ONE_DAY}])
    def test_whenever_the_lms_would_pick_audit_or_honor(self, modes):
        assert answer(modes=modes, enrollments=(enrolled("honor"),))[0] is Rule.D9

    def test_not_when_a_paid_mode_would_be_picked_even_an_expired_one(self):
        modes = {"audit": None, "verified": NOON - ONE_DAY}
        assert answer(modes=modes, enrollments=(enrolled("audit"),)) == (Rule.D14, Reason.MODE_EXPIRED)

    def test_not_when_modes_are_unknown(self):
        assert answer(modes=None, enrollments=(enrolled("audit"),)) == (Rule.D14, Reason.MODES_UNAVAILABLE)

    def test_not_for_another_run(self):
        assert answer(modes=AUDIT_ONLY, enrollments=(enrolled("audit", OLDER_RUN),))[0] is Rule.D17

    def test_not_for_one_that_was_left(self):
        assert answer(modes=AUDIT_ONLY, enrollments=(left("audit"),))[0] is Rule.D17

    def test_comes_before_catalogs_and_dates(self):
        facts: Facts = {"modes": AUDIT_ONLY, "enrollments": (enrolled("audit"),), "catalogs": None}
        assert answer(run=make_run(ends_at=NOON - ONE_DAY), **facts)[0] is Rule.D9


class TestD10:
    """In no catalog of the customer, or nobody could say."""

    def test_none(self):
        assert answer(catalogs=()) == (Rule.D10, Reason.NOT_IN_CUSTOMER_CATALOGS)

    def test_unknown_is_not_none(self):
        assert answer(catalogs=None) == (Rule.D10, Reason.CATALOG_UNAVAILABLE)

    def test_concerns_an_upgrade_too(self):
        assert answer(catalogs=(), enrollments=(enrolled("audit"),))[0] is Rule.D10

    @pytest.mark.parametrize("catalogs", [(), None])
    def test_comes_before_executive_education(self, catalogs):
        resolution = make_resolved(course_type="executive-education-2u")
        assert answer(resolution=resolution, catalogs=catalogs)[0] is Rule.D10


class TestD11:
    """Executive education."""

    def test_needs_the_learner(self):
        resolution = make_resolved(course_type="executive-education-2u")
        assert answer(resolution=resolution) == (Rule.D11, Reason.NEEDS_LEARNER_INPUT)

    def test_comes_before_the_dates(self):
        resolution = make_resolved(make_run(status="unpublished"), course_type="executive-education-2u")
        assert answer(resolution=resolution)[0] is Rule.D11


class TestD12:
    """The run is not open at this instant."""

    @pytest.mark.parametrize("status", ["unpublished", "reviewed", "review_by_legal", "archived", None])
    def test_not_published(self, status):
        assert answer(run=make_run(status=status)) == (Rule.D12, Reason.RUN_NOT_PUBLISHED)

    def test_opens_in_a_second(self):
        run = make_run(enrollment_starts_at=NOON + ONE_SECOND)
        assert answer(run=run) == (Rule.D12, Reason.ENROLLMENT_NOT_OPEN)

    def test_opens_now(self):
        assert answer(run=make_run(enrollment_starts_at=NOON))[0] is Rule.D17

    def test_closed_a_second_ago(self):
        run = make_run(enrollment_ends_at=NOON - ONE_SECOND)
        assert answer(run=run) == (Rule.D12, Reason.ENROLLMENT_CLOSED)

    def test_closes_now(self):
        assert answer(run=make_run(enrollment_ends_at=NOON))[0] is Rule.D17

    def test_ended_a_second_ago(self):
        assert answer(run=make_run(ends_at=NOON - ONE_SECOND)) == (Rule.D12, Reason.RUN_ENDED)

    def test_ends_now(self):
        assert answer(run=make_run(ends_at=NOON))[0] is Rule.D17

    def test_no_dates_are_no_limit(self):
        assert answer(run=make_run())[0] is Rule.D17

    def test_a_run_that_has_not_started_is_open(self):
        assert answer(run=make_run(starts_at=NOON + ONE_DAY))[0] is Rule.D17

    def test_the_reasons_come_in_this_order(self):
        facts: Facts = {
            "status": "reviewed",
            "enrollment_starts_at": NOON + ONE_DAY,
            "enrollment_ends_at": NOON - ONE_DAY,
            "ends_at": NOON - ONE_DAY,
        }
        reasons = []
        for undone in ("nothing", "status", "enrollment_starts_at", "enrollment_ends_at"):
            facts.pop(undone, None)
            reasons.append(answer(run=make_run(**facts))[1])
        assert reasons == [
            Reason.RUN_NOT_PUBLISHED,
            Reason.ENROLLMENT_NOT_OPEN,
            Reason.ENROLLMENT_CLOSED,
            Reason.RUN_ENDED,
        ]

    def test_the_snapshot_does_not_count_when_there_are_dates(self):
        assert answer(run=make_run(has_dates=True, is_enrollable_snapshot=False))[0] is Rule.D17

    def test_the_snapshot_counts_when_the_dates_are_missing(self):
        run = make_run(has_dates=False, is_enrollable_snapshot=False)
        assert answer(run=run) == (Rule.D12, Reason.ENROLLMENT_CLOSED)

    @pytest.mark.parametrize("snapshot", [True, None])
    def test_a_snapshot_that_does_not_say_no_closes_nothing(self, snapshot):
        assert answer(run=make_run(has_dates=False, is_enrollable_snapshot=snapshot))[0] is Rule.D17

    def test_a_snapshot_that_says_yes_does_not_revive_an_ended_run(self):
        run = make_run(has_dates=False, is_enrollable_snapshot=True, ends_at=NOON - ONE_DAY)
        assert answer(run=run) == (Rule.D12, Reason.RUN_ENDED)

    def test_concerns_an_upgrade_too(self):
        run = make_run(enrollment_ends_at=NOON - ONE_DAY)
        assert answer(run=run, enrollments=(enrolled("audit"),))[0] is Rule.D12

    def test_an_override_opens_no_closed_run(self):
        run = make_run(enrollment_ends_at=NOON - ONE_DAY)
        assert answer(run=run, has_override=True)[0] is Rule.D12


class TestD13:
    """By invitation only."""

    def test_invitation_only(self):
        assert answer(is_invitation_only=True) == (Rule.D13, Reason.INVITATION_ONLY)

    def test_comes_before_the_modes(self):
        assert answer(is_invitation_only=True, modes=None)[0] is Rule.D13

    def test_comes_after_the_dates(self):
        assert answer(is_invitation_only=True, run=make_run(ends_at=NOON - ONE_DAY))[0] is Rule.D12


class TestD14:
    """The mode that the LMS will pick is not the one to enroll in."""

    def test_modes_could_not_be_asked(self):
        assert answer(modes=None) == (Rule.D14, Reason.MODES_UNAVAILABLE)

    @pytest.mark.parametrize("mode", ["masters", "credit", "executive-education", "unpaid-bootcamp"])
    def test_the_pick_is_not_among_the_modes(self, mode):
        assert answer(modes={mode: None}) == (Rule.D14, Reason.NO_SUBSIDIZABLE_MODE)

    def test_no_modes_at_all_are_audit(self):
        verdict = verdict_on(modes={})
        assert (verdict.rule, verdict.mode) == (Rule.D17, "audit")

    def test_the_pick_expired_a_second_ago(self):
        modes = {"verified": NOON - ONE_SECOND, "audit": None}
        assert answer(modes=modes) == (Rule.D14, Reason.MODE_EXPIRED)

    def test_the_pick_expires_now(self):
        assert verdict_on(modes={"verified": NOON, "audit": None}).mode == "verified"

    def test_the_pick_is_not_what_we_want(self):
        modes = {"audit": None, "unpaid-executive-education": None}
        assert answer(modes=modes) == (Rule.D14, Reason.MODE_MISMATCH)

    def test_an_expired_wanted_mode_makes_no_mismatch(self):
        modes = {"audit": None, "unpaid-executive-education": NOON - ONE_DAY}
        assert verdict_on(modes=modes).mode == "audit"

    @pytest.mark.parametrize(
        "mode", ["verified", "professional", "no-id-professional", "unpaid-executive-education", "audit", "honor"]
    )
    def test_a_run_with_one_mode_enrolls_in_it(self, mode):
        assert verdict_on(modes={mode: None}).mode == mode


class TestD15:
    """Later than the upgrade deadline of the picked seat."""

    def test_a_second_late(self):
        run = make_run(upgrade_deadlines={"verified": NOON - ONE_SECOND})
        assert answer(run=run) == (Rule.D15, Reason.UPGRADE_DEADLINE_PASSED)

    def test_the_last_second(self):
        assert answer(run=make_run(upgrade_deadlines={"verified": NOON}))[0] is Rule.D17

    def test_no_deadline_is_no_limit(self):
        assert answer(run=make_run(upgrade_deadlines={"verified": None}))[0] is Rule.D17

    def test_the_deadline_of_another_seat_does_not_matter(self):
        assert answer(run=make_run(upgrade_deadlines={"professional": NOON - ONE_DAY}))[0] is Rule.D17

    def test_the_deadline_counts_whatever_the_mode(self):
        run = make_run(upgrade_deadlines={"audit": NOON - ONE_DAY})
        assert answer(run=run, modes=AUDIT_ONLY)[0] is Rule.D15

    def test_nothing_is_derived_from_the_end_of_the_run(self):
        assert answer(run=make_run(ends_at=NOON + ONE_DAY))[0] is Rule.D17

    def test_concerns_an_upgrade_too(self):
        run = make_run(upgrade_deadlines={"verified": NOON - ONE_SECOND})
        assert answer(run=run, enrollments=(enrolled("audit"),))[0] is Rule.D15

    def test_comes_after_an_expired_mode(self):
        run = make_run(upgrade_deadlines={"verified": NOON - ONE_DAY})
        assert answer(run=run, modes={"verified": NOON - ONE_DAY})[1] is Reason.MODE_EXPIRED


class TestD16:
    """In the resolved run, in audit, and a paid mode is to be had."""

    @pytest.mark.parametrize("mode", ["audit", "honor"])
    def test_needs_upgrade(self, mode):
        assert answer(enrollments=(enrolled(mode),)) == (Rule.D16, Reason.NEEDS_UPGRADE)

    def test_moved_to_audit_by_a_revocation(self):
        facts: Facts = {"enrollments": (enrolled("audit", is_revoked=True),), "realizations": (realized(),)}
        assert answer(**facts) == (Rule.D16, Reason.LICENSE_REVOKED)

    def test_a_run_key_in_another_case_is_the_same_run(self):
        assert answer(enrollments=(enrolled("audit", LOUD_RUN),))[0] is Rule.D16

    def test_a_run_intention_upgrades_too(self):
        assert answer(make_run_case(enrollments=(enrolled("audit"),)))[0] is Rule.D16


class TestD17:
    """Otherwise."""

    def test_a_new_learner_is_enrolled(self):
        assert answer() == (Rule.D17, Reason.NEEDS_ENROLLMENT)
        assert answer(make_run_case()) == (Rule.D17, Reason.NEEDS_ENROLLMENT)

    def test_in_audit_in_another_run_by_themselves(self):
        assert answer(enrollments=(enrolled("audit", OLDER_RUN),))[0] is Rule.D17

    def test_an_audit_only_run_is_enrolled_in_audit(self):
        assert verdict_on(modes=AUDIT_ONLY).mode == "audit"


class TestBelonging:
    """A row belongs by the course's current runs, by the id or key that is stored with it, or else by its run key."""

    FOREIGN_RUN = "course-v1:edX+Renamed+2024"

    def belongs(
        self,
        *,
        course_key: str | None = None,
        run_key: str = FOREIGN_RUN,
        course_uuid: UUID | None = None,
        **facts: Any,
    ) -> bool:
        return belongs_to_course(
            make_case(**facts), course_key=course_key, course_run_key=run_key, course_uuid=course_uuid
        )

    def test_by_the_stored_course_key(self):
        assert self.belongs(course_key=COURSE)
        assert self.belongs(course_key=" edx+DEMOX ")

    def test_the_catalogs_evidence_wins_over_a_stored_course_key(self):
        assert self.belongs(course_key=OTHER_COURSE, known_run_keys=frozenset({self.FOREIGN_RUN}))
        renamed = make_resolved(make_run(), uuid=UUID(int=7))
        assert self.belongs(course_key=OTHER_COURSE, course_uuid=UUID(int=7), resolution=renamed)
        assert not self.belongs(course_key=OTHER_COURSE, course_uuid=UUID(int=8), resolution=renamed)

    def test_a_stored_course_key_wins_over_the_run_key(self):
        assert not self.belongs(course_key=OTHER_COURSE, run_key=OLDER_RUN)

    def test_a_coachs_copy_of_the_course_is_not_the_course(self):
        assert not self.belongs(run_key="ccx-v1:edX+DemoX+2024+ccx@7")

    @pytest.mark.parametrize("stored", [None, ""])
    def test_without_one_by_the_courses_current_runs(self, stored):
        run_keys = frozenset({self.FOREIGN_RUN.upper()})
        assert self.belongs(course_key=stored, known_run_keys=run_keys)

    def test_the_runs_of_the_resolved_course_are_current_runs(self):
        course = make_course(runs=(make_run(), make_run(self.FOREIGN_RUN)))
        assert self.belongs(resolution=make_resolved(make_run(), runs=course.runs))

    def test_else_by_parsing_the_run_key(self):
        assert self.belongs(run_key=OLDER_RUN)
        assert self.belongs(run_key=OLDER_RUN.upper())
        assert not self.belongs()

    def test_a_run_key_that_does_not_parse_belongs_nowhere(self):
        assert not self.belongs(run_key="nonsense")

    def test_the_run_that_is_meant_always_belongs(self):
        assert self.belongs(course_key=OTHER_COURSE, run_key=LOUD_RUN)

    def test_the_course_is_known_from_the_content_key_while_nothing_resolves(self):
        assert self.belongs(run_key=OLDER_RUN, resolution=unresolved())

    def test_a_course_that_resolves_to_no_run_means_no_run(self):
        assert make_case(resolution=unresolved()).target_run_key is None

    def test_the_course_of_a_run_intention_is_known_from_its_key_while_nothing_resolves(self):
        case = make_run_case(resolution=unresolved())
        assert belongs_to_course(case, course_key=COURSE, course_run_key=self.FOREIGN_RUN)
        assert belongs_to_course(case, course_key=None, course_run_key=OLDER_RUN)

    def test_the_course_that_the_caller_knows_comes_before_what_the_key_says(self):
        case = make_run_case(resolution=unresolved(), course_key=OTHER_COURSE)
        assert belongs_to_course(case, course_key=OTHER_COURSE, course_run_key=RUN_OF_OTHER_COURSE)
        assert not belongs_to_course(case, course_key=COURSE, course_run_key=OLDER_RUN)

    def test_without_any_known_course_only_the_run_itself_belongs(self):
        case = make_run_case(content_key="nonsense", resolution=unresolved())
        assert belongs_to_course(case, course_key=None, course_run_key="NONSENSE")
        assert not belongs_to_course(case, course_key=None, course_run_key="other nonsense")
        assert not belongs_to_course(case, course_key=None, course_run_key=RUN)
        assert not belongs_to_course(case, course_key=COURSE, course_run_key=RUN)

    def test_a_leaver_of_a_run_that_was_stored_under_the_course_stays_out(self):
        facts = (realized(self.FOREIGN_RUN),)
        assert answer(enrollments=(left(run_key=self.FOREIGN_RUN),), realizations=facts)[0] is Rule.D2


def test_without_a_course_there_is_no_id_of_one():
    assert make_case(resolution=unresolved()).course_uuid is None


class TestWhatTheLmsSays:
    """The LMS's own window and its word that it has no such run."""

    @pytest.mark.parametrize(
        ("window", "expected"),
        [
            ({"lms_enrollment_starts_at": NOON + ONE_SECOND}, (Rule.D12, Reason.ENROLLMENT_NOT_OPEN)),
            ({"lms_enrollment_starts_at": NOON}, (Rule.D17, Reason.NEEDS_ENROLLMENT)),
            ({"lms_enrollment_ends_at": NOON - ONE_SECOND}, (Rule.D12, Reason.ENROLLMENT_CLOSED)),
            ({"lms_enrollment_ends_at": NOON}, (Rule.D17, Reason.NEEDS_ENROLLMENT)),
        ],
    )
    def test_its_window_counts_to_the_second(self, window, expected):
        assert answer(**window) == expected

    def test_the_catalogs_own_word_comes_first(self):
        run = make_run(enrollment_starts_at=NOON + ONE_SECOND)
        assert answer(run=run, lms_enrollment_ends_at=NOON - ONE_SECOND)[1] is Reason.ENROLLMENT_NOT_OPEN

    @pytest.mark.parametrize("modes", [None, {}, {"verified": None}])
    def test_a_run_that_it_does_not_know_is_said_to_be_unknown(self, modes):
        assert answer(is_run_unknown_to_lms=True, modes=modes) == (Rule.D14, Reason.RUN_UNKNOWN_TO_LMS)


def test_what_was_realized_counts_by_the_id_of_the_course_when_its_key_is_another_one():
    uuid = UUID(int=9)
    fact = realized("course-v1:Old+Key+1", course_key="Old+Key", course_uuid=uuid, left_at=NOON)
    run = make_run()
    case = {"resolution": Resolved(course=make_course(run, uuid=uuid), run=run), "realizations": (fact,)}
    assert answer(**case)[0] is Rule.D2
    assert answer(**case | {"realizations": (evolve(fact, course_uuid=UUID(int=8)),)})[0] is Rule.D17


def test_the_run_that_is_meant_is_the_resolved_one_or_the_one_that_is_named():
    assert make_case(run=make_run(LOUD_RUN)).target_run_key == fold(LOUD_RUN)
    assert make_case(resolution=unresolved()).target_run_key is None
    assert make_run_case(resolution=unresolved()).target_run_key == fold(RUN)


class TestEverythingThatBlocks:
    """Beside the reason of the verdict: what would still block the enrollment when that is gone."""

    @pytest.mark.parametrize(
        ("facts", "reasons"),
        [
            ({}, []),
            ({"enrollments": (enrolled(),)}, []),
            ({"catalogs": ()}, ["not_in_customer_catalogs"]),
            (
                {"is_customer_active": False, "is_linked": False, "catalogs": ()},
                ["customer_inactive", "learner_not_linked", "not_in_customer_catalogs"],
            ),
            (
                {"catalogs": (), "run": make_run(enrollment_ends_at=NOON - ONE_DAY, ends_at=NOON - ONE_SECOND)},
                ["not_in_customer_catalogs", "enrollment_closed", "run_ended"],
            ),
            (
                {
                    "run": make_run(status="unpublished", enrollment_starts_at=NOON + ONE_DAY),
                    "is_invitation_only": True,
                },
                ["run_not_published", "enrollment_not_open", "invitation_only"],
            ),
            (
                {"enrollments": (left(),), "run": make_run(enrollment_ends_at=NOON - ONE_DAY)},
                ["learner_unenrolled", "enrollment_closed"],
            ),
            (
                {"lms_enrollment_ends_at": NOON - ONE_DAY, "catalogs": ()},
                ["not_in_customer_catalogs", "enrollment_closed"],
            ),
            ({"modes": {"verified": NOON - ONE_DAY}, "catalogs": ()}, ["not_in_customer_catalogs", "mode_expired"]),
            # Unknown is no reason beside one that is known.
            ({"modes": None, "catalogs": ()}, ["not_in_customer_catalogs"]),
            ({"modes": None}, ["modes_unavailable"]),
            ({"resolution": unresolved(UnresolvedReason.CONTENT_NOT_FOUND), "catalogs": ()}, ["content_not_found"]),
            ({"is_covered_in_plan": True, "catalogs": ()}, ["covered_by_other_intention"]),
            # Beside somebody who left, each rule answers for itself.
            (
                {"enrollments": (left(),), "resolution": unresolved(UnresolvedReason.CONTENT_NOT_FOUND)},
                ["learner_unenrolled", "content_not_found"],
            ),
            (
                {"enrollments": (left(),), "resolution": make_resolved(course_type="executive-education-2u")},
                ["learner_unenrolled", "needs_learner_input"],
            ),
            (
                {"enrollments": (left(),), "run": make_run(status="unpublished")},
                ["learner_unenrolled", "run_not_published"],
            ),
            (
                {"enrollments": (left(),), "run": make_run(enrollment_starts_at=NOON, ends_at=NOON)},
                ["learner_unenrolled"],
            ),
        ],
    )
    def test_all_reasons_are_returned_and_the_verdicts_is_first(self, facts, reasons):
        case = make_case(**facts)
        assert list(blocking_reasons(case, decide(case, now=NOON), now=NOON)) == reasons

    def test_a_deadline_to_upgrade_is_told_beside_a_catalog(self):
        case = make_case(catalogs=(), run=make_run(upgrade_deadlines={"verified": NOON - ONE_DAY}))
        reasons = blocking_reasons(case, decide(case, now=NOON), now=NOON)
        assert reasons == (Reason.NOT_IN_CUSTOMER_CATALOGS, Reason.UPGRADE_DEADLINE_PASSED)
