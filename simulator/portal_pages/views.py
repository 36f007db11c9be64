"""The pages that play the two portals, and the JSON behind them.

Learners sign in, see courses, find one, leave one; administrators see budgets, assign courses and decide on requests.

They call the service as the real portals do, from the browser: with the token in two cookies, of which scripts can read
only the one without the signature, and with a CSRF token for each POST. Cookies are of a host and not of a port, so the
service gets them too where both run on one machine under one name.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, render_template, request

from .. import ledger
from ..answers import answer, instant, the_tokens, the_world
from ..catalog.search import all_content
from ..ledger_rows import TransactionState
from ..lms.creating import ADMIN_ROLE
from ..lms.records import user_record
from ..subsidy.records import price_in_cents
from ..tables import fold
from ..values import Course, Customer, Enrollment, User
from ..world import UnknownName, World

portal = Blueprint("portal", __name__)


@portal.get("/")
def page() -> str:
    return _page("portal.html")


@portal.get("/admin-portal/")
def admin_page() -> str:
    return _page("admin_portal.html")


def _page(template: str) -> str:
    return render_template(template, service_url=current_app.extensions["simulator"].service_url)


@portal.get("/<slug>")
def page_of_customer(slug: str) -> str:
    """The address of a customer's portal, which mails lead to."""
    if the_world().tables.customers.first(slug=fold(slug)) is None:
        abort(404)
    return page()


@portal.get("/portal/learners")
def learners() -> Response:
    """Everybody who is, or was, linked to a customer, by customer."""
    world = the_world()
    return answer([_group(world, customer) for customer in world.tables.customers])


@portal.get("/portal/admins")
def admins() -> Response:
    """The administrators of each customer."""
    world = the_world()
    people = [
        {"customer": _customer_record(customer)} | _learner_record(user)
        for customer in world.tables.customers
        for user in world.tables.users
        if f"{ADMIN_ROLE}:{customer.uuid}" in user.extra_roles
    ]
    return answer(people)


@portal.post("/portal/sign-in")
def sign_in() -> Response:
    """Return the person's JWT and both objects. Which customer is the active one does not change by that."""
    world = the_world()
    body = request.get_json(silent=True) or {}
    try:
        user, customer = world.user(str(body.get("username"))), world.customer(str(body.get("customer")))
    except UnknownName as error:
        return answer({"error": str(error.args[0])}, 404)
    world.tell("signed in", user)
    token = the_tokens().token_for(user.username)
    body = {"token": token, "learner": user_record(world, user.id), "customer": _customer_record(customer)}
    return _with_cookies(answer(body), token)


@portal.get("/portal/courses")
def courses() -> Response:
    """The courses that the learner has at the platform, left ones too."""
    world = the_world()
    try:
        rows = world.enrollments_of(request.args.get("username", ""))
    except UnknownName as error:
        return answer({"error": str(error.args[0])}, 404)
    return answer([_course_record(world, row) for row in rows])


@portal.get("/portal/titles")
def titles() -> Response:
    """Course keys and their titles: the page names courses by them."""
    return answer({course.key: course.title for course in the_world().tables.courses})


@portal.get("/portal/catalog")
def catalog() -> Response:
    """The courses in a customer's catalogs that have an advertised run, by title, each with the catalogs it is in."""
    world = the_world()
    try:
        customer = world.customer(request.args.get("customer", ""))
    except UnknownName as error:
        return answer({"error": str(error.args[0])}, 404)
    found: dict[str, dict[str, Any]] = {}
    for one in world.tables.catalogs.where(customer=customer.uuid):
        for course in all_content(world, one):
            if isinstance(course, Course) and course.advertised_run_uuid is not None:
                record = found.setdefault(course.key, _offer_record(world, course))
                record["catalogs"].append(str(one.uuid))
    return answer(sorted((row for row in found.values() if row["run_key"]), key=lambda row: str(row["title"])))


@portal.post("/portal/leave")
def leave() -> Response:
    """Let the learner leave a course. enterprise-subsidy gives back what it cost, as its own job does it later."""
    world = the_world()
    body = request.get_json(silent=True) or {}
    try:
        row = world.leave(username=str(body.get("username")), run_key=str(body.get("course_run_key")))
    except UnknownName as error:
        return answer({"error": str(error.args[0])}, 404)
    for paid in list(world.tables.ledger_transactions):
        is_of_learner = (paid.lms_user_id, fold(paid.content_key or "")) == (row.user_id, fold(row.run_key))
        if is_of_learner and paid.state is TransactionState.COMMITTED:
            ledger.reverse(world, paid)
    return answer(_course_record(world, row))


def _with_cookies(response: Response, token: str) -> Response:
    """Let the browser keep the token as the LMS's sign-in does."""
    readable, _, signature = token.rpartition(".")
    response.set_cookie("edx-jwt-cookie-header-payload", readable, samesite="Lax")
    response.set_cookie("edx-jwt-cookie-signature", signature, httponly=True, samesite="Lax")
    return response


def _group(world: World, customer: Customer) -> dict[str, Any]:
    links = world.tables.links.where(customer=customer.uuid)
    rows = [(world.tables.users.first(id=link.user_id), link) for link in links]
    rows.sort(key=lambda row: (bool(row[0] and row[0].extra_roles), row[1].user_id))
    people = [_learner_record(user) | {"is_linked": link.is_linked} for user, link in rows if user is not None]
    return {"customer": _customer_record(customer), "learners": people}


def _learner_record(user: User) -> dict[str, Any]:
    name = f"{user.first_name} {user.last_name}"
    return {"username": user.username, "name": name, "email": user.email, "lms_user_id": user.id, "note": user.note}


def _customer_record(customer: Customer) -> dict[str, Any]:
    return {
        "uuid": str(customer.uuid),
        "slug": customer.slug,
        "name": customer.name,
        "is_active": customer.is_active,
        "has_learner_portal": customer.has_learner_portal,
    }


def _offer_record(world: World, course: Course) -> dict[str, Any]:
    run = next((run for run in world.runs_of(course.key) if run.uuid == course.advertised_run_uuid), None)
    return {
        "key": course.key,
        "title": course.title,
        "run_key": run.key if run else None,
        "price_cents": price_in_cents(world, run) if run else None,
        "catalogs": [],
    }


def _course_record(world: World, row: Enrollment) -> dict[str, Any]:
    run = world.tables.runs.get(fold(row.run_key))
    return {
        "course_run_key": row.run_key,
        "course_key": run.course_key if run else None,
        "title": run.title if run else row.run_key,
        "mode": row.mode,
        "is_active": row.is_active,
        "enrolled_at": instant(row.created_at),
        "changed_at": instant(row.modified_at),
    }
