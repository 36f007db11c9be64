"""The LMS: edx-enterprise's customers, learners and their enterprise enrollments; and the tokens of the platform."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from ..answers import (
    Abort,
    Caller,
    answer,
    authenticate,
    crash,
    detail,
    empty,
    number_or,
    page_of,
    tell_caller,
    the_tokens,
    the_world,
    uuid_or,
)
from ..tables import fold
from ..tokens import LIFETIME, SCOPES, username_of_client
from ..values import Customer, EnterpriseEnrollment, Link
from ..world import World
from . import bulk_enroll, pending, records

lms = Blueprint("lms", __name__, url_prefix="/lms")
API = "/enterprise/api/v1"
NO_CUSTOMER = "No EnterpriseCustomer matches the given query."
NO_LINK = "No EnterpriseCustomerUser matches the given query."
NO_CHOICE = ["Select a valid choice. That choice is not one of the available choices."]


@lms.post("/oauth2/access_token/", strict_slashes=False)
def access_token() -> Response:
    """Client credentials against a JWT."""
    username = username_of_client(
        the_world(),
        client_id=request.form.get("client_id", ""),
        client_secret=request.form.get("client_secret", ""),
    )
    if request.form.get("grant_type") != "client_credentials":
        return answer({"error": "unsupported_grant_type"}, 400)
    if username is None:
        return answer({"error": "invalid_client"}, 401)
    token = the_tokens().token_for(username, grant_type="client_credentials")
    expires_in = int(LIFETIME.total_seconds())
    tell_caller(username)
    return answer({"access_token": token, "token_type": "JWT", "expires_in": expires_in, "scope": " ".join(SCOPES)})


@lms.get("/oauth2/jwks")
def jwks() -> Response:
    return answer(json.loads(the_tokens().public_jwk_set()))


@lms.get(f"{API}/enterprise-customer/<customer>/")
def customer(customer: str) -> Response:
    return answer(records.customer_record(the_world(), visible_customer(authenticate(), customer)))


@lms.get(f"{API}/enterprise-customer/")
def customers() -> Response:
    """Active customers, filtered by `slug` or `uuid` where that is requested."""
    world, caller = the_world(), authenticate()
    rows = [row for row in world.tables.customers if row.is_active and _may_see(world, caller, row)]
    if slug := request.args.get("slug"):
        rows = [row for row in rows if fold(row.slug) == fold(slug)]
    if uuid := request.args.get("uuid"):
        rows = [row for row in rows if str(row.uuid) == uuid]
    page = page_of(sorted(rows, key=lambda row: row.name), size=10, largest=100)
    results = [records.customer_record(world, row) for row in page.rows]
    return answer(page.envelope(results, enterprise_features=records.FEATURES))


@lms.post(f"{API}/enterprise-customer/<customer>/enroll_learners_in_courses/")
def enroll_learners(customer: str) -> Response:
    caller = authenticate()
    if not caller.is_operator and not caller.has_role("enterprise_admin", customer):
        return detail("Missing: enterprise.can_enroll_learners", 403)
    owner = visible_customer(caller, customer)
    return bulk_enroll.enroll(the_world(), owner=owner, body=request.get_json(silent=True))


@lms.post(f"{API}/pending-enterprise-learner/")
def link_pending_learners() -> Response:
    """Link the accounts that have these addresses, and note the other addresses. 204 when none of them was new."""
    world, caller = the_world(), authenticate()
    if not caller.is_staff:
        return detail("You do not have permission to perform this action.", 403)
    body = request.get_json(silent=True)
    rows = body if isinstance(body, list) else [body]
    if problems := [pending.problem_of(world, row) for row in rows if pending.problem_of(world, row)]:
        return answer(problems, 400)
    made = [row for row in (pending.link(world, dict(row or {})) for row in rows) if row is not None]
    return answer(made, 201) if made else empty(204)


@lms.post(f"{API}/enterprise-customer/<customer>/unlink_users/")
def unlink_users(customer: str) -> Response:
    """Unlink the accounts that have these addresses. Addresses without a link are passed over."""
    world, caller = the_world(), authenticate()
    if not caller.is_operator and not caller.has_role("enterprise_admin", customer):
        return detail("Missing: enterprise.can_access_admin_dashboard", 403)
    owner = visible_customer(caller, customer)
    body = request.get_json(silent=True)
    emails = body.get("user_emails") if isinstance(body, dict) else None
    if not isinstance(emails, list) or not emails:
        return answer({"user_emails": ["This field is required."]}, 400)
    if problems := [email for email in emails if not pending.is_email(email)]:
        return answer(
            {"user_emails": {str(emails.index(email)): ["Enter a valid email address."] for email in problems}}, 400
        )
    for email in emails:
        pending.unlink(world, customer_uuid=owner.uuid, email=email)
    return answer({}, 200)


@lms.get(f"{API}/default-enterprise-enrollment-intentions/")
def default_intentions() -> Response:
    """What the LMS itself intends for a customer's learners, ten a page whatever is requested. Read only."""
    world, caller = the_world(), authenticate()
    if not (text := request.args.get("enterprise_customer_uuid")):
        return detail("enterprise_customer_uuid is a required query parameter.", 400)
    uuid = uuid_or(text, lambda: detail("enterprise_customer_uuid query parameter is not a valid UUID.", 400))
    link = world.tables.links.get((uuid, caller.user_id))
    is_linked = link is not None and link.is_linked
    if not (caller.is_operator or is_linked or caller.has_role("enterprise_admin", uuid)):
        return detail("MISSING: enterprise.can_view_default_enterprise_enrollment_intentions", 403)
    page = page_of(world.tables.default_intentions.where(customer=uuid), size=10, is_size_free=False)
    return answer(page.short_envelope(records.default_intention_record(world, row) for row in page.rows))


@lms.get(f"{API}/enterprise-learner/")
def learners() -> Response:
    """Linked learners. The default order drifts: active first, then last modified first."""
    world, caller = the_world(), authenticate()
    rows = _asked_links(world)
    if not caller.is_staff:
        rows = [row for row in rows if row.user_id == caller.user_id]
    page = page_of(_ordered(rows), size=10, largest=100)
    records_of_customers: dict[UUID, dict[str, Any]] = {}
    results = [records.learner_record(world, row, records_of_customers) for row in page.rows]
    return answer(page.envelope(results, enterprise_features=records.FEATURES))


@lms.get(f"{API}/enterprise-course-enrollment/")
def enterprise_enrollments() -> Response:
    """Enterprise rows by ECU id; read from the replica, which may lag."""
    world, caller = the_world(), authenticate()
    rows = _visible_enrollments(world, caller)
    if course_id := request.args.get("course_id"):
        rows = [row for row in rows if fold(row.run_key) == fold(course_id)]
    if request.args.get("ordering") in ("-created", "created"):
        rows.sort(key=lambda row: row.created_at, reverse=request.args["ordering"].startswith("-"))
    page = page_of(rows, size=10, largest=100)
    return answer(page.envelope(records.enrollment_record(world, row) for row in page.rows))


@lms.get(f"{API}/enterprise-course-enrollment-admin/")
def enterprise_enrollments_for_staff() -> Response:
    world, caller = the_world(), authenticate()
    if not caller.is_staff:
        return detail("You do not have permission to perform this action.", 403)
    user_id, customer_uuid = request.args.get("lms_user_id"), request.args.get("enterprise_uuid")
    if not user_id or not customer_uuid:
        return answer({"error": "Both 'lms_user_id' and 'enterprise_uuid' are required parameters."}, 400)
    link = world.tables.links.get((uuid_or(customer_uuid, crash), number_or(user_id, crash)))
    if link is None or not link.is_linked:
        return detail(NO_LINK, 404)
    rows = world.tables.enterprise_enrollments.where(link=link.id)
    page = page_of(_shown_to_admins(world, link, rows), size=10, largest=100)
    return answer(page.short_envelope([]) | {"results": records.admin_groups(world, page.rows)})


@lms.get("/enterprise_learner_portal/api/v1/enterprise_course_enrollments/")
def own_enrollments() -> Response:
    """The learner portal's view: the token's owner only, whatever else is asked."""
    world, caller = the_world(), authenticate()
    if not (text := request.args.get("enterprise_id")):
        return answer({"error": "enterprise_id must be provided as a query parameter"}, 400)
    link = world.tables.links.get((uuid_or(text, crash), caller.user_id))
    if link is None or not link.is_linked:
        return detail(NO_LINK, 404)
    rows = [records.portal_record(world, row) for row in world.tables.enterprise_enrollments.where(link=link.id)]
    if request.args.get("is_active", "").lower() == "true":
        rows = [row for row in rows if row["is_enrollment_active"]]
    return answer(rows)


@lms.post(f"{API}/licensed-enterprise-course-enrollment/license_revoke/")
def license_revoke() -> Response:
    world, caller = the_world(), authenticate()
    body = request.get_json(silent=True) or {}
    user_id, text = body.get("user_id"), body.get("enterprise_id")
    if not caller.is_operator and not caller.has_role("enterprise_admin", text):
        return detail("Missing: enterprise.can_access_admin_dashboard", 403)
    if not user_id or not text:
        return answer("user_id and enterprise_id must be provided.", 400)
    link = world.tables.links.get((uuid_or(str(text), crash), number_or(str(user_id), crash)))
    user = world.tables.users.first(id=link.user_id) if link is not None and link.is_linked else None
    if link is None or user is None:
        return detail(NO_LINK, 404)
    messages = world.revoke_enrollments(username=user.username, customer=link.customer_uuid)
    return answer({run: {"success": True, "message": message} for run, message in messages.items()})


@lms.post("/enterprise/select/active/")
def select_active() -> Response:
    """Select one of the caller's customers, deselecting the others, as the portal's form does (`enterprise`: its uuid).

    The real one knows the caller by the LMS's session, which the token stands for here.
    """
    world, caller = the_world(), authenticate()
    customer_uuid = uuid_or(request.form.get("enterprise", ""), _no_such_choice)
    link = world.tables.links.get((customer_uuid, caller.user_id))
    user = world.tables.users.first(id=caller.user_id) if link is not None and link.is_linked else None
    if user is None:
        return _no_such_choice()
    world.link(username=user.username, customer=customer_uuid)
    return answer({})


def _no_such_choice() -> Response:
    return answer({"errors": NO_CHOICE}, 400)


@lms.get("/heartbeat")
def heartbeat() -> Response:
    return empty(200)


def visible_customer(caller: Caller, text: str) -> Customer:
    """Return the customer, or abort with the one 404 for unknown, inactive and invisible."""
    world = the_world()
    row = world.tables.customers.get(uuid_or(text, lambda: detail("Not found.", 404)))
    if row is None or not row.is_active or not _may_see(world, caller, row):
        raise Abort(detail(NO_CUSTOMER, 404))
    return row


def _may_see(world: World, caller: Caller, row: Customer) -> bool:
    link = world.tables.links.get((row.uuid, caller.user_id))
    return caller.is_staff or (link is not None and link.is_linked)


# -- learners ---------------------------------------------------------------------------------------------------------


def _asked_links(world: World) -> list[Link]:
    """Return the linked rows that pass every filter of the question, found through the narrowest index."""
    links, user_ids, customers = world.tables.links, _asked_user_ids(world), _asked_customers(world)
    if user_ids is not None:
        rows = [row for user_id in user_ids for row in links.where(user=user_id)]
    else:
        rows = links.where(customer=customers[0]) if customers else list(links)
    rows = [row for row in rows if row.is_linked and all(row.customer_uuid == uuid for uuid in customers)]
    if active := request.args.get("active"):
        rows = [row for row in rows if row.is_active == (active.lower() == "true")]
    if role := request.args.get("role"):
        rows = [row for row in rows if role in records.role_names(world, row)]
    return rows


def _asked_user_ids(world: World) -> list[int] | None:
    """Return the users that every user filter allows; None without such a filter."""
    args, users = request.args, world.tables.users
    filters = [_numbers(args[name]) for name in ("user_id", "user_ids") if args.get(name)]
    if args.get("username"):
        user = users.get(fold(args["username"]))
        filters.append([user.id] if user else [])
    if args.get("email"):
        user = users.first(email=fold(args["email"]))
        filters.append([user.id] if user else [])
    if not filters:
        return None
    return [user_id for user_id in dict.fromkeys(filters[0]) if all(user_id in other for other in filters[1:])]


def _numbers(text: str) -> list[int]:
    return [number_or(part.strip(), crash) for part in text.split(",") if part.strip()]


def _asked_customers(world: World) -> list[UUID]:
    """Return the customers named by either parameter; an unknown `enterprise_customer` is a 400."""
    named = []
    if text := request.args.get("enterprise_customer"):
        named.append(uuid_or(text, _no_such_customer))
        if world.tables.customers.get(named[0]) is None:
            raise Abort(_no_such_customer())
    if text := request.args.get("enterprise_customer_uuid"):
        named.append(uuid_or(text, crash))
    return named


def _no_such_customer() -> Response:
    return answer({"enterprise_customer": NO_CHOICE}, 400)


def _ordered(rows: list[Link]) -> list[Link]:
    ordering = request.args.get("ordering", "")
    is_down, name = ordering.startswith("-"), ordering.removeprefix("-")
    if name in ("user_id", "id"):
        return sorted(rows, key=lambda row: row.user_id if name == "user_id" else row.id, reverse=is_down)
    return sorted(rows, key=lambda row: (row.is_active, row.modified_at, row.id), reverse=True)


# -- enterprise enrollments -------------------------------------------------------------------------------------------


def _visible_enrollments(world: World, caller: Caller) -> list[EnterpriseEnrollment]:
    """Return the rows that the question may see: of one ECU, of everybody (staff), or the caller's own."""
    if text := request.args.get("enterprise_customer_user"):
        link = world.tables.links.first(id=int(text)) if text.isdigit() else None
        if link is None:
            raise Abort(answer({"enterprise_customer_user": NO_CHOICE}, 400))
        links = [link]
    elif caller.is_staff:
        links = list(world.tables.links)
    else:
        links = world.tables.links.where(user=caller.user_id)
    if not caller.is_staff:
        links = [link for link in links if link.user_id == caller.user_id]
    return [row for link in links if link.is_linked for row in _replicated(world, link)]


def _replicated(world: World, link: Link) -> list[EnterpriseEnrollment]:
    if world.replica is None:
        return world.tables.enterprise_enrollments.where(link=link.id)
    return world.replica.get(link.id, [])


def _shown_to_admins(world: World, link: Link, rows: list[EnterpriseEnrollment]) -> list[EnterpriseEnrollment]:
    """Nothing without data-sharing consent; no audit rows unless audit reporting is on."""
    owner = world.customer(link.customer_uuid)
    if not owner.has_data_sharing_consent:
        return []
    if owner.has_audit_reporting:
        return rows
    return [row for row in rows if records.mode_of(world, row) != "audit"]
