"""The endpoints of enterprise-subsidy that we use."""

from collections.abc import Mapping
from typing import Any, Final

from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.routes.shared import Endpoint, as_integer, as_uuid, member, pattern
from enterprise_access.upstream.subsidy.client import SubsidyClient


def _subsidy(method: str, path: str, call: str, arguments: Any, **stand_ins: Any) -> Endpoint:
    return Endpoint("enterprise-subsidy", SubsidyClient, method, pattern(path), call, arguments, stand_ins)


def _filters(recording: Recording, found: Mapping[str, str]) -> dict[str, Any]:
    arguments = {"subsidy_uuid": as_uuid(found["subsidy"]), "states": recording.values("state")}
    learner, content = recording.value("lms_user_id"), recording.value("content_key")
    policy = recording.value("subsidy_access_policy_uuid")
    return arguments | {
        "lms_user_id": as_integer(learner),
        "content_key": content,
        "policy_uuid": as_uuid(policy),
    }


def _redemption(recording: Recording, found: Mapping[str, str]) -> dict[str, Any]:
    body = recording.body
    return {
        "subsidy_uuid": as_uuid(found["subsidy"]),
        "policy_uuid": as_uuid(member(body, "subsidy_access_policy_uuid")),
        "lms_user_id": member(body, "lms_user_id"),
        "content_key": member(body, "content_key"),
        "idempotency_key": member(body, "idempotency_key"),
        "requested_price_cents": member(body, "requested_price_cents"),
        "metadata": member(body, "metadata"),
    }


def _deposit(recording: Recording, found: Mapping[str, str]) -> dict[str, Any]:
    names = ("idempotency_key", "sales_contract_reference_id", "sales_contract_reference_provider")
    arguments = {name: member(recording.body, name) for name in names}
    return arguments | {
        "subsidy_uuid": as_uuid(found["subsidy"]),
        "quantity_cents": member(recording.body, "desired_deposit_quantity"),
    }


ROUTES: Final = (
    _subsidy(
        "GET",
        "/api/v1/subsidies/",
        "list_subsidies",
        lambda recording, _: {"customer_uuid": as_uuid(recording.value("enterprise_customer_uuid"))},
    ),
    _subsidy(
        "GET",
        "/api/v1/subsidies/{subsidy}/",
        "get_subsidy",
        lambda _, found: {"subsidy_uuid": as_uuid(found["subsidy"])},
    ),
    _subsidy("GET", "/api/v2/subsidies/{subsidy}/admin/transactions/", "list_transactions", _filters),
    _subsidy("POST", "/api/v2/subsidies/{subsidy}/admin/transactions/", "redeem", _redemption),
    _subsidy("POST", "/api/v2/subsidies/{subsidy}/admin/deposits/", "deposit", _deposit),
)
