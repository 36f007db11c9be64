"""The platform's enrollment API: the truth about who is enrolled where, and about the modes of a run."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from .. import enrolling
from ..answers import answer, authenticate, detail, instant, the_world
from ..tables import fold
from ..values import Enrollment, Mode, Run, User
from ..world import World

platform = Blueprint("platform", __name__, url_prefix="/lms/api/enrollment/v1")
PAGE_SIZE = 100
MODE_NAMES = {"verified": "Verified Certificate", "no-id-professional": "Professional Certificate"}
DEFAULT_MODES = (Mode(slug="audit", price=0),)


@platform.get("/enrollments/", strict_slashes=False)
def enrollments() -> Response:
    """All enrollments of some learners, active or not, in cursor pages of 100 rows. Global staff only."""
    world, caller = the_world(), authenticate()
    if not caller.is_staff:
        return detail("You do not have permission to perform this action.", 403)
    rows = _asked_rows(world)
    start = _offset(request.args.get("cursor"))
    after = start + PAGE_SIZE
    body = {
        "next": _link(after) if after < len(rows) else None,
        "previous": _link(max(0, start - PAGE_SIZE)) if start else None,
        "results": [_record(user, row) for user, row in rows[start:after]],
    }
    return answer(body)


@platform.get("/course/<run_key>/", strict_slashes=False)
def course(run_key: str) -> Response:
    """One run with its modes. Looks at no credentials."""
    run = the_world().tables.runs.get(fold(run_key))
    if run is None or not run.is_in_lms:
        return answer({"message": f"No course found for course ID '{run_key}'"}, 400)
    return answer(_course_record(run))


@platform.post("/enrollment")
def change_enrollment() -> Response:
    """Leave a run, or enroll in it, as the learner's own dashboard does."""
    world, caller = the_world(), authenticate()
    body = request.get_json(silent=True) or {}
    run = world.tables.runs.get(fold(str(body.get("course_details", {}).get("course_id", ""))))
    username = body.get("user") or caller.username
    if run is None or not run.is_in_lms:
        return answer({"message": "No course found for that course ID."}, 400)
    if fold(username) != fold(caller.username) and not caller.is_staff:
        return Response(status=404)
    user = world.tables.users.get(fold(username))
    if user is None:
        return answer({"message": f"The user {username} does not exist."}, 406)
    return _change(world, user=user, run=run, body=body)


def _change(world: World, *, user: User, run: Run, body: dict[str, Any]) -> Response:
    old = world.tables.enrollments.get((user.id, fold(run.key)))
    if body.get("is_active") is False:
        if old is None:
            return answer({"message": f"The user {user.username} is not enrolled in {run.key}."}, 400)
        row = enrolling.leave(world, row=old) if old.is_active else old
    else:
        mode = str(body.get("mode") or "audit")
        row = enrolling.write_enrollment(world, user_id=user.id, run_key=run.key, mode=mode, is_active=True)
    return answer(_record(user, row) | {"course_details": _course_record(run)})


def _asked_rows(world: World) -> list[tuple[User, Enrollment]]:
    """Return the rows of the learners requested, oldest last, filtered by run where runs are named."""
    args, users = request.args, world.tables.users
    names = [name.strip() for name in args.get("username", "").split(",") if name.strip()]
    emails = [email.strip() for email in args.get("email", "").split(",") if email.strip()]
    found = [users.get(fold(name)) for name in names] + [users.first(email=fold(email)) for email in emails]
    runs = {fold(key) for name in ("course_id", "course_ids") for key in args.get(name, "").split(",") if key}
    people = list(users) if runs and not names and not emails else [user for user in found if user is not None]
    rows = [(user, row) for user in people for row in world.tables.enrollments.where(user=user.id)]
    rows = [pair for pair in rows if not runs or fold(pair[1].run_key) in runs]
    return sorted(rows, key=lambda pair: pair[1].created_at, reverse=True)


def _record(user: User, row: Enrollment) -> dict[str, Any]:
    return {
        "created": instant(row.created_at),
        "mode": row.mode,
        "is_active": row.is_active,
        "user": user.username,
        "course_id": row.run_key,
    }


def _course_record(run: Run) -> dict[str, Any]:
    now = the_world().now()
    is_everything = bool(request.args.get("include_expired"))
    modes = [it for it in run.modes or DEFAULT_MODES if is_everything or it.expires_at is None or it.expires_at > now]
    return {
        "course_id": run.key,
        "course_name": run.title,
        "enrollment_start": instant(run.enrollment_start),
        "enrollment_end": instant(run.enrollment_end),
        "course_start": instant(run.start),
        "course_end": instant(run.end),
        "invite_only": run.is_invitation_only,
        "course_modes": [_mode_record(mode) for mode in modes],
        "pacing_type": "Self Paced" if run.is_self_paced else "Instructor Paced",
    }


def _mode_record(mode: Mode) -> dict[str, Any]:
    return {
        "slug": mode.slug,
        "name": MODE_NAMES.get(mode.slug, mode.slug.replace("-", " ").title()),
        "min_price": mode.price,
        "suggested_prices": "",
        "currency": "usd",
        "expiration_datetime": instant(mode.expires_at),
        "description": None,
        "sku": None,
        "bulk_sku": None,
    }


def _offset(cursor: str | None) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("o=")) if cursor else 0
    except ValueError:
        return 0


def _link(offset: int) -> str:
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    cursor = base64.urlsafe_b64encode(f"o={offset}".encode()).decode()
    return f"{request.base_url}?{urlencode([('cursor', cursor), *pairs])}"
