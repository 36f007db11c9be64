"""Cases about redeeming."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.groups.domain import Membership
from enterprise_access.apps.redemption.domain.assignments import Assignment, paying_assignment
from enterprise_access.apps.redemption.domain.case import (
    UNKNOWN,
    LearnerFacts,
    PlatformEnrollment,
    PolicyFacts,
    RedeemCase,
    RunFacts,
    RunTransaction,
    SubsidyFacts,
    Unknown,
)
from enterprise_access.apps.redemption.domain.choosing import PolicyAnswer, choose_policy
from enterprise_access.apps.redemption.domain.eligibility import can_redeem
from enterprise_access.apps.redemption.domain.settling import Asked, Enrolled, LedgerCall, Look, is_success, redeem_next
from enterprise_access.apps.redemption.domain.transactions import (
    Attempt,
    AttemptState,
    Transaction,
    begin,
    existing_redemption,
)
from enterprise_access.apps.redemption.management.oracle_file.budgets import (
    is_reversed,
    period,
    policy_type,
    reversal_state,
    transaction_state,
)
from enterprise_access.apps.redemption.management.oracle_file.comparing import AnyOrder, an_id
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.lib.oracle import Members, boolean, instant, list_of, option_of, or_none, text, whole_number

_HTTP: Final = "http"
_UNKNOWN: Final = "unknown"


# --- can_redeem ----------------------------------------------------------------------------------------------------


def _can_redeem(case: Members) -> dict[str, Any]:
    verdict = can_redeem(
        RedeemCase(
            policy=_policy(case.members("policy")),
            learner=_learner(case.members("learner")),
            run=_run(case.members("run")),
            subsidy=case.get("subsidy", or_none(_subsidy)),
            enrollment=case.get("enrollment", _enrollment),
            transactions=case.get("transactions", or_none(list_of(_run_transaction))),
            assignments=case.get("assignments", list_of(assignment)),
        ),
        now=case.get("now", instant),
    )
    return {
        "rule": verdict.rule,
        "redeemable": verdict.is_redeemable,
        "reason": verdict.reason,
        "price_cents": verdict.price_cents,
    }


def _policy(raw: Members) -> PolicyFacts:
    return PolicyFacts(
        policy_type=raw.get("type", policy_type),
        is_active=raw.get("active", boolean),
        is_retired=raw.get("retired", boolean),
        is_browse_and_request_on=raw.get("browse_and_request", boolean),
        groups=frozenset(raw.get("groups", list_of(an_id))),
        late_redemption_allowed_until=raw.nullable("late_redemption_allowed_until", instant),
        spend_limit_cents=raw.nullable("spend_limit", whole_number),
        learner_spend_limit_cents=raw.nullable("per_learner_spend_limit", whole_number),
        learner_enrollment_limit=raw.nullable("per_learner_enrollment_limit", whole_number),
        spent_cents=raw.get("spent", whole_number),
        held_cents=raw.get("held", whole_number),
        allocated_cents=raw.get("allocated", whole_number),
    )


def _learner(raw: Members) -> LearnerFacts:
    groups = raw.members("groups")
    return LearnerFacts(
        is_linked=raw.nullable("linked", boolean),
        memberships={an_id(name, "groups"): groups.get(name, _membership) for name in groups.raw},
        spent_cents=raw.get("spent", whole_number),
        held_cents=raw.get("held", whole_number),
        redemptions=raw.get("redemptions", whole_number),
        redemptions_held=raw.get("redemptions_held", whole_number),
    )


def _membership(value: Any, name: str) -> Membership:
    return Membership.UNKNOWN if value is None else option_of(Membership)(value, name)


def _run(raw: Members) -> RunFacts:
    return RunFacts(
        run_key=raw.get("key", text),
        course_key=raw.get("course_key", text),
        is_in_catalog=raw.nullable("in_catalog", boolean),
        has_metadata=raw.nullable("has_metadata", boolean),
        run_dollars=raw.required("run_price"),
        course_dollars=raw.required("course_price"),
        enroll_by=raw.nullable("enroll_by", instant),
    )


def _subsidy(value: Any, name: str) -> SubsidyFacts:
    raw = Members(value, name)
    return SubsidyFacts(
        period=period(raw),
        balance_cents=raw.get("balance", whole_number),
        promised_cents=raw.get("promised", whole_number),
    )


def _enrollment(value: Any, name: str) -> PlatformEnrollment | Unknown | None:
    if value is None or value == _UNKNOWN:
        return None if value is None else UNKNOWN
    raw = Members(value, name)
    return PlatformEnrollment(is_active=raw.get("is_active", boolean), mode=raw.get("mode", text))


def _run_transaction(value: Any, name: str) -> RunTransaction:
    raw = Members(value, name)
    return RunTransaction(
        state=raw.get("state", transaction_state),
        is_reversed=raw.get("reversal", is_reversed),
        is_ours=raw.get("ours", boolean),
    )


def assignment(value: Any, name: str) -> Assignment:
    """Read an assignment of the learner."""
    raw = Members(value, name)
    return Assignment(
        uuid=raw.get("uuid", an_id),
        content_key=raw.get("content_key", text),
        is_assigned_course_run=raw.get("is_assigned_course_run", boolean),
        state=raw.get("state", option_of(AssignmentState)),
        allocated_at=raw.get("allocated_at", instant),
        amount_cents=raw.optional("amount", whole_number, 0),
    )


def _paying_assignment(case: Members) -> dict[str, Any]:
    found = paying_assignment(
        run_key=case.get("run", text),
        course_key=case.get("course", text),
        assignments=case.get("assignments", list_of(assignment)),
    )
    return {"assignment": found.assignment.uuid if found.assignment else None, "reason": found.reason}


# --- choosing ------------------------------------------------------------------------------------------------------


def _choose_policy(case: Members) -> dict[str, Any]:
    choice = choose_policy(case.get("policies", list_of(_policy_answer)))
    return {
        "policy": choice.policy_uuid,
        "display_reason": choice.display_reason,
        "reasons": AnyOrder.of(
            {"reason": one.reason, "policies": AnyOrder.of(one.policy_uuids)} for one in choice.reasons
        ),
    }


def _policy_answer(value: Any, name: str) -> PolicyAnswer:
    raw = Members(value, name)
    reason = raw.nullable("reason", option_of(CreditReason))
    return PolicyAnswer(
        uuid=raw.get("uuid", an_id),
        assignment_pays=raw.get("assignment_pays", boolean),
        reason=None if raw.get("redeemable", boolean) else reason,
        expiration=raw.nullable("expiration", instant),
        policy_available_cents=raw.nullable("policy_available", whole_number),
        subsidy_available_cents=raw.nullable("subsidy_available", whole_number),
    )


# --- transactions and attempts -------------------------------------------------------------------------------------


def _transaction(value: Any, name: str) -> Transaction:
    raw = Members(value, name)
    return Transaction(
        uuid=raw.get("uuid", an_id),
        lms_user_id=raw.nullable("lms_user_id", whole_number),
        content_key=raw.nullable("content_key", text),
        state=raw.get("state", transaction_state),
        reversal_state=raw.get("reversal", reversal_state),
        idempotency_key=raw.optional("idempotency_key", text, None),
    )


def _existing_redemption(case: Members) -> dict[str, Any]:
    found = existing_redemption(
        lms_user_id=case.get("lms_user_id", whole_number),
        run_key=case.get("run", text),
        transactions=case.get("transactions", list_of(_transaction)),
    )
    return {
        "has_successful_redemption": found.transaction is not None,
        "transaction": found.transaction.uuid if found.transaction else None,
        "redemptions": AnyOrder.of(one.uuid for one in found.redemptions),
    }


def _begin(case: Members) -> dict[str, Any]:
    beginning = begin(
        lms_user_id=case.get("lms_user_id", whole_number),
        run_key=case.get("run", text),
        attempts=case.get("attempts", list_of(_attempt)),
        transactions=case.get("transactions", list_of(_transaction)),
    )
    return {"action": beginning.action, "uuid": beginning.uuid}


def _attempt(value: Any, name: str) -> Attempt:
    raw = Members(value, name)
    return Attempt(
        uuid=raw.get("uuid", an_id),
        lms_user_id=raw.get("lms_user_id", whole_number),
        run_key=raw.get("content_key", text),
        state=raw.get("state", option_of(AttemptState)),
    )


def _is_success(case: Members) -> dict[str, Any]:
    asked = Asked(lms_user_id=case.get("lms_user_id", whole_number), run_key=case.get("run", text), idempotency_key="")
    call = LedgerCall(
        status=case.nullable("status", whole_number), transaction=case.get("transaction", or_none(_transaction))
    )
    return {"success": is_success(asked=asked, call=call)}


def _redeem_next(case: Members) -> dict[str, Any]:
    asked = case.members("asked")
    step = redeem_next(
        asked=Asked(
            lms_user_id=asked.get("lms_user_id", whole_number),
            run_key=asked.get("run", text),
            idempotency_key=asked.get("key", text),
        ),
        call=_call(case.members("call")),
        look=case.get("look", or_none(_look)),
        calls_left=case.get("tries_left", whole_number),
    )
    return {"next": step.next, "reason": step.reason, "reservation": step.reservation}


def _call(raw: Members) -> LedgerCall:
    if raw.get("result", text) != _HTTP:
        return LedgerCall(status=None)
    return LedgerCall(
        status=raw.get("status", whole_number),
        code=raw.nullable("code", text),
        transaction=raw.get("transaction", or_none(_transaction)),
    )


def _look(value: Any, name: str) -> Look:
    raw = Members(value, name)
    return Look(
        transactions=raw.get("transactions", or_none(list_of(_transaction))),
        enrolled=raw.get("enrolled", option_of(Enrolled)),
        is_running_past_lms_limit=raw.get("running_past_lms_limit", boolean),
    )


FUNCTIONS: Final[Mapping[str, Callable[[Members], Mapping[str, Any]]]] = {
    "can_redeem": _can_redeem,
    "paying_assignment": _paying_assignment,
    "choose_policy": _choose_policy,
    "existing_redemption": _existing_redemption,
    "begin": _begin,
    "is_success": _is_success,
    "redeem_next": _redeem_next,
}
