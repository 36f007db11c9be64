"""The JSON objects of enterprise-subsidy, key for key."""

from __future__ import annotations

import json
from typing import Any

from ..answers import instant, whole_second
from ..catalog.records import normalized
from ..ledger import Content, balance_of, deposits_of
from ..ledger_rows import LedgerTransaction, Reversal, Subsidy
from ..values import Run
from ..world import World

UNIT = "usd_cents"
HOST = "https://enterprise-subsidy.example.com"
COURSEWARE = "https://learning.example.com/course"


def subsidy_record(world: World, row: Subsidy) -> dict[str, Any]:
    deposits = deposits_of(world, row.uuid)
    return {
        "uuid": str(row.uuid),
        "title": row.title,
        "enterprise_customer_uuid": str(row.customer_uuid),
        "active_datetime": whole_second(row.starts_at),
        "expiration_datetime": whole_second(row.expires_at),
        "unit": UNIT,
        "reference_id": row.reference_id,
        "reference_type": "salesforce_opportunity_line_item",
        "current_balance": balance_of(world, row.uuid),
        "starting_balance": deposits[0].quantity if deposits else 0,
        "internal_only": False,
        "revenue_category": "bulk-enrollment-prepay",
        "is_active": row.is_active(world.now()),
        "total_deposits": sum(deposit.quantity for deposit in deposits),
        "created": instant(row.created_at),
        "modified": instant(row.created_at),
    }


def transaction_record(row: LedgerTransaction) -> dict[str, Any]:
    return {
        "uuid": str(row.uuid),
        "state": row.state,
        "idempotency_key": row.idempotency_key,
        "lms_user_id": row.lms_user_id,
        "lms_user_email": row.lms_user_email,
        "content_key": row.content_key,
        "parent_content_key": row.parent_content_key,
        "content_title": row.content_title,
        "course_run_start_date": whole_second(row.course_run_start),
        "quantity": row.quantity,
        "unit": UNIT,
        "fulfillment_identifier": row.fulfillment_identifier,
        "subsidy_access_policy_uuid": str(row.policy_uuid) if row.policy_uuid else None,
        "metadata": json.loads(row.metadata),
        "created": instant(row.created_at),
        "modified": instant(row.modified_at),
        "reversal": _reversal_record(row.reversal) if row.reversal else None,
        "external_reference": [],
        "transaction_status_api_url": f"{HOST}/api/v1/transactions/{row.uuid}/",
        "courseware_url": f"{COURSEWARE}/{row.content_key}/home",
    }


def _reversal_record(row: Reversal) -> dict[str, Any]:
    return {
        "uuid": str(row.uuid),
        "state": row.state,
        "idempotency_key": row.idempotency_key,
        "quantity": row.quantity,
        "metadata": {},
        "created": instant(row.created_at),
        "modified": instant(row.created_at),
    }


def deposit_record(row: LedgerTransaction, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "uuid": str(row.uuid),
        "ledger": str(row.subsidy_uuid),
        "desired_deposit_quantity": row.quantity,
        "transaction": str(row.uuid),
        "sales_contract_reference_id": body.get("sales_contract_reference_id"),
        "sales_contract_reference_provider": body.get("sales_contract_reference_provider"),
    }


def content_record(world: World, content: Content) -> dict[str, Any]:
    return {
        "content_title": content.course.title,
        "content_uuid": str(content.course.uuid),
        "content_key": content.course.key,
        "course_run_uuid": str(content.run.uuid),
        "course_run_key": content.run.key,
        "course_run_start_date": whole_second(content.run.start),
        "source": "edX",
        "mode": "verified",
        "content_price": content.price,
        "enroll_by_date": normalized(content.run, world.now())["enroll_by_date"],
        "geag_variant_id": None,
    }


def price_in_cents(world: World, run: Run) -> int:
    """Return the price that the catalog asks for a run."""
    return round(100 * normalized(run, world.now())["content_price"])
