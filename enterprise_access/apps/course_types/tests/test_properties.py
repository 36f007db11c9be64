"""What holds for all types, however they are composed, and for all courses, however odd."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from enterprise_access.apps.course_types.domain.differences import diff
from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.matching import Match, NoMatch, match
from enterprise_access.apps.course_types.domain.products import TypedRun, spec
from enterprise_access.apps.course_types.domain.seeds import Origin, seeded_graph
from enterprise_access.apps.course_types.domain.transitions import Effects, check_course, check_run
from enterprise_access.apps.course_types.domain.values import CourseType, Mode, RunType, SeatType, Track
from enterprise_access.apps.course_types.tests.test_products import RUN_ENDS_AT, as_specified

UPSTREAM = seeded_graph(Origin.UPSTREAM)
GRAPH = seeded_graph()
SLUGS = st.sampled_from(["audit", "honor", "verified", "professional", "credit", "masters", "spoc", "gold"])
CERTIFICATES = st.sampled_from(["", "honor", "verified", "professional", "credit"])
SEATS = st.sets(st.sampled_from(["audit", "honor", "verified", "professional", "credit", "spoc"]), max_size=4)
ENTITLEMENTS = st.sets(st.sampled_from(["verified", "professional", "paid-executive-education", "audit"]), max_size=2)
LMS_MODES = st.none() | st.sets(st.sampled_from(["audit", "verified", "masters", "honor"]))


@st.composite
def run_types(draw: Any) -> RunType:
    tracks = [
        Track(
            mode=Mode(slug=slug, certificate_type=draw(CERTIFICATES), is_id_verified=draw(st.booleans())),
            seat_type=SeatType(slug=slug, has_upgrade_deadline=draw(st.booleans())) if draw(st.booleans()) else None,
        )
        for slug in draw(st.sets(SLUGS, max_size=4))
    ]
    return RunType(slug=draw(st.text(max_size=3)), tracks=tuple(tracks), is_retired=draw(st.booleans()))


@st.composite
def courses(draw: Any, graph: TypeGraph) -> dict[str, Any]:
    """Return what `match` is told of a course, whatever it may be."""
    keys = [f"run-{place}" for place in range(draw(st.integers(1, 3)))]
    a_run_type = st.none() | st.sampled_from(["spoc", *graph.run_types])
    a_course_type = st.sampled_from(["spoc", *graph.course_types])
    pairs = st.tuples(a_course_type, st.sampled_from([*graph.run_types]))
    # Seats of some type most of the time: random ones seldom fit.
    seats = st.sampled_from([run_type.seat_types for run_type in graph.run_types.values()]) | SEATS
    return {
        "entitlements": draw(ENTITLEMENTS),
        "seats_by_run": {key: draw(seats) for key in keys},
        "course_type": draw(st.none() | a_course_type),
        "run_types": {key: draw(a_run_type) for key in keys if draw(st.booleans())},
        "allow": draw(st.lists(pairs, max_size=2)),
    }


# Changes


@given(old=run_types(), new=run_types())
def test_once_published_neither_a_mode_nor_a_seat_vanishes(old, new):
    assume(old.slug != new.slug)
    transition = check_run(old=old, new=new, published=True)
    if transition.is_allowed:
        assert old.modes <= new.modes
        assert old.seat_types <= new.seat_types
    elif not new.is_retired:
        assert not (old.modes <= new.modes and old.seat_types <= new.seat_types)


@given(run_type=run_types(), published=st.booleans())
def test_to_keep_a_type_is_always_possible(run_type, published):
    transition = check_run(old=run_type, new=run_type, published=published)
    assert transition.is_allowed
    assert transition.effects == Effects()


@given(one=run_types(), other=run_types(), third=run_types())
def test_two_possible_changes_make_a_possible_one(one, other, third):
    assume(len({one.slug, other.slug, third.slug}) == 3)
    steps = [check_run(old=old, new=new, published=True).is_allowed for old, new in ((one, other), (other, third))]
    if all(steps):
        assert check_run(old=one, new=third, published=True).is_allowed


@given(old=run_types(), new=run_types())
def test_what_may_be_done_after_publication_may_be_done_before(old, new):
    if check_run(old=old, new=new, published=True).is_allowed:
        assert check_run(old=old, new=new, published=False).is_allowed


@given(
    new=st.sampled_from([*GRAPH.course_types.values()]),
    entitlement=st.none() | st.sampled_from([*GRAPH.seat_types]),
    runs=st.lists(st.sampled_from([*GRAPH.run_types])),
)
def test_a_published_course_keeps_its_entitlement_and_its_runs(new, entitlement, runs):
    entitlements = () if entitlement is None else (entitlement,)
    transition = check_course(old=None, new=new, entitlements=entitlements, published=True, run_types=runs)
    if transition.is_allowed:
        assert entitlement in (None, "audit", *new.entitlement_types)
        assert set(runs) <= {*new.run_types, "empty"}
    if entitlement in (None, "audit") and set(runs) <= {"empty"}:
        assert transition.is_allowed == (new.entitlement_types in ((), ("verified",)))


# Matching


def matched_upstream(graph: TypeGraph, course: dict[str, Any]) -> tuple[str, dict[str, str]] | None:
    """Return what the matcher of course-discovery answers where every track has a product."""
    for course_type in graph.course_types.values():
        if course["entitlements"] and set(course_type.entitlement_types) != course["entitlements"]:
            continue
        if course["course_type"] not in (None, "empty", course_type.slug):
            continue
        extra = [run_type for one, run_type in course["allow"] if one == course_type.slug]
        types: dict[str, str] = {}
        for key, seats in course["seats_by_run"].items():
            for slug, run_type in graph.run_types.items():
                is_listed = slug in course_type.run_types or slug in extra
                is_free = course["run_types"].get(key) in (None, "empty", slug)
                if is_listed and is_free and run_type.seat_types == seats:
                    types[key] = slug
                    break
            else:
                break
        if len(types) == len(course["seats_by_run"]):
            return course_type.slug, types
    return None


@given(course=courses(UPSTREAM))
def test_where_every_track_has_a_product_we_match_as_upstream_does(course):
    found = match(UPSTREAM, **course)
    answer = (found.course_type, dict(found.run_types)) if isinstance(found, Match) else None
    assert answer == matched_upstream(UPSTREAM, course)


@given(course=courses(GRAPH), lms_modes=st.lists(LMS_MODES, min_size=3, max_size=3))
def test_a_match_never_changes_what_is_set_and_fits(course, lms_modes):
    lms_modes_by_run = {f"run-{place}": modes for place, modes in enumerate(lms_modes)}
    found = match(GRAPH, **course, lms_modes_by_run=lms_modes_by_run)
    if isinstance(found, NoMatch):
        return
    assert course["course_type"] in (None, "empty", found.course_type)
    for key, seats in course["seats_by_run"].items():
        assert course["run_types"].get(key) in (None, "empty", found.run_types[key])
        assert GRAPH.run_type(found.run_types[key]).seat_types == seats


@given(course=courses(GRAPH), lms_modes=st.lists(LMS_MODES, min_size=3, max_size=3))
def test_to_match_what_was_matched_changes_nothing(course, lms_modes):
    lms_modes_by_run = {f"run-{place}": modes for place, modes in enumerate(lms_modes)}
    found = match(GRAPH, **course, lms_modes_by_run=lms_modes_by_run)
    if isinstance(found, NoMatch):
        return
    set_types = {"course_type": found.course_type, "run_types": found.run_types}
    for known_modes in (lms_modes_by_run, None):
        again = match(GRAPH, **{**course, **set_types}, lms_modes_by_run=known_modes)
        assert isinstance(again, Match)
        assert (again.course_type, again.run_types) == (found.course_type, found.run_types)


@given(course=courses(GRAPH))
def test_what_is_not_matched_says_why(course):
    found = match(GRAPH, **course)
    if isinstance(found, NoMatch):
        assert set(found.candidates) == set(course["seats_by_run"])
        assert all(slug not in GRAPH.course_types and slug not in GRAPH.run_types for slug in found.unknown)


# Products


@given(
    types=st.lists(run_types(), max_size=3),
    entitlements=st.sets(st.sampled_from(["verified", "audit", "professional"]), max_size=1),
    ends_at=st.none()
    | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    | st.just(RUN_ENDS_AT + timedelta(microseconds=1)),
)
def test_a_specification_that_is_realized_exactly_leaves_no_difference(types, entitlements, ends_at):
    runs = {str(place): TypedRun(run_type=one, ends_at=ends_at) for place, one in enumerate(types)}
    wanted = spec(course_type=CourseType(slug="x", entitlement_types=tuple(entitlements)), runs=runs)
    assert diff(wanted, as_specified(wanted)) == ()


@given(wanted_type=run_types(), actual_type=run_types())
def test_seats_and_modes_of_another_type_differ_exactly_where_the_types_do(wanted_type, actual_type):
    course_type = CourseType(slug="x")
    wanted = spec(course_type=course_type, runs={"run": TypedRun(run_type=wanted_type)})
    actual = spec(course_type=course_type, runs={"run": TypedRun(run_type=actual_type)})
    found = {
        (finding.subject.value, finding.slug)
        for finding in diff(wanted, as_specified(actual))
        if finding.kind.value != "mismatched"
    }
    modes = {mode.slug for mode in wanted.runs["run"].modes} ^ {mode.slug for mode in actual.runs["run"].modes}
    seats = wanted_type.seat_types ^ actual_type.seat_types
    assert found == {("lms_mode", slug) for slug in modes} | {("seat", slug) for slug in seats}


@given(run_type=run_types())
def test_every_mode_reaches_the_lms_one_way(run_type):
    run = spec(course_type=CourseType(slug="x"), runs={"run": TypedRun(run_type=run_type)}).runs["run"]
    slugs = [mode.slug for mode in run.modes]
    assert len(slugs) == len(set(slugs))
    assert set(slugs) == {track.lms_mode for track in run_type.tracks}
