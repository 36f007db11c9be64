"""Redeeming: what the serializer refuses, what the catalog says of the content, and the call to the LMS."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import json

from .. import ledger
from ..answers import UUID_PATTERN, Abort, answer
from ..catalog.search import matches
from ..ledger_rows import Subsidy
from ..lms import bulk_enroll
from ..values import Course, Program, uuid_for
from ..world import World
from . import records


def redemption_of(body: dict[str, Any]) -> ledger.Request:
    """Return what is requested, or abort with 400. A learner of null is accepted, and charged."""
    names = ("lms_user_id", "content_key", "subsidy_access_policy_uuid")
    errors = {name: ["This field is required."] for name in names if name not in body}
    if body.get("lms_user_id") is not None and not re.fullmatch(r"-?\d+", str(body["lms_user_id"])):
        errors["lms_user_id"] = ["A valid integer is required."]
    policy = str(body.get("subsidy_access_policy_uuid"))
    if "subsidy_access_policy_uuid" in body and not UUID_PATTERN.fullmatch(policy):
        errors["subsidy_access_policy_uuid"] = ["Must be a valid UUID."]
    price = body.get("requested_price_cents")
    if isinstance(price, int) and price < 0:
        errors["requested_price_cents"] = ["Ensure this value is greater than or equal to 0."]
    if errors:
        raise Abort(answer(errors, 400))
    return ledger.Request(
        lms_user_id=None if body["lms_user_id"] is None else int(body["lms_user_id"]),
        content_key=str(body["content_key"]),
        policy_uuid=UUID(policy),
        metadata=body.get("metadata") or {},
        idempotency_key=body.get("idempotency_key"),
        requested_price=price,
    )


def content_of(world: World, customer_uuid: UUID, content_key: str) -> ledger.Content | None:
    """Return the content in any catalog of the customer, with its price; a course stands for its advertised run."""
    for catalog in world.tables.catalogs.where(customer=customer_uuid):
        for found in matches(world, catalog, content_key, is_v2=True):
            if isinstance(found, Program):
                continue
            course = found if isinstance(found, Course) else world.course(found.course_key)
            runs = world.runs_of(course.key)
            run = next((one for one in runs if one.key.lower() == content_key.lower()), None)
            run = run or next((one for one in runs if one.uuid == course.advertised_run_uuid), None)
            if run is not None:
                return ledger.Content(course=course, run=run, price=records.price_in_cents(world, run))
    return None


def enroll(world: World, row: Subsidy, asked: ledger.Request, transaction_uuid: UUID) -> ledger.Enrolled:
    """Call the LMS's bulk enrollment as the ledger does. A learner of null is charged all the same (recorded)."""
    if asked.lms_user_id is None:
        return ledger.Enrolled(status=201, fulfillment=str(uuid_for("fulfillment", transaction_uuid)))
    item = {
        "user_id": asked.lms_user_id,
        "course_run_key": asked.content_key,
        "transaction_id": str(transaction_uuid),
    }
    if asked.metadata.get("allow_late_enrollment"):
        item["force_enrollment"] = True
    try:
        response = bulk_enroll.enroll(world, owner=world.customer(row.customer_uuid), body={"enrollments_info": [item]})
    except Abort as refusal:
        response = refusal.response
    outcome = json.loads(response.data) if response.status_code < 400 else {}
    done = outcome.get("successes") or [{}]
    return ledger.Enrolled(status=response.status_code, fulfillment=done[0].get("enterprise_fulfillment_source_uuid"))
