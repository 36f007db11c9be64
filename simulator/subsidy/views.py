"""enterprise-subsidy. Which error body a view sends depends on the view: see the README of the recordings."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, json, request

from .. import ledger
from ..answers import (
    Abort,
    Caller,
    answer,
    authenticate,
    crash,
    detail,
    number_or,
    page_of,
    the_world,
    uuid_or,
)
from ..ledger_rows import LedgerTransaction, Subsidy, TransactionState
from ..world import World
from . import records
from .redeeming import content_of, enroll, redemption_of

subsidy = Blueprint("subsidy", __name__, url_prefix="/subsidy")
V1, V2 = "/api/v1", "/api/v2"
NO_PERMISSION = "You do not have permission to perform this action."
READ_SUBSIDIES = "MISSING: subsidy.can_read_subsidies"
READ_ALL = "Missing: subsidy.can_read_all_transactions"
CREATE = "Missing: subsidy.can_create_transactions"
NAMES_OF_ERRORS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
SIZE, LARGEST = 10, 100


@subsidy.after_request
def echo_request_id(response: Response) -> Response:
    response.headers["X-Request-ID"] = request.headers.get("X-Request-ID", "None")
    return response


@subsidy.get("/health/", strict_slashes=False)
def health() -> Response:
    return answer({"overall_status": "OK", "detailed_status": {"database_status": "OK"}})


# -- accounts: /api/v1/subsidies/ -------------------------------------------------------------------------------------


@subsidy.get(f"{V1}/subsidies/")
def subsidies() -> Response:
    """The accounts that the caller may read; lenient: who may read none of a customer gets an empty list."""
    world, caller = the_world(), _caller_of_subsidies()
    text = request.args.get("enterprise_customer_uuid")
    customer_uuid = uuid_or(text, lambda: _three(f"{text} is not a valid uuid.", 400)) if text else None
    if not caller.is_staff and not any(not role.startswith("enterprise_learner:") for role in caller.roles):
        raise Abort(_three(NO_PERMISSION, 403))
    rows = [row for row in world.tables.subsidies if customer_uuid in (None, row.customer_uuid)]
    rows = [row for row in rows if not row.is_deleted and _may_administer(caller, row.customer_uuid)]
    if title := request.args.get("title"):
        rows = [row for row in rows if title.lower() in row.title.lower()]
    page = page_of(rows, size=SIZE, largest=LARGEST)
    found = (records.subsidy_record(world, row) for row in page.rows)
    return answer(page.short_envelope(found, page_count=page.pages))


@subsidy.get(f"{V1}/subsidies/<subsidy_uuid>/")
def subsidy_detail(subsidy_uuid: str) -> Response:
    return answer(records.subsidy_record(the_world(), _readable_subsidy(_caller_of_subsidies(), subsidy_uuid)))


@subsidy.get(f"{V1}/subsidies/<subsidy_uuid>/can_redeem/")
def can_redeem(subsidy_uuid: str) -> Response:
    """Ignores the dates, and created or pending transactions."""
    world, row = the_world(), _readable_subsidy(_caller_of_subsidies(), subsidy_uuid)
    learner, content_key = request.args.get("lms_user_id"), request.args.get("content_key")
    if not learner or not content_key:
        return _three("A lms_user_id and content_key are required", 400)
    lms_user_id, content = number_or(learner, crash), content_of(world, row.customer_uuid, content_key)
    if content is None:
        return crash()
    is_new = ledger.successful(world, row, lms_user_id=lms_user_id, content_key=content_key) is None
    own = [one for one in _newest_first(world, row) if (one.lms_user_id, one.content_key) == (lms_user_id, content_key)]
    return answer(
        {
            "can_redeem": is_new and ledger.balance_of(world, row.uuid) >= (content.price or 0),
            "content_price": content.price,
            "unit": records.UNIT,
            "all_transactions": [records.transaction_record(one) for one in own],
            "active": row.is_active(world.now()),
        }
    )


@subsidy.get(f"{V1}/subsidies/<subsidy_uuid>/aggregates-by-learner", strict_slashes=False)
def aggregates_by_learner(subsidy_uuid: str) -> Response:
    """How many committed, unreversed transactions each learner has. No pages."""
    world, row = the_world(), _readable_subsidy(_caller_of_subsidies(), subsidy_uuid)
    rows = [one for one in ledger.transactions_of(world, row.uuid) if one.lms_user_id is not None]
    rows = [one for one in rows if one.state is TransactionState.COMMITTED and not one.is_reversed]
    if policy := request.args.get("subsidy_access_policy_uuid"):
        rows = [one for one in rows if str(one.policy_uuid) == policy]
    totals = Counter(one.lms_user_id for one in rows)
    return answer([{"lms_user_id": learner, "total": total} for learner, total in sorted(totals.items())])


@subsidy.get(f"{V1}/content-metadata/<content_key>/")
def content_metadata(content_key: str) -> Response:
    world = the_world()
    _caller()
    text = request.args.get("enterprise_customer_uuid")
    if not text:
        needed = "You must provide at least one of the following query parameters: enterprise_customer_uuid."
        return answer([needed], 400)
    content = content_of(world, uuid_or(text, crash), content_key)
    return answer(records.content_record(world, content)) if content else answer("Content not found", 404)


# -- transactions -----------------------------------------------------------------------------------------------------


@subsidy.get(f"{V2}/subsidies/<subsidy_uuid>/admin/transactions/")
def admin_transactions(subsidy_uuid: str) -> Response:
    """Everything of an account, deposits too, newest first; unknown parameters are ignored."""
    world, caller = the_world(), _caller()
    row = _subsidy(subsidy_uuid)
    if row is None or not _may_administer(caller, row.customer_uuid):
        return detail(READ_ALL, 403)
    return _listed(world, row, _filtered(_newest_first(world, row), states=request.args.getlist("state")))


@subsidy.get(f"{V2}/subsidies/<subsidy_uuid>/transactions/")
def own_transactions(subsidy_uuid: str) -> Response:
    world, caller = the_world(), _caller()
    row = _subsidy(subsidy_uuid)
    if row is None or not caller.has_role("enterprise_learner", row.customer_uuid):
        return detail("Missing: subsidy.can_read_transactions", 403)
    own = [one for one in _newest_first(world, row) if one.lms_user_id == caller.user_id]
    return _listed(world, row, _filtered(own, states=request.args.getlist("state")))


@subsidy.get(f"{V1}/transactions/")
def transactions() -> Response:
    """The first version of the list: learners see their own; the state is no filter."""
    world, caller = the_world(), _caller()
    text = request.args.get("subsidy_uuid")
    if not text:
        return answer(["You must provide at least one of the following query parameters: subsidy_uuid."], 400)
    row = _subsidy(text)
    if row is None:
        return detail("MISSING: subsidy.can_read_transactions", 403)
    rows = _newest_first(world, row)
    if not _may_administer(caller, row.customer_uuid):
        rows = [one for one in rows if one.lms_user_id == caller.user_id]
    return _listed(world, row, _filtered(rows, states=[]))


@subsidy.get(f"{V1}/transactions/<transaction_uuid>/")
def transaction(transaction_uuid: str) -> Response:
    world, caller = the_world(), _caller()
    malformed = f"{transaction_uuid} is not a valid uuid."
    row = world.tables.ledger_transactions.get(uuid_or(transaction_uuid, lambda: detail(malformed, 400)))
    owner = world.tables.subsidies.get(row.subsidy_uuid) if row else None
    if row is None or owner is None:
        return detail("MISSING: subsidy.can_read_transactions", 403)
    if not _may_administer(caller, owner.customer_uuid) and row.lms_user_id != caller.user_id:
        return detail("No Transaction matches the given query.", 404)
    return answer(records.transaction_record(row))


@subsidy.post(f"{V2}/subsidies/<subsidy_uuid>/admin/transactions/")
def redeem(subsidy_uuid: str) -> Response:
    """Redeem: synchronous, with the call to the LMS inside."""
    world, caller = the_world(), _caller()
    row = _subsidy(subsidy_uuid)
    if row is None or not caller.is_operator:
        return detail(CREATE, 403)
    asked = redemption_of(_body())
    content = content_of(world, row.customer_uuid, asked.content_key)
    try:
        redeemed, is_written = ledger.redeem(
            world,
            row,
            request=asked,
            content=content,
            enroll=lambda transaction_uuid: enroll(world, row, asked, transaction_uuid),
        )
    except ledger.Refused as refusal:
        body = {"detail": str(refusal)} | ({"code": refusal.code} if refusal.code else {})
        return answer(body, refusal.status)
    except ledger.WorkerDied:
        return crash()
    return answer(records.transaction_record(redeemed), 201 if is_written else 200)


@subsidy.post(f"{V2}/subsidies/<subsidy_uuid>/admin/deposits/")
def deposit(subsidy_uuid: str) -> Response:
    """Add value. Not idempotent: the same key again is 422, although the first call added the value."""
    world, caller, body = the_world(), _caller(), _body()
    row = _subsidy(subsidy_uuid)
    if row is None or not caller.is_operator:
        return detail("Missing: subsidy.can_create_deposits", 403)
    quantity = body.get("desired_deposit_quantity")
    if not isinstance(quantity, int) or quantity <= 0:
        return answer({"desired_deposit_quantity": ["Ensure this value is greater than or equal to 1."]}, 400)
    key = str(body.get("idempotency_key") or f"deposit-{len(world.tables.ledger_transactions)}")
    try:
        added = ledger.deposit(world, row, quantity=quantity, idempotency_key=key)
    except ledger.Refused as refusal:
        return answer({"detail": str(refusal), "code": refusal.code}, 422)
    return answer(records.deposit_record(added, body), 201)


# -- callers, rights --------------------------------------------------------------------------------------------------


def _caller() -> Caller:
    return authenticate(garbage="Error decoding token.", expired="Token has expired.")


def _caller_of_subsidies() -> Caller:
    """Return the caller, or abort with the three-part error of the account views."""
    try:
        return _caller()
    except Abort as abort:
        raise Abort(_three(json.loads(abort.response.data)["detail"], 401, abort.response)) from None


def _three(text: str, status: int, like: Response | None = None) -> Response:
    headers = {"WWW-Authenticate": like.headers["WWW-Authenticate"]} if like else None
    body = {"error_code": NAMES_OF_ERRORS[status], "developer_message": text, "user_message": text}
    return answer(body, status, headers)


def _may_administer(caller: Caller, customer_uuid: UUID) -> bool:
    return caller.is_operator or caller.has_role("enterprise_admin", customer_uuid)


def _subsidy(text: str) -> Subsidy | None:
    """Return the account; unknown and deleted ones are the same."""
    row = the_world().tables.subsidies.get(uuid_or(text, crash))
    return None if row is None or row.is_deleted else row


def _readable_subsidy(caller: Caller, text: str) -> Subsidy:
    row = _subsidy(text)
    if row is None or not _may_administer(caller, row.customer_uuid):
        raise Abort(_three(READ_SUBSIDIES, 403))
    return row


# -- lists ------------------------------------------------------------------------------------------------------------


def _newest_first(world: World, row: Subsidy) -> list[LedgerTransaction]:
    # Of the same instant, too, what was written last comes first.
    return sorted(ledger.transactions_of(world, row.uuid), key=lambda one: one.created_at)[::-1]


def _filtered(rows: list[LedgerTransaction], *, states: list[str]) -> list[LedgerTransaction]:
    for state in states:
        if state not in set(TransactionState):
            text = f"Select a valid choice. {state} is not one of the available choices."
            raise Abort(answer({"state": [text]}, 400))
    for name, read in _FILTERS.items():
        if wanted := request.args.get(name):
            rows = [one for one in rows if read(one) == wanted]
    if search := request.args.get("search", "").lower():
        rows = [one for one in rows if search in f"{one.lms_user_email} {one.content_title} {one.content_key}".lower()]
    return [one for one in rows if one.state in states] if states else rows


_FILTERS = {
    "lms_user_id": lambda one: None if one.lms_user_id is None else str(one.lms_user_id),
    "content_key": lambda one: one.content_key,
    "subsidy_access_policy_uuid": lambda one: None if one.policy_uuid is None else str(one.policy_uuid),
}
_ORDERS = {"created": lambda one: one.created_at, "quantity": lambda one: one.quantity}


def _listed(world: World, row: Subsidy, rows: list[LedgerTransaction]) -> Response:
    ordering = request.args.get("ordering", "")
    if by := _ORDERS.get(ordering.lstrip("-")):
        rows = sorted(rows, key=by, reverse=ordering.startswith("-"))
    page = page_of(rows, size=SIZE, largest=LARGEST)
    more: dict[str, Any] = {}
    if request.args.get("include_aggregates", "").lower() == "true":
        more["aggregates"] = {
            "unit": records.UNIT,
            "remaining_subsidy_balance": ledger.balance_of(world, row.uuid),
            "total_quantity": sum(one.quantity for one in rows),
        }
    return answer(page.envelope((records.transaction_record(one) for one in page.rows), **more))


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}
