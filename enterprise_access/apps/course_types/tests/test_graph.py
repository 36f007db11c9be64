"""The types as one value: read from rows, refused when they cannot be, and the packaged rows themselves."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.modes import AUDIT_LIKE, WANTED_MODE_ORDER
from enterprise_access.apps.course_types.domain.rows import read_graph
from enterprise_access.apps.course_types.domain.seeds import Origin, seed_rows, seeded_graph
from enterprise_access.apps.course_types.domain.values import (
    CERTIFICATE_TYPES,
    PAYEES,
    CourseType,
    Mode,
    RunType,
    SeatType,
    Track,
)
from enterprise_access.apps.course_types.errors import BrokenTypes, UnknownType

FIXTURE = json.loads((Path(__file__).parents[4] / "tests" / "data" / "course-types.json").read_text())
SECTIONS = ("seat_types", "modes", "course_run_types", "course_types")
OUR_COLUMNS = {"is_audit", "enroll_rank", "has_upgrade_deadline"}
GRAPH = seeded_graph()


def rows() -> dict[str, Any]:
    """Return the smallest graph that has something of everything."""
    return {
        "seat_types": [{"slug": "verified", "name": "Verified"}],
        "modes": [
            {
                "slug": "verified",
                "name": "Verified",
                "is_id_verified": True,
                "is_credit_eligible": False,
                "certificate_type": "verified",
                "payee": "platform",
            }
        ],
        "course_run_types": [
            {
                "slug": "verified",
                "name": "Verified Only",
                "is_marketable": True,
                "tracks": [{"mode": "verified", "seat_type": "verified"}],
            }
        ],
        "course_types": [
            {
                "slug": "verified",
                "name": "Verified Only",
                "entitlement_types": ["verified"],
                "course_run_types": ["verified"],
                "white_listed_orgs": [],
            }
        ],
    }


class TestPackagedRows:
    """data/course-types.json."""

    @pytest.mark.parametrize("section", SECTIONS)
    def test_the_upstream_rows_are_those_of_a_fresh_course_discovery(self, section):
        packaged = [
            {member: value for member, value in row.items() if member not in OUR_COLUMNS}
            for row in seed_rows(Origin.UPSTREAM)[section]
        ]
        facts = [{member: value for member, value in row.items() if member != "migration"} for row in FIXTURE[section]]
        assert packaged == facts

    def test_our_columns_agree_with_what_the_decision_asks(self):
        modes = GRAPH.modes.values()
        assert {mode.slug for mode in modes if mode.is_audit} == AUDIT_LIKE
        ranked = sorted((mode for mode in modes if mode.enroll_rank), key=lambda mode: mode.enroll_rank or 0)
        assert tuple(mode.slug for mode in ranked) == WANTED_MODE_ORDER
        assert {mode.slug for mode in modes if mode.has_upgrade_deadline} == {"verified"}

    def test_the_fixture_without_our_columns_reads_as_the_same_graph(self):
        assert read_graph(FIXTURE) == seeded_graph(Origin.UPSTREAM)

    def test_what_may_be_chosen_is_what_discovery_can_store(self):
        assert set(FIXTURE["choices"]["certificate_type"]) == CERTIFICATE_TYPES
        assert set(FIXTURE["choices"]["payee"]) == PAYEES

    def test_rows_of_operators_come_after_those_of_upstream(self):
        upstream = [course_type.slug for course_type in seeded_graph(Origin.UPSTREAM).matching_order]
        everything = [course_type.slug for course_type in GRAPH.matching_order]
        assert everything[: len(upstream)] == upstream
        assert everything[len(upstream) :] == ["masters", "masters-verified-audit", "executive-education-2u"]

    @pytest.mark.parametrize("row", FIXTURE["operator_rows_with_public_evidence"], ids=lambda row: row["slug"])
    def test_rows_of_operators_are_as_the_evidence_says(self, row):
        if row["slug"] == "spoc-verified-audit":
            # Nobody says in public what it is made of.
            assert row["slug"] not in GRAPH.course_types
            return
        if row["kind"] == "mode":
            mode = GRAPH.modes[row["slug"]]
            assert mode.certificate_type == row.get("certificate_type", "")
            assert not mode.is_id_verified
            return
        course_type = GRAPH.course_type(row["slug"])
        assert list(course_type.entitlement_types) == row.get("entitlement_types", [])
        names = {GRAPH.run_type(slug).name.casefold() for slug in course_type.run_types}
        assert {name.casefold() for name in row.get("course_run_types_named", names)} <= names | {"audit only"}


class TestValues:
    def test_a_graph_cannot_be_changed(self):
        with pytest.raises(TypeError):
            GRAPH.modes["audit"] = Mode(slug="audit")
        with pytest.raises(FrozenInstanceError):
            GRAPH.modes["audit"].name = "other"

    @pytest.mark.parametrize("lookup", [GRAPH.run_type, GRAPH.course_type])
    def test_an_unknown_slug_is_refused_by_name(self, lookup):
        with pytest.raises(UnknownType, match="spoc") as caught:
            lookup("spoc")
        assert caught.value.extra["slug"] == "spoc"

    def test_run_types_of_a_course_come_in_the_order_of_their_creation(self):
        slugs = [run_type.slug for run_type in GRAPH.run_types_of(GRAPH.course_type("masters-verified-audit"))]
        assert slugs == ["audit", "verified-audit", "masters", "masters-verified-audit"]

    @pytest.mark.parametrize(
        ("track", "lms_mode"),
        [
            (Track(mode=GRAPH.modes["audit"], seat_type=SeatType(slug="audit")), "audit"),
            (Track(mode=GRAPH.modes["honor"], seat_type=SeatType(slug="honor")), "honor"),
            (Track(mode=GRAPH.modes["professional"], seat_type=SeatType(slug="professional")), "professional"),
            (Track(mode=GRAPH.modes["no-id-professional"], seat_type=SeatType(slug="x")), "no-id-professional"),
            (Track(mode=Mode(slug="spoc"), seat_type=SeatType(slug="spoc")), "audit"),
            (Track(mode=Mode(slug="spoc")), "spoc"),
            (Track(mode=GRAPH.modes["masters"]), "masters"),
        ],
    )
    def test_ecommerce_names_the_lms_mode_of_a_seat_by_its_certificate(self, track, lms_mode):
        assert track.lms_mode == lms_mode

    def test_who_is_paid_is_told_by_track(self):
        paid = {
            track.mode.slug: (track.paid_to_platform, track.paid_to_partner)
            for track in GRAPH.run_type("masters-verified-audit").tracks
        }
        assert paid == {"masters": (False, True), "verified": (True, False), "audit": (False, False)}

    def test_an_allow_list_ignores_case_and_empty_allows_everybody(self):
        assert CourseType(slug="x").allows_org("edX")
        assert CourseType(slug="x", org_allow_list=("edX",)).allows_org("EDX")
        assert not CourseType(slug="x", org_allow_list=("edX",)).allows_org("MITx")


class TestReadingRows:
    def test_the_smallest_rows_are_read(self):
        graph = read_graph(rows())
        [track] = graph.run_type("verified").tracks
        assert track == Track(
            mode=graph.modes["verified"],
            seat_type=SeatType(slug="verified", name="Verified", has_upgrade_deadline=True),
        )

    def test_types_may_be_retired_and_restricted(self):
        content = rows()
        content["course_run_types"][0]["retired"] = True
        content["course_types"][0] |= {"retired": True, "white_listed_orgs": ["edX"]}
        graph = read_graph(content)
        assert graph.run_type("verified").is_retired
        assert graph.course_type("verified").is_retired
        assert graph.course_type("verified").org_allow_list == ("edX",)

    @pytest.mark.parametrize(
        ("section", "change", "why"),
        [
            ("modes", {"colour": "red"}, r"modes\[0\] has the unknown members colour"),
            ("modes", {"is_id_verified": 1}, r"is_id_verified is not true or false"),
            ("modes", {"slug": 7}, r"slug is not a text"),
            ("modes", {"enroll_rank": True}, r"enroll_rank is not a whole number"),
            ("modes", {"certificate_type": "gold"}, r"certificate type 'gold'"),
            ("modes", {"certificate_type": ""}, r"ecommerce would sell it as audit"),
            ("modes", {"payee": "me"}, r"pays 'me'"),
            ("course_run_types", {"tracks": {}}, r"tracks is not a list"),
            ("course_run_types", {"tracks": ["verified"]}, r"tracks\[0\] is not an object"),
            ("course_run_types", {"tracks": [{"mode": "verified"}]}, r"tracks\[0\] has no seat_type"),
            ("course_run_types", {"tracks": [{"mode": "gold", "seat_type": None}]}, r"mode 'gold', which there is not"),
            ("course_run_types", {"tracks": [{"mode": "verified", "seat_type": "gold"}]}, r"the seat type 'gold'"),
            ("course_run_types", {"tracks": [{"mode": "verified", "seat_type": None}] * 2}, r"more than once"),
            ("course_run_types", {"slug": "empty"}, r"means that nothing is known"),
            ("course_types", {"slug": "empty"}, r"means that nothing is known"),
            ("course_types", {"entitlement_types": ["gold"]}, r"'gold', which is no seat type"),
            ("course_types", {"entitlement_types": ["verified", "verified"]}, r"more than one entitlement type"),
            ("course_types", {"course_run_types": ["gold"]}, r"run type 'gold'"),
            ("course_types", {"course_run_types": ["verified"] * 2}, r"more than once"),
            ("course_types", {"course_run_types": [None]}, r"course_run_types\[0\] is not a text"),
        ],
    )
    def test_what_cannot_be_is_refused_and_named(self, section, change, why):
        content = rows()
        content[section][0] |= change
        with pytest.raises(BrokenTypes, match=why):
            read_graph(content)

    @pytest.mark.parametrize("section", SECTIONS)
    def test_a_slug_is_given_once(self, section):
        content = rows()
        content[section] *= 2
        with pytest.raises(BrokenTypes, match="more than one"):
            read_graph(content)

    @pytest.mark.parametrize("section", SECTIONS)
    def test_every_member_is_required(self, section):
        for member in rows()[section][0]:
            content = rows()
            del content[section][0][member]
            with pytest.raises(BrokenTypes, match=f"has no {member}"):
                read_graph(content)

    @pytest.mark.parametrize("broken", [None, {}, "rows"])
    def test_a_section_has_to_be_a_list(self, broken):
        with pytest.raises(BrokenTypes, match="no list of modes"):
            read_graph({**rows(), "modes": broken})

    def test_two_modes_do_not_share_a_rank(self):
        content = rows()
        content["modes"].append({**deepcopy(content["modes"][0]), "slug": "other"})
        content["modes"][1]["enroll_rank"] = 10
        with pytest.raises(BrokenTypes, match="rank 10"):
            read_graph(content)

    def test_every_problem_is_named_at_once(self):
        content = rows()
        content["modes"][0] |= {"payee": "me", "certificate_type": "gold"}
        with pytest.raises(BrokenTypes) as caught:
            read_graph(content)
        assert len(caught.value.extra["problems"]) == 2

    def test_rows_of_operators_alone_are_no_graph(self):
        with pytest.raises(BrokenTypes):
            seeded_graph(Origin.OPERATOR)

    def test_a_run_type_has_a_seat_type_once(self):
        seat_type = SeatType(slug="audit")
        tracks = tuple(Track(mode=Mode(slug=slug, is_audit=True), seat_type=seat_type) for slug in ("audit", "spoc"))
        run_type = RunType(slug="twice", tracks=tracks)
        with pytest.raises(BrokenTypes, match="seat type 'audit' more than once"):
            TypeGraph.of(modes=[], seat_types=[seat_type], run_types=[run_type], course_types=[])

    def test_values_are_checked_like_rows(self):
        mode = Mode(slug="masters")
        run_type = RunType(slug="masters", tracks=(Track(mode=mode, seat_type=SeatType(slug="masters")),))
        with pytest.raises(BrokenTypes, match="sell it as audit"):
            TypeGraph.of(modes=[mode], seat_types=[], run_types=[run_type], course_types=[])
