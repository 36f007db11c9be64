"""The LMS: what it creates for a new customer. Only provisioning admins may; the rest is forbidden."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import attrs
from flask import Response, request

from ..answers import Abort, Caller, answer, authenticate, detail, page_of, the_world, uuid_or
from ..tables import fold
from ..values import Catalog, PendingAdmin, User
from ..world import World
from . import records
from .views import API, lms

ADMIN_ROLE = "enterprise_admin"
NOT_UNIQUE = ["enterprise customer with this slug already exists."]


@lms.post(f"{API}/enterprise-customer/")
def create_customer() -> Response:
    """Create a customer; the slug is unique among inactive ones, too."""
    world, body = the_world(), _body_of_provisioner("enterprise.can_access_enterprise_customer")
    slug, name = str(body.get("slug") or ""), str(body.get("name") or "")
    if not name or not re.fullmatch(r"[\w-]+", slug):
        return answer({"slug": ["Enter a valid slug."]}, 400)
    if any(fold(row.slug) == fold(slug) for row in world.tables.customers):
        return answer({"slug": NOT_UNIQUE}, 400)
    row = world.add_customer(slug=slug, name=name, country=body.get("country"))
    return answer(records.customer_record(world, row), 201)


@lms.post(f"{API}/enterprise-customer-admin/create_admin_by_email/")
def create_admin_by_email() -> Response:
    """Make the account with this address an admin: 201, 200 if it was one before, 404 without such an account."""
    world, body = the_world(), _body_of_provisioner("enterprise.can_provision_admins")
    email = str(body.get("email") or "")
    if not email or not body.get("enterprise_customer_uuid"):
        return answer({"error": "email is required"}, 400)
    user = world.tables.users.first(email=fold(email))
    if user is None:
        return answer({"error": f"User with email {email} does not exist"}, 404)
    customer_uuid = _customer_uuid(world, body.get("enterprise_customer_uuid"))
    role = f"{ADMIN_ROLE}:{customer_uuid}"
    is_new = role not in user.extra_roles
    _make_admin(world, user, customer_uuid, role)
    return answer({"id": user.id, "enterprise_customer_user": user.id}, 201 if is_new else 200)


def _make_admin(world: World, user: User, customer_uuid: UUID, role: str) -> None:
    link = world.tables.links.get((customer_uuid, user.id))
    if link is None or not link.is_linked:
        world.link(username=user.username, customer=customer_uuid, make_active=False)
    if role not in user.extra_roles:
        roles: Any = (*user.extra_roles, role)
        world.put("admin added", attrs.evolve(user, extra_roles=roles))


@lms.get(f"{API}/pending-enterprise-admin/")
def pending_admins() -> Response:
    world = the_world()
    _provisioner("enterprise.can_access_pending_admins")
    rows = list(world.tables.pending_admins)
    if text := request.args.get("enterprise_customer"):
        rows = [row for row in rows if str(row.customer_uuid) == text]
    if email := request.args.get("user_email"):
        rows = [row for row in rows if fold(row.email) == fold(email)]
    page = page_of(rows, size=10, largest=100)
    return answer(page.envelope(_pending_record(row) for row in page.rows))


@lms.post(f"{API}/pending-enterprise-admin/")
def add_pending_admin() -> Response:
    """Let an address become an admin later; an address that is pending already is refused."""
    world, body = the_world(), _body_of_provisioner("enterprise.can_access_pending_admins")
    customer_uuid, email = _customer_uuid(world, body.get("enterprise_customer")), str(body.get("user_email") or "")
    if world.tables.pending_admins.get((customer_uuid, fold(email))) is not None:
        text = "The fields user_email, enterprise_customer must make a unique set."
        return answer({"non_field_errors": [text]}, 400)
    row = PendingAdmin(id=len(world.tables.pending_admins) + 1, customer_uuid=customer_uuid, email=email)
    world.put("pending admin added", row)
    return answer(_pending_record(row), 201)


def _pending_record(row: PendingAdmin) -> dict[str, Any]:
    return {"id": row.id, "enterprise_customer": str(row.customer_uuid), "user_email": row.email}


@lms.get(f"{API}/enterprise_catalogs/")
def catalogs() -> Response:
    """The catalogs of customers, by customer and by query."""
    world = the_world()
    if not authenticate().is_staff:
        return answer({"count": 0, "next": None, "previous": None, "results": []})
    rows = list(world.tables.catalogs)
    if text := request.args.get("enterprise_customer"):
        rows = [row for row in rows if str(row.customer_uuid) == text]
    if query := request.args.get("enterprise_catalog_query"):
        rows = [row for row in rows if str(row.query_id) == query]
    page = page_of(rows, size=10, largest=100)
    return answer(page.envelope(_catalog_record(row) for row in page.rows))


@lms.post(f"{API}/enterprise_customer_catalog/")
def create_catalog() -> Response:
    """Create a catalog, and a second one when asked twice. Every query finds all courses with an advertised run."""
    world, body = the_world(), _body_of_provisioner("enterprise.can_access_catalogs")
    customer_uuid, title = _customer_uuid(world, body.get("enterprise_customer")), str(body.get("title") or "")
    if not title:
        return answer({"title": ["This field may not be blank."]}, 400)
    # A title that is there already gets a uuid of its own.
    number = sum(row.title == title for row in world.tables.catalogs.where(customer=customer_uuid))
    row = world.add_catalog(customer=customer_uuid, title=f"{title}#{number}" if number else title)
    found = tuple(course.key for course in world.tables.courses if course.advertised_run_uuid is not None)
    query = body.get("enterprise_catalog_query")
    row = world.change_catalog(catalog_uuid=row.uuid, title=title, query_id=query, course_keys=found)
    return answer(_catalog_record(row), 201)


def _catalog_record(row: Catalog) -> dict[str, Any]:
    return {
        "uuid": str(row.uuid),
        "title": row.title,
        "enterprise_customer": str(row.customer_uuid),
        "enterprise_catalog_query": row.query_id,
    }


def _provisioner(permission: str) -> Caller:
    caller = authenticate()
    if not caller.is_provisioner:
        raise Abort(detail(f"Missing: {permission}", 403))
    return caller


def _body_of_provisioner(permission: str) -> dict[str, Any]:
    _provisioner(permission)
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _customer_uuid(world: World, text: object) -> UUID:
    missing = lambda: answer({"enterprise_customer": ["No such customer."]}, 400)  # noqa: E731
    customer_uuid = uuid_or(str(text), missing)
    if world.tables.customers.get(customer_uuid) is None:
        raise Abort(missing())
    return customer_uuid
