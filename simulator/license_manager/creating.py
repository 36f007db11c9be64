"""license-manager: what it creates for a new customer. Only provisioning admins may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from ..answers import Abort, answer, authenticate, crash, detail, instant, page_of, the_world, uuid_or
from ..values import Plan, Renewal
from ..world import World
from . import records
from .views import API, license_manager

PREFIX = f"{API}/provisioning-admins"
PRODUCTS = frozenset({1, 2, 3, 4})
ERROR = {"error": "An error occurred"}


@license_manager.post(f"{PREFIX}/customer-agreement/", strict_slashes=False)
def create_agreement() -> Response:
    """Create an agreement; a customer has one."""
    world, body = the_world(), _body_of_provisioner()
    customer_uuid = uuid_or(str(body.get("enterprise_customer_uuid")), _refused)
    if world.tables.agreements.first(customer=customer_uuid) is not None:
        return answer({"enterprise_customer_uuid": ["customer agreement with this uuid already exists."]}, 400)
    if world.tables.customers.get(customer_uuid) is None:
        return answer(ERROR, 400)
    catalog = body.get("default_enterprise_catalog_uuid")
    row = world.add_agreement(
        customer=customer_uuid, default_catalog_uuid=uuid_or(str(catalog), _refused) if catalog else None
    )
    return answer(records.agreement_record(world, row) | {"subscriptions": []}, 201)


@license_manager.post(f"{PREFIX}/subscriptions/", strict_slashes=False)
def create_plan() -> Response:
    """Create a plan with its free licenses. Titles are unique in an agreement; a line item is text or null."""
    world, body = the_world(), _body_of_provisioner()
    agreement = world.tables.agreements.get(uuid_or(str(body.get("customer_agreement")), _refused))
    item = body.get("salesforce_opportunity_line_item")
    is_known = agreement is not None and body.get("product") in PRODUCTS and _is_line_item(item)
    if agreement is None or not is_known or not body.get("title"):
        return answer(ERROR, 400)
    if any(plan.title == body["title"] for plan in world.tables.plans.where(agreement=agreement.uuid)):
        return answer({"non_field_errors": ["The fields title, customer_agreement must make a unique set."]}, 400)
    catalog = body.get("enterprise_catalog_uuid")
    plan = world.add_plan(
        customer=agreement.customer_uuid,
        catalog_uuid=uuid_or(str(catalog), _refused) if catalog else None,
        title=body["title"],
        starts_at=_instant(body.get("start_date")),
        expires_at=_instant(body.get("expiration_date")),
        licenses=int(body.get("desired_num_licenses") or 0),
    )
    plan = world.change_plan(plan_uuid=plan.uuid, line_item=item, product=body["product"])
    return answer(_record(world, plan), 201)


@license_manager.patch(f"{PREFIX}/subscriptions/<plan_uuid>/", strict_slashes=False)
def change_plan(plan_uuid: str) -> Response:
    world, body = the_world(), _body_of_provisioner()
    plan = world.tables.plans.get(uuid_or(plan_uuid, crash))
    item = body.get("salesforce_opportunity_line_item")
    if plan is None:
        return detail("No SubscriptionPlan matches the given query.", 404)
    if not body.get("change_reason") or not _is_line_item(item):
        return answer(ERROR, 400)
    return answer(_record(world, world.change_plan(plan_uuid=plan.uuid, line_item=item)))


@license_manager.get(f"{PREFIX}/subscription-plan-renewals/", strict_slashes=False)
def renewals() -> Response:
    world = the_world()
    _provisioner()
    rows = list(world.tables.renewals)
    if text := request.args.get("prior_subscription_plan"):
        rows = [row for row in rows if str(row.prior_plan_uuid) == text]
    page = page_of(rows, size=100, largest=500)
    return answer(page.short_envelope(_renewal_record(row) for row in page.rows))


@license_manager.post(f"{PREFIX}/subscription-plan-renewals/", strict_slashes=False)
def create_renewal() -> Response:
    """Create a renewal: 200 for the same one again, 422 where either plan has another one."""
    world, body = the_world(), _body_of_provisioner()
    prior = world.tables.plans.get(uuid_or(str(body.get("prior_subscription_plan")), _refused))
    renewed = world.tables.plans.get(uuid_or(str(body.get("renewed_subscription_plan")), _refused))
    if prior is None or renewed is None or prior.agreement_uuid != renewed.agreement_uuid:
        return answer({"non_field_errors": ["Both plans have to be of the same customer agreement."]}, 400)
    others = [*world.tables.renewals.where(prior=prior.uuid), *world.tables.renewals.where(renewed=renewed.uuid)]
    for row in others:
        is_same = (row.prior_plan_uuid, row.renewed_plan_uuid) == (prior.uuid, renewed.uuid)
        return answer(_renewal_record(row), 200 if is_same else 422)
    row = Renewal(
        id=len(world.tables.renewals) + 1,
        prior_plan_uuid=prior.uuid,
        renewed_plan_uuid=renewed.uuid,
        line_item=body.get("salesforce_opportunity_id"),
        licenses=int(body.get("number_of_licenses") or 0),
        effective_at=_instant(body.get("effective_date")),
        expires_at=_instant(body.get("renewed_expiration_date")),
        created_at=world.now(),
    )
    world.put("renewal added", row)
    return answer(_renewal_record(row), 201)


def _record(world: World, plan: Plan) -> dict[str, Any]:
    return records.plan_record(world, plan) | {"product": plan.product}


def _renewal_record(row: Renewal) -> dict[str, Any]:
    return {
        "id": row.id,
        "created": instant(row.created_at),
        "prior_subscription_plan": str(row.prior_plan_uuid),
        "renewed_subscription_plan": str(row.renewed_plan_uuid) if row.renewed_plan_uuid else None,
        "salesforce_opportunity_id": row.line_item,
        "number_of_licenses": row.licenses,
        "effective_date": instant(row.effective_at),
        "renewed_expiration_date": instant(row.expires_at),
        "processed": False,
    }


def _is_line_item(value: object) -> bool:
    """Say whether license-manager takes this line item: null, or a Salesforce id. (The text "None" is neither.)"""
    return value is None or (isinstance(value, str) and value.startswith("00k"))


def _instant(value: object) -> datetime:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        raise Abort(_refused()) from None


_refused: Callable[[], Response] = lambda: answer(ERROR, 400)  # noqa: E731


def _provisioner() -> None:
    caller = authenticate(garbage="Error decoding token.", expired="Token has expired.")
    if not caller.is_provisioner:
        raise Abort(detail("You do not have permission to perform this action.", 403))


def _body_of_provisioner() -> dict[str, Any]:
    _provisioner()
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}
