"""enterprise-subsidy: creating an account with its first deposit. Only operators may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
from flask import Response, request

from .. import ledger
from ..answers import Abort, answer, authenticate, detail, the_world, uuid_or
from ..values import uuid_for
from . import records
from .views import V1, subsidy


@subsidy.post(f"{V1}/subsidies/")
def create_subsidy() -> Response:
    """Create an account: 201, or 200 with the one of that reference, whatever else is sent."""
    world = the_world()
    if not authenticate().is_operator:
        return detail("MISSING: subsidy.can_write_subsidies", 403)
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    missing = [name for name in ("reference_id", "default_title", "default_unit") if not body.get(name)]
    if missing:
        return answer({name: ["This field is required."] for name in missing}, 400)
    reference = body["reference_id"]
    row = next((row for row in world.tables.subsidies if row.reference_id == reference), None)
    if row is not None:
        return answer(records.subsidy_record(world, row))
    refused = lambda: answer({"default_enterprise_customer_uuid": ["Must be a valid UUID."]}, 400)  # noqa: E731
    row = ledger.add_subsidy(
        world,
        customer_uuid=uuid_or(str(body.get("default_enterprise_customer_uuid")), refused),
        title=body["default_title"],
        uuid=uuid_for("subsidy", reference),
        starts_at=_instant(body, "default_active_datetime"),
        expires_at=_instant(body, "default_expiration_datetime"),
        starting_balance=int(body.get("default_starting_balance") or 0),
    )
    row = attrs.evolve(row, reference_id=reference)
    world.put("subsidy changed", row)
    return answer(records.subsidy_record(world, row), 201)


def _instant(body: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(body.get(name))).astimezone(UTC)
    except ValueError:
        raise Abort(answer({name: ["Datetime has wrong format."]}, 400)) from None
