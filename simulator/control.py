"""The control interface under /control/: faults, quirks, changes of the world, the log, reset.

POST   /control/faults        {"kind": "drop", "endpoint": "lms.enroll_learners", "times": 2}
DELETE /control/faults        switch all off (?endpoint= for one); GET lists them
PATCH  /control/quirks        {"has_throttles": true}
POST   /control/world/<verb>  arguments of the verb as JSON, e.g. advertise {"course_key": .., "run_key": ..}
GET    /control/log           calls and changes (?service=&endpoint=&since=); DELETE forgets them
POST   /control/token         {"username": "ada"[, "expires_in_seconds": -60]}
POST   /control/reset         back to the seed, no faults
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
from flask import Blueprint, Response, current_app, request

from . import codec
from .answers import answer, the_tokens, the_world
from .faults import FaultKind, Faults
from .licensing import NoLicenseLeft, NotPossible
from .quirks import Quirks
from .values import LicenseStatus
from .world import UnknownName, World

control = Blueprint("control", __name__, url_prefix="/control")

VERBS = (
    "advertise",
    "change_course",
    "change_run",
    "close_run",
    "unpublish_run",
    "expire_mode",
    "link",
    "unlink",
    "rename_email",
    "rename_user",
    "enroll",
    "leave",
    "assign",
    "activate",
    "auto_apply",
    "revoke",
    "revoke_enrollments",
    "change_plan",
    "change_catalog",
    "add_customer",
    "add_learner",
    "add_user",
    "add_course",
    "add_run",
    "add_open_course",
    "add_catalog",
    "add_plan",
    "add_license",
    "add_group",
    "set_member",
    "freeze_replica",
    "catch_up_replica",
)
SAME_AS = {"unenroll": "leave", "relink": "link", "advertise_run": "advertise"}


@control.get("/")
def help_text() -> Response:
    """Say what can be switched."""
    world = World
    verbs = {verb: str(inspect.signature(getattr(world, verb))) for verb in VERBS}
    kinds = [str(kind) for kind in FaultKind]
    return answer({"faults": kinds, "endpoints": _endpoints(), "quirks": _quirks(), "verbs": verbs, "same": SAME_AS})


@control.get("/faults")
def list_faults() -> Response:
    return answer([attrs.asdict(fault) | {"left": left} for fault, left in _faults().armed()])


@control.post("/faults")
def add_fault() -> Response:
    body = _body()
    try:
        fault = _faults().add(**body)
    except (TypeError, ValueError) as error:
        return answer({"error": str(error)}, 400)
    return answer(attrs.asdict(fault), 201)


@control.delete("/faults")
def clear_faults() -> Response:
    _faults().clear(request.args.get("endpoint"))
    return answer({})


@control.post("/late-work")
def finish_late_work() -> Response:
    return answer({"done": _faults().finish_late_work()})


@control.get("/quirks")
def list_quirks() -> Response:
    return answer(_quirks())


@control.patch("/quirks")
def set_quirks() -> Response:
    body = _body()
    unknown = set(body) - {field.name for field in attrs.fields(Quirks)}
    if unknown:
        return answer({"error": f"No such quirk: {', '.join(sorted(unknown))}"}, 400)
    for name, value in body.items():
        setattr(the_world().quirks, name, value)
    return answer(_quirks())


@control.post("/world/<verb>")
def change_world(verb: str) -> Response:
    """Run a verb of the world; answers with the row that it left."""
    verb = SAME_AS.get(verb, verb)
    if verb not in VERBS:
        return answer({"error": f"No such verb: {verb}"}, 404)
    method: Callable[..., Any] = getattr(the_world(), verb)
    try:
        row = method(**_arguments(_body()))
    except UnknownName as error:
        return answer({"error": str(error.args[0])}, 404)
    except (TypeError, ValueError, NotPossible, NoLicenseLeft) as error:
        return answer({"error": str(error) or type(error).__name__}, 400)
    return answer(codec.to_json(row))


@control.get("/log")
def log() -> Response:
    """Calls as the upstream services saw them, and changes of the world, both numbered in the order of their end."""
    journal, args = the_world().journal, request.args
    since = int(args.get("since", 0))
    calls = journal.calls(
        service=args.get("service"), endpoint=args.get("endpoint"), method=args.get("method"), since=since
    )
    changes = journal.changes(what=args.get("what"), table=args.get("table"), since=since)
    return answer({"calls": codec.to_json(calls), "changes": [codec.to_json(change) for change in changes]})


@control.delete("/log")
def forget_log() -> Response:
    the_world().journal.forget()
    return answer({})


@control.post("/token")
def token() -> Response:
    body = _body()
    seconds = body.get("expires_in_seconds", 3600)
    try:
        text = the_tokens().token_for(str(body.get("username")), expires_in=timedelta(seconds=seconds))
    except UnknownName as error:
        return answer({"error": str(error.args[0])}, 404)
    return answer({"token": text})


@control.post("/reset")
def reset() -> Response:
    _faults().clear()
    the_world().reset()
    return answer({})


def _faults() -> Faults:
    faults: Faults = current_app.extensions["simulator"].faults
    return faults


def _quirks() -> dict[str, Any]:
    return attrs.asdict(the_world().quirks)


def _endpoints() -> list[str]:
    names = ("lms.", "platform.", "catalog.", "license_manager.", "subsidy.")
    return sorted(name for name in current_app.view_functions if name.startswith(names))


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _arguments(body: dict[str, Any]) -> dict[str, Any]:
    """Read uuids and instants by the names of the arguments."""
    return {name: _argument(name, value) for name, value in body.items()}


def _argument(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str):
        return value
    if name == "uuid" or name.endswith("_uuid"):
        return UUID(value)
    if name == "status" and value in set(LicenseStatus):
        return LicenseStatus(value)
    is_instant = name in ("start", "end") or name.endswith(("_start", "_end", "_at", "_deadline"))
    return datetime.fromisoformat(value) if is_instant else value
