"""course-discovery, as far as types go: what may be put into a course (OPTIONS), and the courses themselves.

The types are no resource of its API. They come only with the description of a course, for who may change it.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from ..answers import Abort, Caller, answer, authenticate, detail, instant, page_of, the_world
from ..tables import fold
from ..values import Course, Run, uuid_for
from ..world import World
from .types import COURSE_TYPES, MODES, RUN_TYPES, CourseType, RunType, entitlement_of, run_type_of

discovery = Blueprint("discovery", __name__, url_prefix="/discovery")
API = "/api/v1/courses"


@discovery.get(f"{API}/")
def courses() -> Response:
    """A page of courses; `keys` are separated by commas, and match exactly. Drafts only for who may edit them."""
    world = the_world()
    caller = authenticate()
    rows = sorted(world.tables.courses, key=lambda row: fold(row.key))
    if keys := request.args.get("keys"):
        rows = [row for row in rows if row.key in keys.split(",")]
    if not (request.args.get("editable") and caller.is_staff):
        rows = [row for row in rows if row.is_synced]
    page = page_of(rows, size=20, largest=100)
    return answer(page.short_envelope(_course_record(world, row) for row in page.rows))


@discovery.get(f"{API}/<key>/", provide_automatic_options=False)
def course(key: str) -> Response:
    authenticate()
    return answer(_course_record(the_world(), _course(key)))


@discovery.route(f"{API}/<key>/", methods=["OPTIONS"])
def options(key: str) -> Response:
    """Describe a course. What may be changed is told only to who may change it."""
    caller = authenticate()
    row = _course(key)
    about: dict[str, Any] = {
        "name": "Course Instance",
        "description": "CourseViewSet",
        "renders": ["application/json"],
        "parses": ["application/json", "multipart/form-data", "application/x-www-form-urlencoded"],
    }
    if _may_edit(caller, row):
        about["actions"] = {"PUT": {"type": _type_field(caller)}}
    return answer(about)


def _may_edit(caller: Caller, row: Course) -> bool:
    return caller.is_staff or f"course_editor:{row.organization}" in caller.roles


def _type_field(caller: Caller) -> dict[str, Any]:
    return {
        "type": "field",
        "required": False,
        "read_only": False,
        "label": "Type",
        "type_options": [_option(row) for row in COURSE_TYPES if row.slug != "empty" and _is_shown(row, caller)],
    }


def _is_shown(row: CourseType, caller: Caller) -> bool:
    return not row.orgs or caller.is_staff


def _option(row: CourseType) -> dict[str, Any]:
    run_types = [RUN_TYPES[slug] for slug in row.run_types]
    tracks = dict.fromkeys(track for run_type in run_types for track in run_type.tracks)
    return {
        "uuid": str(uuid_for("course type", row.slug)),
        "name": row.name,
        "entitlement_types": [row.entitlement] if row.entitlement else [],
        "course_run_types": [_run_type_record(run_type) for run_type in run_types],
        "tracks": [_track_record(*track) for track in tracks],
    }


def _run_type_record(row: RunType) -> dict[str, Any]:
    return {
        "uuid": str(uuid_for("run type", row.slug)),
        "name": row.name,
        "is_marketable": row.slug != "empty",
        "modes": [mode for mode, _ in row.tracks],
    }


def _track_record(mode: str, seat_type: str | None) -> dict[str, Any]:
    row = MODES[mode]
    return {
        "seat_type": {"name": seat_type.replace("-", " ").title(), "slug": seat_type} if seat_type else None,
        "mode": {
            "name": row.name,
            "slug": row.slug,
            "is_id_verified": row.is_id_verified,
            "is_credit_eligible": row.is_credit_eligible,
            "certificate_type": row.certificate_type,
            "payee": row.payee,
        },
    }


def _course(key: str) -> Course:
    row = the_world().tables.courses.get(fold(key))
    if row is None:
        raise Abort(detail("No Course matches the given query.", 404))
    return row


def _course_record(world: World, row: Course) -> dict[str, Any]:
    entitlement = entitlement_of(row)
    runs = world.tables.runs.where(course=fold(row.key))
    return {
        "key": row.key,
        "uuid": str(row.uuid),
        "title": row.title,
        "draft": not row.is_synced,
        "type": str(uuid_for("course type", row.course_type)),
        "course_type": row.course_type,
        "entitlements": [{"mode": entitlement, "price": "149.00", "currency": "USD", "sku": None, "expires": None}]
        if entitlement
        else [],
        "course_runs": [_run_record(run) for run in runs],
    }


def _run_record(run: Run) -> dict[str, Any]:
    return {
        "key": run.key,
        "uuid": str(run.uuid),
        "title": run.title,
        "status": run.status,
        "run_type": str(uuid_for("run type", run_type_of(run))),
        "start": instant(run.start),
        "end": instant(run.end),
        "enrollment_start": instant(run.enrollment_start),
        "enrollment_end": instant(run.enrollment_end),
        "seats": [
            {
                "type": seat.type,
                "price": f"{seat.price_cents / 100:.2f}",
                "currency": "USD",
                "upgrade_deadline": instant(seat.upgrade_deadline),
                "upgrade_deadline_override": instant(seat.upgrade_deadline_override),
                "credit_provider": None,
                "credit_hours": None,
                "sku": None,
                "bulk_sku": None,
            }
            for seat in run.seats
        ],
    }
