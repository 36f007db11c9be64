"""Which types fit a course, by its seats, and by the LMS where seats cannot tell."""

import pytest
from attrs import evolve

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.matching import Match, NoMatch, WhyNoMatch, match
from enterprise_access.apps.course_types.domain.seeds import Origin, seeded_graph

UPSTREAM = seeded_graph(Origin.UPSTREAM)
GRAPH = seeded_graph()
RUN = "course-v1:edX+DemoX+2026"
OTHER_RUN = "course-v1:edX+DemoX+2027"
ONE_RUN = {RUN: ["audit", "verified"]}


def types(found: Match | NoMatch) -> tuple[str, dict[str, str]]:
    assert isinstance(found, Match), found
    return found.course_type, dict(found.run_types)


def with_retired(*slugs: str) -> TypeGraph:
    """Return the graph with these run types and course types retired."""
    return TypeGraph.of(
        modes=GRAPH.modes.values(),
        seat_types=GRAPH.seat_types.values(),
        run_types=[evolve(one, is_retired=one.slug in slugs) for one in GRAPH.run_types.values()],
        course_types=[evolve(one, is_retired=one.slug in slugs) for one in GRAPH.course_types.values()],
    )


def test_a_course_is_matched_by_its_seats_whatever_their_order():
    found = match(GRAPH, entitlements=["verified"], seats_by_run={RUN: ["verified", "audit", "verified"]})
    assert types(found) == ("verified-audit", {RUN: "verified-audit"})


def test_the_first_type_that_fits_is_taken():
    assert types(match(GRAPH, entitlements=[], seats_by_run={RUN: ["audit"]})) == ("audit", {RUN: "audit"})


def test_a_course_without_entitlements_fits_any_type():
    assert types(match(GRAPH, entitlements=[], seats_by_run=ONE_RUN))[0] == "verified-audit"


def test_another_entitlement_fits_no_type():
    found = match(GRAPH, entitlements=["professional"], seats_by_run=ONE_RUN)
    assert isinstance(found, NoMatch)
    assert found.why is WhyNoMatch.NO_TYPE_FITS
    assert found.candidates == {RUN: ("verified-audit", "masters-verified-audit")}


def test_two_entitlements_fit_no_type():
    assert isinstance(match(GRAPH, entitlements=["verified", "professional"], seats_by_run=ONE_RUN), NoMatch)


def test_one_odd_run_blocks_the_course():
    found = match(GRAPH, entitlements=["verified"], seats_by_run={**ONE_RUN, OTHER_RUN: ["honor"]})
    assert isinstance(found, NoMatch)
    assert found.candidates[OTHER_RUN] == ("honor",)


def test_without_runs_nothing_shows_what_a_course_is_for():
    found = match(GRAPH, entitlements=["verified"], seats_by_run={})
    assert isinstance(found, NoMatch)
    assert found.why is WhyNoMatch.NO_RUNS


def test_a_type_that_is_set_stays():
    found = match(GRAPH, entitlements=["verified"], seats_by_run=ONE_RUN, course_type="credit-verified-audit")
    assert types(found) == ("credit-verified-audit", {RUN: "verified-audit"})


@pytest.mark.parametrize("nothing", [None, "", "empty"])
def test_a_type_that_is_not_known_yet_is_filled(nothing):
    found = match(GRAPH, entitlements=["verified"], seats_by_run=ONE_RUN, course_type=nothing, run_types={RUN: nothing})
    assert types(found) == ("verified-audit", {RUN: "verified-audit"})


def test_a_run_whose_seats_contradict_its_type_fits_nothing():
    found = match(GRAPH, entitlements=["verified"], seats_by_run=ONE_RUN, run_types={RUN: "audit"})
    assert isinstance(found, NoMatch)


def test_an_operator_may_allow_a_run_type_besides():
    seats = {**ONE_RUN, OTHER_RUN: ["honor"]}
    found = match(GRAPH, entitlements=["verified"], seats_by_run=seats, allow=[("verified-audit", "honor")])
    assert types(found) == ("verified-audit", {RUN: "verified-audit", OTHER_RUN: "honor"})


def test_what_is_allowed_for_one_course_type_is_not_for_another():
    seats = {**ONE_RUN, OTHER_RUN: ["honor"]}
    found = match(GRAPH, entitlements=["verified"], seats_by_run=seats, allow=[("audit", "honor")])
    assert isinstance(found, NoMatch)


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [
        ({"course_type": "spoc-verified-audit"}, ("spoc-verified-audit",)),
        ({"run_types": {RUN: "spoc"}}, ("spoc",)),
        ({"seats_by_run": {RUN: ["spoc"]}}, ("spoc",)),
        ({"entitlements": ["spoc"]}, ("spoc",)),
    ],
)
def test_what_nobody_knows_is_named_and_never_fails(facts, unknown):
    found = match(GRAPH, **{"entitlements": [], "seats_by_run": ONE_RUN, **facts})
    assert isinstance(found, NoMatch)
    assert (found.why, found.unknown) == (WhyNoMatch.UNKNOWN_TYPE, unknown)


class TestTracksWithoutAProduct:
    """Seats do not show them: the LMS does, or somebody has said so."""

    def test_a_run_without_seats_is_nothing_by_itself(self):
        found = match(GRAPH, entitlements=[], seats_by_run={RUN: []})
        assert isinstance(found, NoMatch)
        assert found.candidates == {RUN: ("empty", "masters")}

    @pytest.mark.parametrize("modes", [["masters"], ["masters", "audit"]])
    def test_a_run_without_seats_is_masters_when_the_lms_has_masters(self, modes):
        found = match(GRAPH, entitlements=[], seats_by_run={RUN: []}, lms_modes_by_run={RUN: modes})
        assert types(found) == ("masters", {RUN: "masters"})

    @pytest.mark.parametrize("modes", [None, [], ["audit"]])
    def test_a_run_without_seats_is_not_masters_when_the_lms_does_not_say_so(self, modes):
        found = match(GRAPH, entitlements=[], seats_by_run={RUN: []}, lms_modes_by_run={RUN: modes})
        assert isinstance(found, NoMatch)

    @pytest.mark.parametrize("modes", [None, [], ["audit", "verified"]])
    def test_seats_that_fit_two_types_mean_the_one_without_such_a_track(self, modes):
        found = match(GRAPH, entitlements=["verified"], seats_by_run=ONE_RUN, lms_modes_by_run={RUN: modes})
        assert types(found) == ("verified-audit", {RUN: "verified-audit"})

    @pytest.mark.parametrize("modes", [["audit", "verified", "masters"], ["verified", "masters"]])
    def test_the_lms_tells_masters_from_verified(self, modes):
        found = match(GRAPH, entitlements=["verified"], seats_by_run=ONE_RUN, lms_modes_by_run={RUN: modes})
        assert types(found) == ("masters-verified-audit", {RUN: "masters-verified-audit"})

    def test_one_run_that_the_lms_confirms_decides_for_the_course(self):
        found = match(
            GRAPH,
            entitlements=["verified"],
            seats_by_run={RUN: ["audit", "verified"], OTHER_RUN: []},
            lms_modes_by_run={OTHER_RUN: ["masters"]},
        )
        assert types(found) == ("masters-verified-audit", {RUN: "verified-audit", OTHER_RUN: "masters"})

    def test_a_type_that_is_set_needs_no_confirmation(self):
        found = match(
            GRAPH,
            entitlements=["verified"],
            seats_by_run={RUN: ["audit", "verified"], OTHER_RUN: []},
            course_type="masters-verified-audit",
            run_types={RUN: "masters-verified-audit", OTHER_RUN: "masters"},
        )
        assert types(found)[1] == {RUN: "masters-verified-audit", OTHER_RUN: "masters"}


class TestRetiredTypes:
    def test_nothing_newly_gets_a_retired_type(self):
        found = match(with_retired("verified-audit"), entitlements=["verified"], seats_by_run=ONE_RUN)
        assert isinstance(found, NoMatch)

    def test_no_course_newly_gets_a_retired_course_type(self):
        retired = evolve(GRAPH.course_type("audit"), is_retired=True)
        graph = evolve(GRAPH, course_types={**GRAPH.course_types, "audit": retired})
        assert types(match(graph, entitlements=[], seats_by_run={RUN: ["audit"]})) == ("verified-audit", {RUN: "audit"})

    def test_what_has_a_retired_type_keeps_it(self):
        found = match(
            with_retired("verified-audit"),
            entitlements=["verified"],
            seats_by_run=ONE_RUN,
            course_type="verified-audit",
            run_types={RUN: "verified-audit"},
        )
        assert types(found) == ("verified-audit", {RUN: "verified-audit"})
