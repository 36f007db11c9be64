"""What holds for every case, however odd."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from enterprise_access.apps.content_metadata.domain import (
    ContentType,
    Course,
    CourseRun,
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
)
from enterprise_access.apps.course_types.domain.modes import AUDIT_LIKE, effective, pick, want
from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.values import (
    Bucket,
    Case,
    Enrollment,
    RealizationFact,
    Reason,
    Rule,
    Verdict,
    VerdictKind,
)
from enterprise_access.apps.default_enrollments.tests.cases import (
    CATALOG,
    COURSE,
    NOON,
    OLDER_RUN,
    ONE_DAY,
    ONE_SECOND,
    OTHER_COURSE,
    RUN,
    RUN_OF_OTHER_COURSE,
)
from enterprise_access.lib.keys import fold

INSTANTS = st.sampled_from([NOON - ONE_DAY, NOON - ONE_SECOND, NOON, NOON + ONE_SECOND, NOON + ONE_DAY])
MODES = st.sampled_from(
    [
        "audit",
        "honor",
        "verified",
        "professional",
        "no-id-professional",
        "unpaid-executive-education",
        "masters",
        "credit",
    ]
)
RUN_KEYS = st.sampled_from([RUN, RUN.upper(), OLDER_RUN, RUN_OF_OTHER_COURSE, "nonsense", ""])
COURSE_KEYS = st.sampled_from([None, "", COURSE, COURSE.upper(), OTHER_COURSE])
REASONS_OF_LEAVING = st.sampled_from([Reason.LEARNER_UNENROLLED, Reason.LICENSE_REVOKED])

enrollments = st.builds(
    Enrollment,
    course_run_key=RUN_KEYS,
    course_key=COURSE_KEYS,
    mode=MODES,
    is_active=st.sampled_from([True, False, None]),
    is_revoked=st.booleans(),
)
realizations = st.builds(
    RealizationFact,
    course_run_key=RUN_KEYS,
    course_key=COURSE_KEYS,
    of_this_intention=st.booleans(),
    left_at=st.none() | INSTANTS,
    left_reason=st.none() | REASONS_OF_LEAVING,
)


@st.composite
def runs(draw: st.DrawFn, key: str) -> CourseRun:
    return CourseRun(
        key=key,
        status=draw(st.sampled_from(["published", "published", "published", "reviewed", None])),
        enrollment_starts_at=draw(st.none() | INSTANTS),
        enrollment_ends_at=draw(st.none() | INSTANTS),
        ends_at=draw(st.none() | INSTANTS),
        has_dates=draw(st.booleans()),
        is_enrollable_snapshot=draw(st.sampled_from([True, False, None])),
        upgrade_deadlines=draw(st.dictionaries(MODES, st.none() | INSTANTS, max_size=3)),
    )


@st.composite
def resolutions(draw: st.DrawFn, key: str) -> Resolution:
    run = draw(runs(key))
    course_type = draw(st.sampled_from(["verified-audit", "verified-audit", "executive-education-2u", None]))
    course = Course(key=COURSE, course_type=course_type, runs=(run,))
    if draw(st.sampled_from([True, True, False])):
        return Resolved(course=course, run=run)
    return Unresolved(reason=draw(st.sampled_from(UnresolvedReason)), course=draw(st.sampled_from([None, course])))


@st.composite
def cases(draw: st.DrawFn, content_type: ContentType | None = None) -> Case:
    kind = content_type or draw(st.sampled_from(ContentType))
    return Case(
        is_linked=draw(st.sampled_from([True, True, True, False])),
        is_customer_active=draw(st.sampled_from([True, True, True, False])),
        content_type=kind,
        content_key=RUN if kind is ContentType.COURSE_RUN else COURSE,
        resolution=draw(
            resolutions(RUN if kind is ContentType.COURSE_RUN else draw(st.sampled_from([RUN, OLDER_RUN])))
        ),
        catalogs=draw(st.sampled_from([None, (), (CATALOG,)])),
        modes=draw(st.none() | st.dictionaries(MODES, st.none() | INSTANTS, max_size=4)),
        course_key=draw(st.sampled_from([None, COURSE, COURSE.lower()])),
        known_run_keys=draw(st.frozensets(RUN_KEYS, max_size=2)),
        is_invitation_only=draw(st.sampled_from([False, False, True])),
        enrollments=tuple(draw(st.lists(enrollments, max_size=3))),
        realizations=tuple(draw(st.lists(realizations, max_size=3))),
        is_covered_in_plan=draw(st.booleans()),
        has_override=draw(st.booleans()),
    )


@st.composite
def promising_cases(draw: st.DrawFn) -> Case:
    """Cases that nothing but the learner's own rows can stop, so that the properties below are not empty."""
    run = CourseRun(key=draw(st.sampled_from([RUN, OLDER_RUN])), status="published")
    return evolve(
        draw(cases(ContentType.COURSE)),
        is_linked=True,
        is_customer_active=True,
        resolution=Resolved(course=Course(key=COURSE, course_type="verified-audit", runs=(run,)), run=run),
        catalogs=(CATALOG,),
        modes={"audit": None, "verified": None},
        is_invitation_only=False,
        is_covered_in_plan=False,
    )


all_cases = cases() | promising_cases()


def holds_for(*, examples: int = 100, **strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """Run the test for many cases. Without a time limit for each: a busy machine is not a broken rule."""

    def decorate(test: Callable[..., None]) -> Any:
        return settings(deadline=None, max_examples=examples)(given(**strategies)(test))

    return decorate


def is_date_open(starts_at: datetime | None, ends_at: datetime | None) -> bool:
    return (starts_at is None or starts_at <= NOON) and (ends_at is None or ends_at >= NOON)


def check_shape(verdict: Verdict) -> None:
    buckets = {
        VerdictKind.NONE: Bucket.ALREADY_ENROLLED,
        VerdictKind.SKIP: Bucket.NOT_ENROLLABLE,
        VerdictKind.ENROLL: Bucket.ENROLLABLE,
        VerdictKind.UPGRADE: Bucket.ENROLLABLE,
    }
    assert verdict.bucket is buckets[verdict.kind]
    assert (verdict.mode is not None) == verdict.is_to_do


@holds_for(case=all_cases)
def test_every_case_has_a_verdict_of_a_sound_shape(case):
    check_shape(decide(case, now=NOON))


@holds_for(case=all_cases)
def test_the_same_case_has_the_same_verdict(case):
    assert decide(case, now=NOON) == decide(case, now=NOON)


@holds_for(case=all_cases)
def test_the_order_of_rows_does_not_matter(case):
    turned = evolve(case, enrollments=case.enrollments[::-1], realizations=case.realizations[::-1])
    assert decide(turned, now=NOON) == decide(case, now=NOON)


@holds_for(case=all_cases)
def test_the_case_of_keys_does_not_matter(case):
    rows = tuple(evolve(row, course_run_key=row.course_run_key.swapcase()) for row in case.enrollments)
    facts = tuple(evolve(row, course_run_key=row.course_run_key.swapcase()) for row in case.realizations)
    loud = evolve(case, content_key=case.content_key.upper(), enrollments=rows, realizations=facts)
    assert decide(loud, now=NOON) == decide(case, now=NOON)


@holds_for(case=all_cases, left_at=INSTANTS, reason=REASONS_OF_LEAVING, mine=st.booleans())
def test_after_leaving_what_was_realized_nothing_is_done_without_an_override(case, left_at, reason, mine):
    fact = RealizationFact(
        course_run_key=OLDER_RUN, course_key=COURSE, of_this_intention=mine, left_at=left_at, left_reason=reason
    )
    case = evolve(case, realizations=(*case.realizations, fact), has_override=False)
    assert not decide(case, now=NOON).is_to_do


@holds_for(case=all_cases, mode=MODES, revoked=st.booleans(), mine=st.booleans())
def test_an_inactive_realized_enrollment_is_never_enrolled_again_without_an_override(case, mode, revoked, mine):
    row = Enrollment(course_run_key=OLDER_RUN, course_key=COURSE, mode=mode, is_active=False, is_revoked=revoked)
    fact = RealizationFact(course_run_key=OLDER_RUN, course_key=COURSE, of_this_intention=mine)
    case = evolve(
        case,
        enrollments=(*case.enrollments, row),
        realizations=(*case.realizations, fact),
        has_override=False,
    )
    assert not decide(case, now=NOON).is_to_do


@holds_for(case=all_cases, mode=MODES)
def test_an_unknown_state_in_the_very_run_is_never_acted_upon(case, mode):
    run = case.resolved_run
    assume(run is not None)
    row = Enrollment(course_run_key=run.key.lower(), mode=mode, is_active=None)
    case = evolve(case, enrollments=(*case.enrollments, row))
    assert not decide(case, now=NOON).is_to_do


@holds_for(case=all_cases, mode=MODES)
def test_an_active_paid_enrollment_in_the_very_run_is_never_touched(case, mode):
    assume(mode not in AUDIT_LIKE)
    run = case.resolved_run
    assume(run is not None)
    row = Enrollment(course_run_key=run.key.upper(), mode=mode, is_active=True)
    assert not decide(evolve(case, enrollments=(*case.enrollments, row)), now=NOON).is_to_do


@holds_for(case=all_cases)
def test_a_realized_run_that_is_not_visible_is_never_acted_upon(case):
    fact = RealizationFact(course_run_key="course-v1:edX+DemoX+unseen", course_key=COURSE, of_this_intention=True)
    assert not decide(evolve(case, realizations=(*case.realizations, fact)), now=NOON).is_to_do


@holds_for(case=all_cases, examples=500)
def test_what_is_to_do_is_allowed_by_every_fact(case):
    verdict = decide(case, now=NOON)
    if not verdict.is_to_do:
        return
    run = case.resolved_run
    assert run is not None
    assert run.is_published
    assert case.catalogs
    assert case.is_linked
    assert case.is_customer_active
    assert not case.is_invitation_only
    assert case.modes is not None
    assert verdict.mode == pick(case.modes) == want(case.modes, now=NOON)
    assert verdict.mode in effective(case.modes)
    assert is_date_open(run.enrollment_starts_at, run.enrollment_ends_at)
    assert is_date_open(None, run.ends_at)
    assert is_date_open(None, run.upgrade_deadlines.get(verdict.mode))


@holds_for(case=all_cases)
def test_an_upgrade_is_of_an_active_audit_enrollment_to_a_paid_mode_and_enrolling_is_of_nothing_active(case):
    verdict = decide(case, now=NOON)
    if not verdict.is_to_do:
        return
    assert case.resolved_run is not None
    run_key = fold(case.resolved_run.key)
    active = [row for row in case.enrollments if row.is_active and fold(row.course_run_key) == run_key]
    assert bool(active) == (verdict.kind is VerdictKind.UPGRADE)
    assert verdict.kind is VerdictKind.ENROLL or verdict.mode not in AUDIT_LIKE


@holds_for(case=all_cases)
def test_an_override_never_undoes_an_enrollment_or_a_closed_door(case):
    without = decide(evolve(case, has_override=False), now=NOON)
    if without.rule in (Rule.D2, Rule.D5):
        return
    assert decide(evolve(case, has_override=True), now=NOON) == without


@holds_for(case=all_cases)
def test_what_could_not_be_asked_is_never_told_as_a_no(case):
    verdict = decide(evolve(case, catalogs=None), now=NOON)
    assert verdict.reason is not Reason.NOT_IN_CUSTOMER_CATALOGS
    verdict = decide(evolve(case, modes=None), now=NOON)
    assert verdict.reason not in (Reason.NO_SUBSIDIZABLE_MODE, Reason.MODE_EXPIRED, Reason.MODE_MISMATCH)


@holds_for(course=cases(ContentType.COURSE), run=cases(ContentType.COURSE_RUN))
def test_a_plan_serves_a_course_intention_only_where_no_run_intention_does(course, run):
    shared = {"enrollments": course.enrollments, "realizations": course.realizations}
    verdicts = decide_all({"course": course, "run": evolve(run, **shared)}, now=NOON)
    assert set(verdicts) == {"course", "run"}
    if not verdicts["run"].is_skip:
        assert not verdicts["course"].is_to_do
