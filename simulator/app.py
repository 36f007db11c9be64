"""Put the upstream services, the portal page and the control interface together into one WSGI program."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
from attrs import frozen
from flask import Flask, Response, current_app, request
from flask.typing import RouteCallable
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from . import answers
from .catalog import SERVICE as CATALOG
from .control import control
from .discovery import SERVICE as DISCOVERY
from .faults import NEIGHBOURS, FaultLayer, Faults
from .license_manager import SERVICE as LICENSE_MANAGER
from .lms import SERVICE as LMS
from .mails import mails
from .portal_pages import portal
from .seed import seed
from .subsidy import SERVICE as SUBSIDY
from .throttles import Throttles
from .tokens import AUDIENCE, ISSUER, Tokens, throwaway_jwk
from .world import World, utc_now

SERVICES = (LMS, CATALOG, LICENSE_MANAGER, DISCOVERY, SUBSIDY)
_SERVICE_OF = {blueprint.name: service for service in SERVICES for blueprint in service.blueprints}


@frozen(kw_only=True)
class Simulator:
    """What belongs to one program: reachable as `app.extensions["simulator"]`."""

    world: World
    tokens: Tokens
    faults: Faults
    throttles: Throttles
    service_url: str
    mails_folder: Path | None = None


def create_app(
    world: World | None = None,
    *,
    state_file: str | Path | None = None,
    signing_key: str | Mapping[str, Any] | None = None,
    service_url: str = "http://127.0.0.1:8000",
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
    now: Callable[[], datetime] = utc_now,
    mails_folder: str | Path | None = None,
) -> Flask:
    """Build the program around `world`, or around the named world.

    `state_file` keeps the state over restarts. `signing_key` is a private RSA JWK (JSON text or mapping); without one a
    throwaway key is made. `mails_folder`: where the service leaves its mails.
    """
    world = world or World(now=now, seed=seed)
    if state_file is not None:
        world.keep_in(Path(state_file))
    jwk = json.loads(signing_key) if isinstance(signing_key, str) else signing_key or throwaway_jwk()
    app = copy.copy(_routes())
    app.before_request_funcs = copy.deepcopy(app.before_request_funcs)
    app.extensions = {
        "simulator": Simulator(
            world=world,
            tokens=Tokens(world=world, signing_jwk=jwk, issuer=issuer, audience=audience),
            faults=(faults := Faults()),
            throttles=Throttles(),
            service_url=service_url.rstrip("/"),
            mails_folder=Path(mails_folder) if mails_folder else None,
        )
    }
    app.wsgi_app = FaultLayer(app, app.wsgi_app, world=world, faults=faults)  # type: ignore[method-assign]
    return app


def simulator_of(app: Flask) -> Simulator:
    """Return what `create_app` put together: world, tokens, faults."""
    simulator: Simulator = app.extensions["simulator"]
    return simulator


@functools.cache
def _routes() -> Flask:
    """Return the program without a world. Compiling the routes takes longer than most tests, and they hold no state."""
    app = Flask(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    for service in SERVICES:
        for blueprint in service.blueprints:
            app.register_blueprint(blueprint)
    app.register_blueprint(portal)
    app.register_blueprint(mails)
    app.register_blueprint(control)
    _add_handlers(app)
    for name, view in app.view_functions.items():
        app.view_functions[name] = _locked(view)
    return app


def _locked(view: RouteCallable) -> RouteCallable:
    """One call at a time sees and changes the world."""

    def locked(**arguments: Any) -> Any:
        with simulator_of(current_app).world.lock:
            return view(**arguments)

    return locked


def _add_handlers(app: Flask) -> None:
    app.before_request(_throttle)
    app.after_request(_redirect_as_django_does)
    app.register_error_handler(answers.Abort, lambda abort: abort.response)
    app.register_error_handler(MethodNotAllowed, _method_not_allowed)
    app.register_error_handler(404, _page_not_found)


def _throttle() -> Response | None:
    """Answer 429 where a rate is used up, if the world's throttles are switched on."""
    simulator = simulator_of(current_app)
    service = _SERVICE_OF.get(request.blueprint or "")
    if not simulator.world.quirks.has_throttles or request.endpoint is None or service is None:
        return None
    claims = _unverified_claims()
    limit = service.limit_of(request.endpoint, claims)
    if limit is None:
        return None
    address = request.remote_addr or "somewhere"
    who = address if limit.is_per_address else str(claims.get("preferred_username", address))
    wait = simulator.throttles.seconds_to_wait(scope=limit.scope, who=who, rates=limit.rates, now=simulator.world.now())
    return answers.throttled(wait) if wait else None


def _unverified_claims() -> dict[str, Any]:
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return claims


def _redirect_as_django_does(response: Response) -> Response:
    """A missing slash: 301 with an empty body and a relative location."""
    if response.status_code == 308:
        parts = urlsplit(response.headers["Location"])
        location = parts.path + (f"?{parts.query}" if parts.query else "")
        response = Response(b"", status=301, content_type="text/html; charset=utf-8")
        response.autocorrect_location_header = False
        response.headers["Location"] = location
    return response


def _method_not_allowed(error: MethodNotAllowed) -> Response:
    """Credentials are looked at first, as in Django REST framework."""
    if request.path.lstrip("/").split("/", 1)[0].replace("-", "_") in NEIGHBOURS:
        try:
            answers.authenticate()
        except answers.Abort as abort:
            return abort.response
    response = answers.detail(f'Method "{request.method}" not allowed.', 405)
    response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


def _page_not_found(_error: HTTPException) -> Response:
    return answers.html_page(404, *answers.NOT_FOUND)
