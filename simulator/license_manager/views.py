"""license-manager: the licenses of learners, plans, agreements. The trailing slash is optional everywhere."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from .. import licensing
from ..answers import Abort, Caller, answer, authenticate, crash, detail, empty, is_true, page_of, the_world, uuid_or
from ..tables import fold
from ..values import Agreement, License, LicenseStatus, Plan, User
from ..world import World
from . import records

license_manager = Blueprint("license_manager", __name__, url_prefix="/license-manager")
API = "/api/v1"
DENIED = "You do not have permission to perform this action."
LEARNER_ACCESS = "subscriptions.has_learner_or_admin_access"
ADMIN_ACCESS = "subscriptions.has_admin_access"
TOO_FEW = (
    "There are not enough licenses that can be assigned to complete your request."
    "You attempted to assign {asked} licenses, but there are only {free} potentially available."
)


@license_manager.after_request
def echo_request_id(response: Response) -> Response:
    response.headers["X-Request-ID"] = request.headers.get("X-Request-ID", "None")
    return response


@license_manager.get("/health/", strict_slashes=False)
def health() -> Response:
    return answer({"overall_status": "OK", "detailed_status": {"database_status": "OK"}})


# -- with the learner's own token -------------------------------------------------------------------------------------


@license_manager.get(f"{API}/learner-licenses/", strict_slashes=False)
def learner_licenses() -> Response:
    """Own licenses at one customer. Reading rewrites addresses that have become stale."""
    world, caller = the_world(), _caller()
    if not caller.roles and not caller.is_staff:
        return detail(DENIED, 403)
    text = request.args.get("enterprise_customer_uuid")
    if not text:
        return answer("missing enterprise_customer_uuid query param", 400)
    customer_uuid, user = uuid_or(text, crash), _owner(world, caller)
    licensing.refresh_address(world, email=user.email, user_id=user.id)
    rows = _asked_licenses(world, licensing.licenses_of(world, email=user.email, user_id=user.id), customer_uuid)
    if not _may_learn(caller, customer_uuid):
        rows = []
    page = page_of(rows, size=100, largest=100)
    agreement = world.tables.agreements.first(customer=customer_uuid)
    record = records.agreement_record(world, agreement) if agreement else None
    results = (records.learner_license_record(world, row) for row in page.rows)
    return answer(page.envelope(results, customer_agreement=record))


@license_manager.post(f"{API}/license-activation/", strict_slashes=False)
def license_activation() -> Response:
    world, caller = the_world(), _caller()
    text = request.args.get("activation_key")
    if not text:
        return detail("activation_key is a required parameter", 400)
    key, user = uuid_or(text, lambda: detail(f"{text} is not a valid activation key.", 400)), _owner(world, caller)
    row = _license_by_key(world, key, user)
    if row is None:
        return detail("No License matches the given query.", 404)
    if not _may_learn(caller, world.plan(row.plan_uuid).customer_uuid):
        return detail(f"Missing: {LEARNER_ACCESS}", 403)
    try:
        activated = licensing.activate(world, row=row, user=user)
    except licensing.NotPossible as refusal:
        return answer(str(refusal), 422)
    return answer(records.learner_license_record(world, activated))


@license_manager.post(f"{API}/customer-agreement/<agreement_uuid>/auto-apply/", strict_slashes=False)
def auto_apply(agreement_uuid: str) -> Response:
    """Give the token's owner a license: also a service worker, who uses one up for itself."""
    world, caller = the_world(), _caller()
    agreement = _agreement(world, caller, agreement_uuid)
    try:
        row = licensing.auto_apply(world, agreement=agreement, user=_owner(world, caller))
    except licensing.NotPossible as refusal:
        return answer(str(refusal), 422)
    return answer(records.learner_license_record(world, row))


# -- with a service worker's token ------------------------------------------------------------------------------------


@license_manager.get(f"{API}/admin-license-view/", strict_slashes=False)
def admin_license_view() -> Response:
    """All licenses stored under an address, whatever plan or state. Staff only; roles do not count."""
    world, caller = the_world(), _caller()
    if not caller.is_staff:
        return detail(DENIED, 403)
    for name in ("enterprise_customer_uuid", "user_email"):
        if not request.args.get(name):
            return answer(f"{'An' if name[0] == 'e' else 'A'} ``{name}`` is required in the request data", 400)
    customer_uuid = uuid_or(request.args["enterprise_customer_uuid"], crash)
    rows = world.tables.licenses.where(email=fold(request.args["user_email"]))
    rows = [row for row in rows if world.plan(row.plan_uuid).customer_uuid == customer_uuid]
    page = page_of(rows, size=100, largest=100)
    return answer(page.short_envelope(records.staff_license_record(world, row) for row in page.rows))


@license_manager.post(f"{API}/staff_lookup_licenses/", strict_slashes=False)
def staff_lookup() -> Response:
    """All licenses stored under an address, at all customers, without any uuid; 404 without a body for none."""
    world, caller = the_world(), _caller()
    if not caller.is_staff:
        return detail(DENIED, 403)
    body = request.get_json(silent=True)
    email = body.get("user_email") if isinstance(body, dict) else None
    if not email:
        return answer("A ``user_email`` is required in the request data", 400)
    rows = world.tables.licenses.where(email=fold(str(email)))
    return answer([records.looked_up_license_record(world, row) for row in rows]) if rows else empty(404)


@license_manager.get(f"{API}/customer-agreement/", strict_slashes=False)
def agreements() -> Response:
    world, caller = the_world(), _caller()
    if not caller.roles and not caller.is_staff:
        return detail(DENIED, 403)
    customer_uuid = _customer_uuid()
    rows = world.tables.agreements.where(customer=customer_uuid) if customer_uuid else list(world.tables.agreements)
    page = page_of([row for row in rows if _may_learn(caller, row.customer_uuid)], size=100, largest=500)
    is_active = is_true("active_plans_only", default=True)
    return answer(page.short_envelope(_agreement_with_plans(world, row, is_active) for row in page.rows))


@license_manager.get(f"{API}/customer-agreement/<agreement_uuid>/", strict_slashes=False)
def agreement(agreement_uuid: str) -> Response:
    world, caller = the_world(), _caller()
    row = _agreement(world, caller, agreement_uuid)
    return answer(_agreement_with_plans(world, row, is_true("active_plans_only", default=True)))


@license_manager.get(f"{API}/subscriptions/", strict_slashes=False)
def subscriptions() -> Response:
    """Active plans, expired and future ones too, newest start first; `current` picks the one created last."""
    world, caller = the_world(), _caller()
    if not any(role.startswith(("enterprise_admin:", "enterprise_openedx_operator:")) for role in caller.roles):
        return detail(DENIED, 403)
    customer_uuid, is_current = _customer_uuid(), is_true("current", default=False)
    if is_current and customer_uuid is None:
        return detail("Current plan cannot be used without enterprise_uuid", 400)
    rows = world.tables.plans.where(customer=customer_uuid) if customer_uuid else list(world.tables.plans)
    rows = [row for row in rows if row.is_active and _may_administer(caller, row.customer_uuid)]
    rows.sort(key=lambda row: row.starts_at, reverse=True)
    if is_current:
        current = [row for row in rows if row.is_current(world.now())]
        rows = [max(current, key=lambda row: row.number)] if current else []
    page = page_of(rows, size=100, largest=500)
    return answer(page.short_envelope(records.plan_record(world, row, is_counted=True) for row in page.rows))


@license_manager.get(f"{API}/subscriptions/<plan_uuid>/", strict_slashes=False)
def subscription(plan_uuid: str) -> Response:
    world, caller = the_world(), _caller()
    plan = world.tables.plans.get(uuid_or(plan_uuid, crash))
    if plan is None or not _may_administer(caller, plan.customer_uuid):
        return detail(f"MISSING: {ADMIN_ACCESS}", 403)
    return answer(records.plan_record(world, plan, is_counted=True))


@license_manager.get(f"{API}/subscriptions/<plan_uuid>/licenses/", strict_slashes=False)
def licenses_of_plan(plan_uuid: str) -> Response:
    """The licenses of a plan in pages of 100, at most 500; `search` looks inside addresses."""
    world, caller = the_world(), _caller()
    if not any(role.startswith(("enterprise_admin:", "enterprise_openedx_operator:")) for role in caller.roles):
        return detail(DENIED, 403)
    plan = world.tables.plans.get(uuid_or(plan_uuid, crash))
    if plan is None or not _may_administer(caller, plan.customer_uuid):
        return detail(f"MISSING: {ADMIN_ACCESS}", 403)
    page = page_of(_licenses_to_list(world, plan), size=100, largest=500)
    return answer(page.short_envelope(map(records.license_record, page.rows), num_pages=page.pages))


@license_manager.post(f"{API}/subscriptions/<plan_uuid>/licenses/assign/", strict_slashes=False)
def assign(plan_uuid: str) -> Response:
    """Give free licenses to addresses: all or, where there are too few, none. Who holds one already is only counted.

    The LMS is told of each learner. The plan's dates are not looked at.
    """
    world, caller = the_world(), _caller()
    plan = world.tables.plans.get(uuid_or(plan_uuid, crash))
    if plan is None or not _may_administer(caller, plan.customer_uuid):
        return detail(f"MISSING: {ADMIN_ACCESS}", 403)
    body = request.get_json(silent=True)
    emails = body.get("user_emails") if isinstance(body, dict) else None
    if emails is None:
        return answer({"user_emails": ["This field is required."]}, 400)
    if not emails:
        return answer({"user_emails": ["This list may not be empty."]}, 400)
    if wrong := {str(place): ["Enter a valid email address."] for place, text in enumerate(emails) if "@" not in text}:
        return answer({"user_emails": wrong}, 400)
    given, held = licensing.assign_all(world, plan_uuid=plan.uuid, emails=emails)
    if given is None:
        free = len(world.tables.licenses.where(plan_status=(plan.uuid, LicenseStatus.UNASSIGNED)))
        asked = len({fold(email) for email in emails}) - held
        return answer(TOO_FEW.format(asked=asked, free=free), 400)
    rows = [{"user_email": row.user_email, "license": str(row.uuid)} for row in given]
    return answer(
        {"num_successful_assignments": len(rows), "num_already_associated": held, "license_assignments": rows}
    )


# -- callers, rights --------------------------------------------------------------------------------------------------


def _caller() -> Caller:
    return authenticate(garbage="Error decoding token.", expired="Token has expired.")


def _owner(world: World, caller: Caller) -> User:
    """Return the token's owner as license-manager sees it: by the claims, never by a parameter."""
    if not caller.email:
        raise Abort(detail("`email` is required and could not be found in your jwt", 400))
    user = world.tables.users.first(email=fold(caller.email)) or world.tables.users.first(id=caller.user_id)
    if user is None:
        raise Abort(crash())
    return user


def _may_learn(caller: Caller, customer_uuid: UUID) -> bool:
    return _may_administer(caller, customer_uuid) or caller.has_role("enterprise_learner", customer_uuid)


def _may_administer(caller: Caller, customer_uuid: UUID) -> bool:
    return caller.is_operator or caller.has_role("enterprise_admin", customer_uuid)


def _customer_uuid() -> UUID | None:
    text = request.args.get("enterprise_customer_uuid")
    return uuid_or(text, lambda: detail(f"{text} is not a valid uuid.", 400)) if text else None


def _agreement(world: World, caller: Caller, text: str) -> Agreement:
    """Return the agreement, or abort: unknown and forbidden look the same."""
    row = world.tables.agreements.get(uuid_or(text, crash))
    if row is None or not _may_learn(caller, row.customer_uuid):
        raise Abort(detail(f"MISSING: {LEARNER_ACCESS}", 403))
    return row


# -- rows -------------------------------------------------------------------------------------------------------------


def _asked_licenses(world: World, rows: list[License], customer_uuid: UUID) -> list[License]:
    """Filter as the parameters say; by status, then latest plan expiration first."""
    now = world.now()
    pairs = [(row, world.plan(row.plan_uuid)) for row in rows]
    pairs = [pair for pair in pairs if pair[1].customer_uuid == customer_uuid]
    if is_true("active_plans_only", default=True):
        pairs = [pair for pair in pairs if pair[1].is_active]
    if is_true("current_plans_only", default=True):
        pairs = [pair for pair in pairs if pair[1].is_current(now)]
    if not is_true("include_revoked", default=False):
        pairs = [pair for pair in pairs if pair[0].status is not LicenseStatus.REVOKED]
    pairs.sort(key=lambda pair: (pair[0].status, -pair[1].expires_at.timestamp()))
    return [row for row, _ in pairs]


def _license_by_key(world: World, key: UUID, user: User) -> License | None:
    """Return the license of that key if it is the caller's, in a current and active plan."""
    row, now = world.tables.licenses.first(activation_key=key), world.now()
    if row is None or fold(row.user_email or "") != fold(user.email):
        return None
    plan = world.plan(row.plan_uuid)
    return row if plan.is_active and plan.is_current(now) else None


def _licenses_to_list(world: World, plan: Plan) -> list[License]:
    statuses = [text for text in request.args.get("status", "").split(",") if text]
    rows = world.tables.licenses.where(plan=plan.uuid)
    if statuses:
        rows = [row for row in rows if row.status in statuses]
    if search := request.args.get("search"):
        rows = [row for row in rows if fold(search) in fold(row.user_email or "")]
    if request.args.get("ignore_null_emails"):
        rows = [row for row in rows if row.user_email]
    return sorted(rows, key=lambda row: (row.status, row.user_email or ""))


def _agreement_with_plans(world: World, row: Agreement, is_active: bool) -> dict[str, object]:
    plans = [plan for plan in world.tables.plans.where(agreement=row.uuid) if plan.is_active or not is_active]
    nested = [records.plan_record(world, plan, is_counted=True) for plan in plans]
    return records.agreement_record(world, row) | {"subscriptions": nested}
