"""Each function of the cases, answered by the real rules."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.matching import Match, match
from enterprise_access.apps.course_types.domain.modes import downgrade_target, enroll_by, pick
from enterprise_access.apps.course_types.domain.products import (
    UPGRADE_DEADLINE_DAYS,
    Route,
    TypedRun,
    default_upgrade_deadline,
    spec,
)
from enterprise_access.apps.course_types.domain.seeds import Origin, seeded_graph
from enterprise_access.apps.course_types.domain.transitions import check_course, check_run
from enterprise_access.apps.course_types.domain.values import CourseType, RunType
from enterprise_access.apps.course_types.management.oracle_file.reading import (
    read_lost_subsidy,
    read_modes,
    read_pairs,
    read_seat_deadline,
    read_slugs,
    read_slugs_or_none,
    read_track,
    seat_type_of,
    text_or_none,
    told,
)
from enterprise_access.lib.oracle import (
    Members,
    UnreadableMemberError,
    boolean,
    instant,
    list_of,
    name_in,
    text,
    whole_number,
)

_GRAPHS: Final[Mapping[str, tuple[Origin, ...]]] = {
    "upstream": (Origin.UPSTREAM,),
    "upstream+operator": (Origin.UPSTREAM, Origin.OPERATOR),
}
_ALL_ROWS: Final = "upstream+operator"
# What a run of the cases of `spec` ends at, unless they say so: the format leaves it out.
_END_OF_SPECIFIED_RUN: Final = datetime(2025, 6, 30, tzinfo=UTC)


def answer_match(case: Members) -> Any:
    seats = case.get("runs_seats", list_of(read_slugs))
    unknown: tuple[None, ...] = (None,) * len(seats)
    run_types: tuple[str | None, ...] = case.optional("run_types", list_of(text_or_none), unknown)
    lms_modes: tuple[tuple[str, ...] | None, ...] = case.optional("lms_modes", list_of(read_slugs_or_none), unknown)
    for name, values in (("run_types", run_types), ("lms_modes", lms_modes)):
        if len(values) != len(seats):
            raise UnreadableMemberError(f"{name} has {len(values)} entries for {len(seats)} runs.")
    # Runs have no keys in the file: their places, which keep their order, serve.
    found = match(
        _graph(case),
        entitlements=case.optional("entitlements", read_slugs, ()),
        seats_by_run={str(place): slugs for place, slugs in enumerate(seats)},
        course_type=case.optional("course_type", text, None),
        run_types={str(place): slug for place, slug in enumerate(run_types)},
        allow=case.optional("allow", read_pairs, ()),
        lms_modes_by_run={str(place): modes for place, modes in enumerate(lms_modes)},
    )
    if isinstance(found, Match):
        return {"matched": True, "course_type": found.course_type, "run_types": list(found.run_types.values())}
    return {"matched": False}


def answer_check_run(case: Members) -> str:
    graph = _graph(case)
    old = case.nullable("old", text)
    course_type = case.optional("course_type", text, None)
    transition = check_run(
        old=None if old is None else graph.run_type(old),
        new=graph.run_type(case.get("new", text)),
        published=case.get("published", boolean),
        course_type=None if course_type is None else graph.course_type(course_type),
    )
    return told(transition.is_allowed)


def answer_check_course(case: Members) -> str:
    graph = _graph(case)
    old = case.optional("old", text, None)
    entitlement = case.optional("entitlement", text, None)
    transition = check_course(
        old=None if old is None else graph.course_type(old),
        new=graph.course_type(case.get("new", text)),
        entitlements=() if entitlement is None else (entitlement,),
        published=case.get("published", boolean),
        run_types=case.optional("run_types", read_slugs, ()),
        org=case.optional("org", text, None),
    )
    return told(transition.is_allowed)


def answer_pick(case: Members) -> str:
    return pick(case.get("modes", read_modes))


def answer_enroll_by(case: Members) -> datetime | None:
    return enroll_by(
        case.optional("seats", list_of(read_seat_deadline), ()),
        enrollment_ends_at=case.optional("enrollment_end", instant, None),
        is_executive_education=case.optional("exec_ed", boolean, False),
    )


def answer_default_upgrade_deadline(case: Members) -> datetime | None:
    return default_upgrade_deadline(
        run_ends_at=case.nullable("run_end", instant),
        has_upgrade_deadline=seat_type_of(case.get("seat_type", text)).has_upgrade_deadline,
        days=case.optional("days", whole_number, UPGRADE_DEADLINE_DAYS),
    )


def answer_spec(case: Members) -> Any:
    run_type = RunType(slug="specified", tracks=case.get("tracks", list_of(read_track)))
    course_type = CourseType(slug="specified", entitlement_types=case.optional("entitlement_types", read_slugs, ()))
    ends_at = case.nullable("run_end", instant) if "run_end" in case.raw else _END_OF_SPECIFIED_RUN
    specified = spec(course_type=course_type, runs={"run": TypedRun(run_type=run_type, ends_at=ends_at)})
    seats = specified.runs["run"].seats
    products: set[tuple[Any, ...]] = {
        ("Seat", seat.certificate_type, seat.is_id_verified, seat.expires_at) for seat in seats
    }
    products |= {("Course Entitlement", slug, None, None) for slug in specified.entitlements}
    lms_has = case.optional("lms_has", read_slugs, ())
    return {
        "ecommerce_products": products,
        "lms_modes_via_ecommerce": specified.runs["run"].modes_via(Route.ECOMMERCE),
        "lms_modes_pushed_directly": specified.runs["run"].modes_to_push(lms_has=lms_has),
    }


def answer_downgrade_target(case: Members) -> str:
    target = downgrade_target(
        case.get("lms_modes", read_modes),
        is_run_completed=case.optional("run_completed", boolean, False),
        subsidy=case.get("event", read_lost_subsidy),
    )
    return target.value


def _graph(case: Members) -> TypeGraph:
    return seeded_graph(*_GRAPHS[case.optional("graph", name_in(_GRAPHS), _ALL_ROWS)])
