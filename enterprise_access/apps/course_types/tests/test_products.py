"""What a course should have by its types, and what a difference leads to."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from attrs import evolve

from enterprise_access.apps.course_types.domain.differences import (
    ActualCourse,
    ActualRun,
    ActualSeat,
    Finding,
    FindingKind,
    Subject,
    diff,
)
from enterprise_access.apps.course_types.domain.products import (
    CourseSpec,
    Route,
    TypedRun,
    default_upgrade_deadline,
    spec,
    spec_of_run,
)
from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.domain.values import CourseType, Mode, RunType, SeatType, Track

GRAPH = seeded_graph()
RUN = "course-v1:edX+DemoX+2025"
RUN_ENDS_AT = datetime(2025, 6, 30, 13, tzinfo=UTC)
DEADLINE = datetime(2025, 6, 20, 23, 59, 59, tzinfo=UTC)


def typed(slug: str, **facts: Any) -> TypedRun:
    return TypedRun(run_type=GRAPH.run_type(slug), ends_at=RUN_ENDS_AT, **facts)


def course(course_type: str, run_type: str) -> CourseSpec:
    return spec(course_type=GRAPH.course_type(course_type), runs={RUN: typed(run_type)})


def as_specified(wanted: CourseSpec) -> ActualCourse:
    """Return a course that has exactly what it should have."""
    return ActualCourse(
        entitlements=frozenset(wanted.entitlements),
        runs={
            key: ActualRun(
                seats={
                    seat.seat_type: ActualSeat(
                        certificate_type=seat.certificate_type,
                        is_id_verified=seat.is_id_verified,
                        expires_at=seat.expires_at,
                    )
                    for seat in run.seats
                },
                lms_modes=frozenset(mode.slug for mode in run.modes),
            )
            for key, run in wanted.runs.items()
        },
    )


class TestSpecification:
    def test_a_seat_for_each_track_that_has_one(self):
        run = spec_of_run(typed("credit-verified-audit"))
        told = {
            seat.seat_type: (seat.certificate_type, seat.is_id_verified, seat.expires_at, seat.lms_mode)
            for seat in run.seats
        }
        assert told == {
            "audit": ("", False, None, "audit"),
            "credit": ("credit", False, None, "credit"),
            "verified": ("verified", True, DEADLINE, "verified"),
        }

    def test_modes_without_a_product_take_the_direct_way(self):
        run = spec_of_run(typed("masters-verified-audit"))
        assert run.modes_via(Route.ECOMMERCE) == {"audit", "verified"}
        assert run.modes_via(Route.DIRECT) == {"masters"}

    def test_discovery_pushes_only_what_the_lms_lacks(self):
        run = spec_of_run(typed("masters"))
        assert run.modes_to_push(lms_has=[]) == {"masters"}
        assert run.modes_to_push(lms_has=["masters", "audit"]) == frozenset()

    def test_a_mode_that_a_seat_brings_is_not_pushed_besides(self):
        spoc = Track(mode=Mode(slug="spoc"), seat_type=SeatType(slug="spoc"))
        run = spec_of_run(TypedRun(run_type=RunType(slug="x", tracks=(spoc, Track(mode=GRAPH.modes["audit"])))))
        assert [(mode.slug, mode.route) for mode in run.modes] == [("audit", Route.ECOMMERCE)]

    def test_nothing_known_means_nothing_to_have(self):
        assert spec_of_run(typed("empty")) == spec_of_run(TypedRun(run_type=RunType(slug="other")))

    @pytest.mark.parametrize(
        ("course_type", "entitlements"),
        [
            ("audit", ()),
            ("masters", ()),
            ("verified-audit", ("verified",)),
            ("executive-education-2u", ("paid-executive-education",)),
        ],
    )
    def test_a_course_has_the_entitlement_of_its_type(self, course_type, entitlements):
        assert spec(course_type=GRAPH.course_type(course_type), runs={}).entitlements == entitlements

    def test_an_entitlement_that_discovery_does_not_publish_is_no_product(self):
        assert spec(course_type=CourseType(slug="x", entitlement_types=("audit",)), runs={}).entitlements == ()

    def test_a_stored_deadline_wins_over_the_end_of_the_run(self):
        stored = DEADLINE - timedelta(days=3)
        run = spec_of_run(typed("verified", upgrade_deadlines={"verified": stored}))
        assert [seat.expires_at for seat in run.seats] == [stored]

    def test_a_professional_seat_never_expires(self):
        run = spec_of_run(typed("professional", upgrade_deadlines={"professional": DEADLINE}))
        assert [seat.expires_at for seat in run.seats] == [None]

    def test_the_deadline_goes_by_the_seat_and_not_by_the_mode(self):
        track = Track(mode=GRAPH.modes["verified"], seat_type=SeatType(slug="spoc"))
        run = spec_of_run(TypedRun(run_type=RunType(slug="x", tracks=(track,)), ends_at=RUN_ENDS_AT))
        assert [(seat.certificate_type, seat.expires_at) for seat in run.seats] == [("verified", None)]

    def test_a_run_without_an_end_sells_for_ever(self):
        run = spec_of_run(TypedRun(run_type=GRAPH.run_type("verified")))
        assert [seat.expires_at for seat in run.seats] == [None]


class TestDefaultDeadline:
    def test_it_is_the_last_moment_of_a_day_in_the_zone_of_the_runs_end(self):
        zone = timezone(timedelta(hours=5))
        ends_at = datetime(2025, 3, 5, 1, tzinfo=zone)
        deadline = default_upgrade_deadline(run_ends_at=ends_at, has_upgrade_deadline=True)
        assert deadline == datetime(2025, 2, 23, 23, 59, 59, 99_999, tzinfo=zone)

    def test_other_days_may_be_asked_for(self):
        deadline = default_upgrade_deadline(run_ends_at=RUN_ENDS_AT, has_upgrade_deadline=True, days=0)
        assert deadline == datetime(2025, 6, 30, 23, 59, 59, 99_999, tzinfo=UTC)

    def test_a_seat_that_has_no_deadline_gets_none(self):
        assert default_upgrade_deadline(run_ends_at=RUN_ENDS_AT, has_upgrade_deadline=False) is None
        assert default_upgrade_deadline(run_ends_at=None, has_upgrade_deadline=True) is None


class TestDifferences:
    WANTED = course("masters-verified-audit", "masters-verified-audit")
    HAS = as_specified(WANTED)

    def with_run(self, **changes: Any) -> ActualCourse:
        return evolve(self.HAS, runs={RUN: evolve(self.HAS.runs[RUN], **changes)})

    def without_seat(self, slug: str) -> ActualCourse:
        seats = self.HAS.runs[RUN].seats or {}
        return self.with_run(seats={other: seat for other, seat in seats.items() if other != slug})

    def with_seat(self, slug: str, seat: ActualSeat) -> ActualCourse:
        return self.with_run(seats={**(self.HAS.runs[RUN].seats or {}), slug: seat})

    def only(self, actual: ActualCourse) -> Finding:
        [finding] = diff(self.WANTED, actual)
        return finding

    def test_what_is_as_it_should_be_does_not_differ(self):
        assert diff(self.WANTED, self.HAS) == ()

    def test_what_could_not_be_learned_does_not_differ(self):
        assert diff(self.WANTED, ActualCourse()) == ()
        assert diff(self.WANTED, self.with_run(seats=None, lms_modes=None)) == ()
        assert diff(self.WANTED, self.with_seat("verified", ActualSeat())) == ()

    def test_without_an_audit_seat_a_revocation_will_unenroll(self):
        finding = self.only(self.without_seat("audit"))
        assert (finding.kind, finding.subject, finding.slug, finding.run_key) == (
            FindingKind.MISSING,
            Subject.SEAT,
            "audit",
            RUN,
        )
        assert "removes the LMS mode audit" in finding.consequence
        assert "un-enrolls" in finding.consequence

    def test_another_missing_seat_cannot_be_bought(self):
        assert "Nobody can buy it" in self.only(self.without_seat("verified")).consequence

    def test_a_seat_of_no_track_blocks_removals(self):
        finding = self.only(self.with_seat("credit", ActualSeat()))
        assert (finding.kind, finding.slug) == (FindingKind.UNEXPECTED, "credit")
        assert "Discovery refuses it" in finding.consequence

    @pytest.mark.parametrize(
        ("has", "kind", "slug"),
        [
            (frozenset(), FindingKind.MISSING, "verified"),
            (frozenset({"verified", "professional"}), FindingKind.UNEXPECTED, "professional"),
        ],
    )
    def test_entitlements_are_of_the_course(self, has, kind, slug):
        finding = self.only(evolve(self.HAS, entitlements=has))
        assert (finding.kind, finding.subject, finding.slug, finding.run_key) == (kind, Subject.ENTITLEMENT, slug, None)

    @pytest.mark.parametrize(
        ("slug", "consequence"),
        [
            ("audit", "un-enrolls instead of moving"),
            ("verified", "until the run is next published through ecommerce"),
            ("masters", "discovery adds it when the run is next saved after review."),
        ],
    )
    def test_a_mode_that_the_lms_lacks(self, slug, consequence):
        modes = (self.HAS.runs[RUN].lms_modes or frozenset()) - {slug}
        finding = self.only(self.with_run(lms_modes=modes))
        assert (finding.kind, finding.subject, finding.slug) == (FindingKind.MISSING, Subject.LMS_MODE, slug)
        assert consequence in finding.consequence

    def test_a_direct_mode_that_the_lms_does_not_protect_does_not_last(self):
        run_type = RunType(slug="x", tracks=(Track(mode=Mode(slug="spoc")),))
        wanted = spec(course_type=CourseType(slug="x"), runs={RUN: TypedRun(run_type=run_type)})
        [finding] = diff(wanted, ActualCourse(runs={RUN: ActualRun(lms_modes=frozenset())}))
        assert "removes it again" in finding.consequence

    @pytest.mark.parametrize(
        ("slug", "consequence"), [("honor", "publication through ecommerce removes it"), ("masters", "by hand")]
    )
    def test_a_mode_that_the_lms_has_besides(self, slug, consequence):
        wanted = course("verified-audit", "verified-audit")
        actual = ActualCourse(runs={RUN: ActualRun(lms_modes=frozenset({"audit", "verified", slug}))})
        [finding] = diff(wanted, actual)
        assert (finding.kind, finding.slug) == (FindingKind.UNEXPECTED, slug)
        assert consequence in finding.consequence

    @pytest.mark.parametrize(
        ("seat", "detail", "consequence"),
        [
            (ActualSeat(certificate_type=""), "none instead of verified", "another LMS mode"),
            (ActualSeat(is_id_verified=False), "ID check off instead of on", "prove who they are"),
            (ActualSeat(expires_at=RUN_ENDS_AT), "2025-06-30T13:00:00+00:00 instead of 2025", "at another time"),
        ],
    )
    def test_a_seat_that_is_sold_otherwise(self, seat, detail, consequence):
        finding = self.only(self.with_seat("verified", seat))
        assert finding.kind is FindingKind.MISMATCHED
        assert detail in finding.detail
        assert consequence in finding.consequence

    @pytest.mark.parametrize(
        ("seat", "consequence"),
        [
            (ActualSeat(is_id_verified=False), "mode no-id-professional instead of professional"),
            (ActualSeat(expires_at=RUN_ENDS_AT), "refuses to let such a mode expire"),
        ],
    )
    def test_a_professional_seat_that_is_sold_otherwise(self, seat, consequence):
        wanted = course("professional", "professional")
        [finding] = diff(wanted, ActualCourse(runs={RUN: ActualRun(seats={"professional": seat})}))
        assert consequence in finding.consequence
