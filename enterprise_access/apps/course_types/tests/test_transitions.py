"""Which change of a type is possible, and what speaks against it."""

import pytest
from attrs import evolve

from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.domain.transitions import (
    Effects,
    RefusalCode,
    Transition,
    check_course,
    check_run,
)
from enterprise_access.apps.course_types.domain.values import CourseType, Mode, RunType, SeatType, Track

GRAPH = seeded_graph()

# What the field's own rules say of every ordered pair. DROP = allowed there although a mode vanishes.
FIELD = """
empty                  =    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
audit                  -    =    -    -    DROP yes  DROP yes  DROP -    yes
honor                  -    -    =    -    -    -    yes  -    yes  -    -
professional           -    -    -    =    -    -    -    -    -    -    -
verified               -    -    -    -    =    yes  yes  yes  yes  -    yes
verified-audit         -    -    -    -    DROP =    DROP yes  DROP -    yes
verified-honor         -    -    -    -    -    -    =    -    yes  -    -
credit-verified-audit  -    -    -    -    -    -    -    =    DROP -    -
credit-verified-honor  -    -    -    -    -    -    -    -    =    -    -
masters                DROP DROP DROP DROP DROP DROP DROP DROP DROP =    yes
masters-verified-audit -    -    -    -    DROP DROP DROP DROP DROP -    =
"""
ROWS = [line.split() for line in FIELD.strip().splitlines()]
PAIRS = [(old, ROWS[place][0], cell) for old, *cells in ROWS for place, cell in enumerate(cells)]


def of_run(old: str | None, new: str, *, published: bool = True, course_type: str | None = None) -> Transition:
    return check_run(
        old=None if old is None else GRAPH.run_type(old),
        new=GRAPH.run_type(new),
        published=published,
        course_type=None if course_type is None else GRAPH.course_type(course_type),
    )


def of_course(
    new: str, *, entitlements: tuple[str, ...] = (), old: str | None = None, run_types: tuple[str, ...] = ()
) -> Transition:
    return check_course(
        old=None if old is None else GRAPH.course_type(old),
        new=GRAPH.course_type(new),
        entitlements=entitlements,
        published=True,
        run_types=run_types,
    )


def codes(transition: Transition) -> set[RefusalCode]:
    return {reason.code for reason in transition.reasons}


class TestRuns:
    def test_every_pair_is_as_the_field_has_it_but_where_a_mode_would_vanish(self):
        found = {(old, new): of_run(old, new) for old, new, _ in PAIRS}
        assert {pair for pair, transition in found.items() if transition.is_allowed} == {
            (old, new) for old, new, cell in PAIRS if cell in ("yes", "=")
        }
        assert {pair for pair, transition in found.items() if transition.effects.modes_vanishing} == {
            (old, new) for old, new, cell in PAIRS if cell in ("-", "DROP")
        }

    def test_the_field_lets_a_mode_vanish_in_twenty_one_pairs(self):
        assert sum(cell == "DROP" for _, _, cell in PAIRS) == 21

    def test_before_publication_everything_is_possible(self):
        assert all(of_run(old, new, published=False).is_allowed for old, new, _ in PAIRS)

    def test_a_refusal_names_the_modes_that_would_vanish(self):
        [reason, seats] = of_run("credit-verified-audit", "verified").reasons
        assert (reason.code, reason.slugs) == (RefusalCode.MODES_WOULD_VANISH, ("audit", "credit"))
        assert "audit, credit" in reason.text
        assert (seats.code, seats.slugs) == (RefusalCode.SEATS_WOULD_VANISH, ("audit", "credit"))

    def test_a_mode_without_a_product_may_not_vanish_either(self):
        transition = of_run("masters-verified-audit", "verified-audit")
        assert [reason.code for reason in transition.reasons] == [RefusalCode.MODES_WOULD_VANISH]

    def test_what_a_change_adds_is_told(self):
        effects = of_run("masters", "masters-verified-audit").effects
        assert effects.modes_added == {"audit", "verified"}
        assert effects.products_added == {"audit", "verified"}
        assert not effects.modes_vanishing

    def test_to_keep_the_type_changes_nothing(self):
        assert of_run("audit", "audit").effects == Effects()

    def test_a_seat_may_not_vanish_though_its_mode_stays(self):
        mode = GRAPH.modes["audit"]
        sold = RunType(slug="sold", tracks=(Track(mode=mode, seat_type=SeatType(slug="audit")),))
        given = RunType(slug="given", tracks=(Track(mode=mode),))
        assert codes(check_run(old=sold, new=given, published=True)) == {RefusalCode.SEATS_WOULD_VANISH}

    def test_a_run_without_a_type_may_get_any(self):
        assert of_run(None, "professional").is_allowed

    def test_the_course_has_to_list_the_new_type(self):
        assert codes(of_run("audit", "verified-audit", course_type="audit")) == {RefusalCode.NOT_OF_COURSE_TYPE}
        assert of_run("audit", "verified-audit", course_type="verified-audit").is_allowed

    def test_an_oddity_may_stay(self):
        assert of_run("honor", "honor", course_type="audit").is_allowed

    def test_not_known_yet_is_possible_in_every_course(self):
        assert of_run("audit", "empty", published=False, course_type="professional").is_allowed

    def test_nothing_newly_gets_a_retired_type(self):
        retired = evolve(GRAPH.run_type("verified-audit"), is_retired=True)
        refused = check_run(old=GRAPH.run_type("audit"), new=retired, published=False)
        assert codes(refused) == {RefusalCode.TYPE_RETIRED}
        assert check_run(old=retired, new=retired, published=True).is_allowed

    def test_every_reason_is_named_at_once(self):
        retired = evolve(GRAPH.run_type("professional"), is_retired=True)
        refused = check_run(
            old=GRAPH.run_type("masters"), new=retired, published=True, course_type=GRAPH.course_type("masters")
        )
        assert codes(refused) == {
            RefusalCode.TYPE_RETIRED,
            RefusalCode.NOT_OF_COURSE_TYPE,
            RefusalCode.MODES_WOULD_VANISH,
        }


class TestCourses:
    @pytest.mark.parametrize("entitlements", [(), ("audit",)])
    def test_a_course_may_get_its_first_entitlement_if_it_is_to_verified(self, entitlements):
        assert of_course("verified-audit", entitlements=entitlements).is_allowed
        assert of_course("masters-verified-audit", entitlements=entitlements).is_allowed
        assert not of_course("professional", entitlements=entitlements).is_allowed
        assert not of_course("executive-education-2u", entitlements=entitlements).is_allowed

    @pytest.mark.parametrize("new", ["audit", "masters", "honor", "professional", "executive-education-2u", "empty"])
    def test_an_entitlement_to_verified_may_not_go(self, new):
        refused = of_course(new, entitlements=("verified",))
        assert codes(refused) == {RefusalCode.ENTITLEMENT_WOULD_CHANGE}
        assert refused.effects.products_vanishing == {"verified"}

    @pytest.mark.parametrize("new", ["verified", "verified-honor", "credit-verified-honor", "masters-verified-audit"])
    def test_with_the_same_entitlement_the_type_may_change(self, new):
        assert of_course(new, entitlements=("verified",)).is_allowed

    def test_an_entitlement_to_audit_is_none(self):
        audit = CourseType(slug="free", entitlement_types=("audit",))
        assert check_course(old=None, new=audit, entitlements=(), published=True).is_allowed

    def test_every_run_has_to_stay_possible(self):
        refused = of_course("verified-audit", entitlements=("verified",), run_types=("honor", "audit", "honor"))
        [reason] = refused.reasons
        assert (reason.code, reason.slugs) == (RefusalCode.RUNS_NOT_ALLOWED, ("honor",))

    def test_runs_of_which_nothing_is_known_do_not_matter(self):
        assert of_course("verified-audit", run_types=("empty", "audit")).is_allowed

    def test_a_masters_course_may_get_a_run_that_is_also_verified(self):
        transition = of_course("masters-verified-audit", old="masters", run_types=("masters",))
        assert transition.is_allowed
        assert transition.effects.products_added == {"verified"}

    def test_the_way_back_is_closed(self):
        assert not of_course("masters", old="masters-verified-audit", entitlements=("verified",)).is_allowed

    def test_to_keep_the_type_is_always_possible(self):
        kept = of_course("professional", old="professional", entitlements=("verified",), run_types=("honor",))
        assert kept.is_allowed

    def test_before_publication_any_type_may_follow(self):
        new = GRAPH.course_type("professional")
        assert check_course(
            old=None, new=new, entitlements=("verified",), published=False, run_types=("honor",)
        ).is_allowed

    @pytest.mark.parametrize("published", [True, False])
    def test_organizations_and_retirement_are_checked_published_or_not(self, published):
        restricted = CourseType(slug="spoc", org_allow_list=("edX",), is_retired=True)
        refused = check_course(old=None, new=restricted, entitlements=(), published=published, org="MITx")
        assert codes(refused) == {RefusalCode.ORG_NOT_ALLOWED, RefusalCode.TYPE_RETIRED}
        allowed = evolve(restricted, is_retired=False)
        assert check_course(old=None, new=allowed, entitlements=(), published=published, org="EDX").is_allowed
        assert check_course(old=None, new=allowed, entitlements=(), published=published).is_allowed


def test_effects_of_equal_tracks_are_none():
    run_type = RunType(slug="x", tracks=(Track(mode=Mode(slug="spoc")),))
    assert check_run(old=run_type, new=evolve(run_type, slug="y"), published=True).effects == Effects()
