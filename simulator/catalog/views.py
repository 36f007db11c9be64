"""enterprise-catalog: content, catalogs of customers, and what they contain. v2 takes restricted runs into account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from flask import Blueprint, Response, request

from ..answers import (
    Abort,
    Caller,
    answer,
    authenticate,
    crash,
    detail,
    instant,
    is_any_text,
    page_of,
    the_world,
    uuid_or,
)
from ..tables import fold
from ..values import Catalog, Course, Customer, Run, uuid_for
from ..world import World
from . import constants as constant
from .records import Reader
from .search import all_content, content_in, course_by_uuid, matches, matches_by_course_uuid, render

catalog = Blueprint("catalog", __name__, url_prefix="/catalog")
LONGEST_REQUEST_LINE = 4094
MOST_KEYS = 100
CACHED_SECONDS = 1800
EVERYWHERE = ("enterprise_openedx_operator:*", "enterprise_catalog_admin:*")
NO_CATALOG = "No EnterpriseCatalog matches the given query."
NO_MATCH = "No matching content in any catalog for this customer"
NO_CONTENT = "No ContentMetadata matches the given query."
NO_KEYS = "You must provide at least one of the following query parameters: course_run_ids, program_uuids."
TOO_MANY_KEYS = (
    "get_content_metadata GET requests supports up to 100. If more contentkeys required, please use a POST body."
)
CUSTOMER = "/api/<any(v1, v2):version>/enterprise-customer/<customer>"
CATALOG = "/api/<any(v1, v2):version>/enterprise-catalogs/<catalog_uuid>"


@catalog.before_request
def negotiate() -> Response | None:
    """Answer 406 where the caller accepts no JSON. (The pages for people are left out.)"""
    accepted = request.accept_mimetypes
    if not accepted or accepted.best_match(("application/json", "text/html")):
        return None
    return detail("Could not satisfy the request Accept header.", 406)


@catalog.after_request
def echo_request_id(response: Response) -> Response:
    response.headers["X-Request-ID"] = request.headers.get("X-Request-ID", "None")
    return response


@catalog.get("/health/")
def health() -> Response:
    return answer({"overall_status": "OK", "detailed_status": {"database_status": "OK"}})


# -- content, whatever catalog ----------------------------------------------------------------------------------------


@catalog.get("/api/v1/content-metadata/")
def content_list() -> Response:
    """Bulk: unknown keys are just absent; the page holds ten rows unless told otherwise."""
    world = the_world()
    authenticate()
    rows = {id(row): row for key in request.args.getlist("content_identifiers") if (row := _content(world, key))}
    page = page_of(sorted(rows.values(), key=lambda row: fold(row.key)), size=10)
    return answer(page.short_envelope(render(world, row) for row in page.rows))


@catalog.get("/api/v1/content-metadata/<identifier>/")
def content(identifier: str) -> Response:
    world = the_world()
    authenticate()
    row = _content(world, identifier)
    return answer(render(world, row)) if row else detail(NO_CONTENT, 404)


def _content(world: World, identifier: str) -> Course | Run | None:
    """Return the course or run record of this name; a run becomes its course when the caller wants that."""
    if course := world.tables.courses.get(fold(identifier)) or course_by_uuid(world, identifier):
        return course
    run = world.tables.runs.get(fold(identifier))
    if run is None or not run.has_record:
        return None
    return world.course(run.course_key) if is_any_text("coerce_to_parent_course") else run


# -- one customer -----------------------------------------------------------------------------------------------------


@catalog.get(f"{CUSTOMER}/content-metadata/<identifier>/")
def customer_content(version: str, customer: str, identifier: str) -> Response:
    """The first match in any catalog of the customer."""
    world = the_world()
    _require_learner_access(authenticate(), customer)
    customer_uuid = uuid_or(customer, crash)
    for row in world.tables.catalogs.where(customer=customer_uuid):
        found = matches(world, row, identifier, is_v2=version == "v2") or matches_by_course_uuid(world, row, identifier)
        if found:
            reader = _reader(world, row, knows_customer=not is_any_text("skip_customer_fetch"))
            return answer(render(world, found[0], reader=reader, is_v2=version == "v2"))
    return detail(NO_MATCH, 404)


@catalog.get(f"{CUSTOMER}/contains_content_items/")
def customer_contains(version: str, customer: str) -> Response:
    """Any-of over all keys; the list of catalogs is the union over them."""
    world = the_world()
    _require_learner_access(authenticate(), customer)
    text = f'Error: invalid enterprice customer uuid: "{customer}" provided.'
    customer_uuid = uuid_or(customer, lambda: answer(text, 400))
    keys = _keys_to_find()
    rows = [row for row in world.tables.catalogs.where(customer=customer_uuid) if _contains(world, row, keys, version)]
    body = {"contains_content_items": bool(rows)}
    if is_any_text("get_catalogs_containing_specified_content_ids") or is_any_text("get_catalog_list"):
        return answer(body | {"catalog_list": [str(row.uuid) for row in rows]})
    return answer(body)


@catalog.post(f"{CUSTOMER}/filter_content_items/")
def filter_content(version: str, customer: str) -> Response:
    """Bulk membership with exact, case-sensitive keys; runs only where the catalog holds the run record itself."""
    del version  # both versions answer alike
    world = the_world()
    _require_learner_access(authenticate(), customer)
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        return crash()
    uuids = [uuid_or(str(text), crash) for text in body.get("catalog_uuids") or ()]
    if uuids:
        rows = [row for uuid in uuids if (row := world.tables.catalogs.get(uuid))]
    else:
        rows = world.tables.catalogs.where(customer=uuid_or(customer, crash))
    held = {key for row in rows if row.query_uuid for key in (*row.course_keys, *row.run_keys)}
    return answer({"filtered_content_keys": [key for key in body.get("content_keys") or () if key in held]})


@catalog.get("/api/v1/enterprise-customer/<customer>/secured-algolia-api-key/")
def search_key(customer: str) -> Response:
    """A search key for the caller, valid for an hour."""
    world = the_world()
    caller = authenticate()
    _require_learner_access(caller, customer)
    rows = world.tables.catalogs.where(customer=uuid_or(customer, crash))
    queries = {str(row.uuid): str(row.query_uuid) for row in rows if row.query_uuid}
    key = uuid_for("search key", customer, caller.username).hex
    algolia = {"secured_api_key": key, "valid_until": instant(world.now() + timedelta(hours=1))}
    return answer({"algolia": algolia, "catalog_uuids_to_catalog_query_uuids": queries})


# -- one catalog ------------------------------------------------------------------------------------------------------


@catalog.get("/api/v1/enterprise-catalogs/")
def catalogs() -> Response:
    world, caller = the_world(), authenticate()
    text = request.args.get("enterprise_customer")
    if not _is_admin(caller, text):
        return detail("You do not have permission to perform this action.", 403)
    rows = world.tables.catalogs.where(customer=uuid_or(text, crash)) if text else list(world.tables.catalogs)
    page = page_of(rows, size=10)
    return answer(page.short_envelope(map(_catalog_record, page.rows)))


@catalog.get("/api/v1/enterprise-catalogs/<catalog_uuid>/")
def catalog_detail(catalog_uuid: str) -> Response:
    world, caller = the_world(), authenticate()
    row = _catalog(world, catalog_uuid)
    if not _is_admin(caller, row.customer_uuid):
        return detail("MISSING: catalog.has_admin_access", 403)
    return answer(_catalog_record(row))


@catalog.get(f"{CATALOG}/contains_content_items/")
def catalog_contains(version: str, catalog_uuid: str) -> Response:
    """Any-of; the answer to an exact URL is kept for half an hour, so that changes of the catalog show late."""
    world, caller = the_world(), authenticate()
    row = _catalog(world, catalog_uuid)
    _require_learner_access(caller, row.customer_uuid)
    keys = _keys_to_find()
    now = world.now()
    until, is_contained = world.contains_cache.get(request.full_path, (now, False))
    if until <= now:
        until, is_contained = now + timedelta(seconds=CACHED_SECONDS), _contains(world, row, keys, version)
        world.contains_cache[request.full_path] = until, is_contained
    expires = until.strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"Expires": expires, "Cache-Control": f"max-age={int((until - now).total_seconds())}"}
    return answer({"contains_content_items": is_contained}, headers=headers)


@catalog.get(f"{CATALOG}/get_content_metadata/")
@catalog.get(f"{CATALOG}/get_content_metadata")
def catalog_content(version: str, catalog_uuid: str) -> Response:
    """Bulk, within one catalog. Keys find inactive courses too; without keys they are left out."""
    world, caller = the_world(), authenticate()
    row = _catalog(world, catalog_uuid, malformed=crash)
    _require_learner_access(caller, row.customer_uuid)
    keys, is_v2 = request.args.getlist("content_keys"), version == "v2"
    if len(keys) > MOST_KEYS:
        return answer(TOO_MANY_KEYS, 400)
    found = content_in(world, row, keys, is_v2=is_v2) if keys else all_content(world, row)
    reader = _reader(world, row)
    about = {"uuid": str(row.uuid), "title": row.title, "enterprise_customer": str(row.customer_uuid)}
    if is_any_text("traverse_pagination"):
        results = [render(world, it, reader=reader, is_v2=is_v2) for it in found]
        return answer({"previous": None, "next": None, "count": len(results), "results": results} | about)
    page = page_of(found, size=10, largest=100)
    return answer(page.envelope((render(world, it, reader=reader, is_v2=is_v2) for it in page.rows), **about))


# -- rights, look-ups -------------------------------------------------------------------------------------------------


def _require_learner_access(caller: Caller, customer: object) -> None:
    """Contexts compare as text: another spelling of the uuid is refused."""
    roles = ("enterprise_learner", "enterprise_admin")
    if not _is_everywhere(caller) and not any(caller.has_role(role, customer) for role in roles):
        raise Abort(detail("MISSING: catalog.has_learner_access", 403))


def _is_admin(caller: Caller, customer: object) -> bool:
    return _is_everywhere(caller) or caller.has_role("enterprise_admin", customer)


def _is_everywhere(caller: Caller) -> bool:
    return any(role in caller.roles for role in EVERYWHERE)


def _not_found() -> Response:
    return detail("Not found.", 404)


def _catalog(world: World, text: str, *, malformed: Callable[[], Response] = _not_found) -> Catalog:
    """Return the catalog, or abort with 404; `malformed` answers to what is no uuid."""
    row = world.tables.catalogs.get(uuid_or(text, malformed))
    if row is None:
        raise Abort(detail(NO_CATALOG, 404))
    return row


def _keys_to_find() -> list[str]:
    """Return the keys of the question, spaces repaired to the plus signs that they were; abort without any."""
    keys = [*request.args.getlist("course_run_ids"), *request.args.getlist("program_uuids")]
    if not keys:
        raise Abort(answer([NO_KEYS], 400))
    return [key.replace(" ", "+") for key in keys]


def _contains(world: World, row: Catalog, keys: Sequence[str], version: str) -> bool:
    return any(matches(world, row, key, is_v2=version == "v2") for key in keys)


def _reader(world: World, row: Catalog, *, knows_customer: bool = True) -> Reader:
    owner: Customer = world.customer(row.customer_uuid)
    return Reader(customer=owner, catalog=row, knows_customer=knows_customer)


def _catalog_record(row: Catalog) -> dict[str, str | None]:
    return {
        "uuid": str(row.uuid),
        "title": row.title,
        "enterprise_customer": str(row.customer_uuid),
        "catalog_query_uuid": None,
        "content_last_modified": constant.CONTENT_MODIFIED,
        "catalog_modified": constant.CATALOG_MODIFIED,
        "query_title": None,
    }


def is_line_too_long(method: str, uri: str) -> bool:
    """Say whether the server refuses the request line before the service sees it."""
    return len(f"{method} {uri.removeprefix('/catalog')} HTTP/1.1") > LONGEST_REQUEST_LINE
