"""Rows of the source as the apps below take them. What a row does not say is never guessed: RowUnreadable."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.services.importing import ArrivingAction, ArrivingAssignment
from enterprise_access.apps.moving_in.domain.cells import Cells
from enterprise_access.apps.moving_in.errors import RowUnreadable
from enterprise_access.apps.redemption.services.importing import ArrivingRedemption
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.services.importing import ArrivingAssociation, ArrivingPolicy
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.services.importing import (
    ArrivingConfiguration,
    ArrivingRequest,
    ArrivingRequestAction,
)

# Our columns take a little less than the source's, which holds sentences there.
_DECLINE_REASON: Final = 250
_ASSIGNMENT_ERROR: Final = 64
_REQUEST_ERROR: Final = 50

Users = Mapping[object, Cells]


def policy_of(row: Cells, *, is_taking_requests: bool) -> ArrivingPolicy:
    """Return a budget. `is_taking_requests`: its configuration of learner credit requests is active."""
    method = row.one_of("access_method", AccessMethod)
    return ArrivingPolicy(
        uuid=row.needed_uuid("uuid"),
        customer_uuid=row.needed_uuid("enterprise_customer_uuid"),
        subsidy_id=row.needed_uuid("subsidy_uuid"),
        catalog_uuid=row.needed_uuid("catalog_uuid"),
        policy_type=row.one_of("policy_type", PolicyType),
        access_method=method,
        display_name=row.text("display_name", most=512),
        description=row.text("description"),
        active=row.truth("active"),
        retired=row.truth("retired"),
        retired_at=row.instant("retired_at"),
        spend_limit=row.number("spend_limit"),
        per_learner_spend_limit=row.number("per_learner_spend_limit"),
        per_learner_enrollment_limit=row.number("per_learner_enrollment_limit"),
        late_redemption_allowed_until=row.instant("late_redemption_allowed_until"),
        assignment_configuration=row.uuid("assignment_configuration_id"),
        learner_credit_request_config=row.uuid("learner_credit_request_config_id") if is_taking_requests else None,
        **_times(row),
    )


def association_of(row: Cells) -> ArrivingAssociation:
    """Return to which group a budget is limited."""
    return ArrivingAssociation(
        name=row.text("id"),
        policy_uuid=row.needed_uuid("subsidy_access_policy_id"),
        group_uuid=row.needed_uuid("enterprise_group_uuid"),
        **_times(row),
    )


def assignment_of(row: Cells, actions: Collection[Cells]) -> ArrivingAssignment:
    """Return an assignment with its actions. One action that cannot be read keeps the assignment out, and says why."""
    quantity = row.needed_number("content_quantity")
    if quantity > 0:
        raise RowUnreadable("content_quantity: positive.")
    created = row.needed_instant("created")
    return ArrivingAssignment(
        uuid=row.needed_uuid("uuid"),
        configuration_uuid=row.needed_uuid("assignment_configuration_id"),
        learner_email=row.needed_text("learner_email", most=254),
        lms_user_id=row.account("lms_user_id"),
        content_key=row.needed_text("content_key", most=255),
        parent_content_key=row.text("parent_content_key", most=255),
        is_assigned_course_run=row.truth("is_assigned_course_run"),
        preferred_course_run_key=row.text("preferred_course_run_key", most=255),
        content_title=row.text("content_title", most=512),
        content_quantity=quantity,
        state=row.one_of("state", AssignmentState),
        # Early releases did not write down when a row was allocated.
        allocated_at=row.instant("allocated_at") or created,
        accepted_at=row.instant("accepted_at"),
        cancelled_at=row.instant("cancelled_at"),
        expired_at=row.instant("expired_at"),
        errored_at=row.instant("errored_at"),
        reversed_at=row.instant("reversed_at"),
        allocation_batch_id=row.uuid("allocation_batch_id"),
        admin_lms_user_id=row.account("admin_lms_user_id"),
        transaction_uuid=row.uuid("transaction_uuid"),
        actions=tuple(map(_action_of, actions)),
        **_times(row),
    )


def _action_of(row: Cells) -> ArrivingAction:
    return ArrivingAction(
        uuid=row.needed_uuid("uuid"),
        action_type=row.needed_text("action_type", most=32),
        completed_at=row.instant("completed_at"),
        error_reason=row.text("error_reason", most=_ASSIGNMENT_ERROR),
        **_times(row),
    )


def configuration_of(row: Cells, users: Users) -> ArrivingConfiguration:
    """Return how a customer takes requests."""
    kind = row.text("subsidy_type")
    return ArrivingConfiguration(
        customer_uuid=row.needed_uuid("enterprise_customer_uuid"),
        subsidy_requests_enabled=row.truth("subsidy_requests_enabled"),
        subsidy_type=row.one_of("subsidy_type", SubsidyType) if kind else None,
        changed_by_lms_user_id=_lms_user_of(row, "changed_by_id", users),
        **_times(row),
    )


def license_request_of(row: Cells, users: Users) -> ArrivingRequest:
    """Return a request for a license."""
    return ArrivingRequest(
        **_request(row, users, SubsidyType.LICENSE),
        plan_uuid=row.uuid("subscription_plan_uuid"),
        license_uuid=row.uuid("license_uuid"),
    )


def coupon_request_of(row: Cells, users: Users) -> ArrivingRequest:
    """Return a request for a coupon code."""
    return ArrivingRequest(
        **_request(row, users, SubsidyType.COUPON),
        coupon_id=row.positive("coupon_id"),
        coupon_code=row.text("coupon_code", most=128),
    )


def credit_request_of(
    row: Cells, users: Users, *, policy_uuid: UUID | None, actions: Collection[Cells]
) -> ArrivingRequest:
    """Return a request for learner credit with its actions. `policy_uuid`: the budget of its configuration."""
    if policy_uuid is None:
        raise RowUnreadable("learner_credit_request_config: no budget has this configuration.")
    return ArrivingRequest(
        **_request(row, users, SubsidyType.LEARNER_CREDIT),
        policy_uuid=policy_uuid,
        assignment_uuid=row.uuid("assignment_id"),
        course_price=row.positive("course_price"),
        actions=tuple(map(_request_action_of, actions)),
    )


def _request_action_of(row: Cells) -> ArrivingRequestAction:
    return ArrivingRequestAction(
        uuid=row.needed_uuid("uuid"),
        type=row.one_of("recent_action", ActionType),
        error_reason=row.text("error_reason", most=_REQUEST_ERROR),
        created=row.needed_instant("created"),
    )


def _request(row: Cells, users: Users, kind: SubsidyType) -> dict[str, Any]:
    """Return what requests of all kinds have. Raises RowUnreadable for one that is deleted, or just being granted."""
    if row.truth("is_removed"):
        raise RowUnreadable("It is deleted in the source.")
    state = row.one_of("state", RequestState)
    if state is RequestState.PENDING:
        raise RowUnreadable("It is just being granted there. Import again when it is approved or has failed.")
    lms_user_id, user = _lms_user_of(row, "user_id", users), users.get(row.raw("user_id"))
    if user is None or lms_user_id is None:
        raise RowUnreadable("user: not in the source, or without an LMS user id.")
    return {
        "uuid": row.needed_uuid("uuid"),
        "customer_uuid": row.needed_uuid("enterprise_customer_uuid"),
        "subsidy_type": kind,
        "lms_user_id": lms_user_id,
        "email": user.text("email", most=254),
        "course_id": row.text("course_id", most=255),
        "course_title": row.text("course_title", most=255),
        "course_partners": _partners_of(row),
        "state": state,
        "reviewed_at": row.instant("reviewed_at"),
        "reviewer_lms_user_id": _lms_user_of(row, "reviewer_id", users),
        "decline_reason": row.text("decline_reason")[:_DECLINE_REASON],
        **_times(row),
    }


def _partners_of(row: Cells) -> list[dict[str, str | None]] | None:
    """Return who offers the course; None where that is not known. It is filled in from the catalog then."""
    said = row.json("course_partners")
    if not isinstance(said, list) or not all(isinstance(one, dict) and one.get("name") for one in said):
        return None
    return [{"uuid": str(one["uuid"]) if one.get("uuid") else None, "name": str(one["name"])} for one in said]


def redemption_of(row: Cells) -> ArrivingRedemption:
    """Return a forced redemption that was committed. Raises RowUnreadable for one that was not."""
    transaction_uuid, redeemed_at = row.uuid("transaction_uuid"), row.instant("redeemed_at")
    if transaction_uuid is None or redeemed_at is None:
        failed = row.instant("errored_at") is not None
        raise RowUnreadable(
            f"It {'failed' if failed else 'was not redeemed'} there, so there is nothing to take over. Force it here "
            "if the learner still needs it."
        )
    price = row.positive("content_price_cents")
    if price is None:
        raise RowUnreadable("content_price_cents: empty.")
    return ArrivingRedemption(
        uuid=row.needed_uuid("uuid"),
        policy_uuid=row.needed_uuid("subsidy_access_policy_id"),
        lms_user_id=row.needed_number("lms_user_id"),
        run_key=row.needed_text("course_run_key", most=255),
        amount_cents=price,
        transaction_uuid=transaction_uuid,
        redeemed_at=redeemed_at,
        **_times(row),
    )


def _lms_user_of(row: Cells, column: str, users: Users) -> int | None:
    user = users.get(row.raw(column))
    return None if user is None else user.account("lms_user_id")


def _times(row: Cells) -> dict[str, Any]:
    return {"created": row.needed_instant("created"), "modified": row.needed_instant("modified")}
