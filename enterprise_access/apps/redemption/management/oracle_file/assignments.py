"""Cases about assignments and requests."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from enterprise_access.apps.content_assignments.domain.allocation import (
    Account,
    AllocationCase,
    AllocationRequest,
    AssignmentRow,
    BudgetUse,
    RequestedContent,
    allocate,
)
from enterprise_access.apps.content_assignments.domain.bulk import BulkAction, BulkRow, bulk
from enterprise_access.apps.content_assignments.domain.emails import normalize_emails
from enterprise_access.apps.content_assignments.domain.expiring import (
    AssignedContent,
    AssignedRun,
    ExpirationCase,
    expiration,
    is_email_due_for_clearing,
)
from enterprise_access.apps.content_assignments.domain.showing import Action, LearnerState, learner_state, recent_action
from enterprise_access.apps.content_assignments.domain.states import AssignmentAction, AssignmentState, transition
from enterprise_access.apps.redemption.management.oracle_file.budgets import period, policy_type
from enterprise_access.apps.redemption.management.oracle_file.comparing import AnyOrder, an_id
from enterprise_access.apps.subsidy_requests.domain.states import (
    RequestAction,
    RequestState,
    SubsidyType,
    request_transition,
)
from enterprise_access.lib.oracle import (
    Members,
    boolean,
    instant,
    list_of,
    name_in,
    option_of,
    or_none,
    text,
    whole_number,
)

assignment_state = option_of(AssignmentState)


# --- allocating ----------------------------------------------------------------------------------------------------


def _normalize_emails(case: Members) -> dict[str, Any]:
    emails = normalize_emails(case.required("learner_emails"))
    return {"accepted": emails is not None, "emails": emails or ()}


def _allocate(case: Members) -> dict[str, Any]:
    request, users = case.members("request"), case.members("users")
    done = allocate(
        AllocationCase(
            budget=_budget(case.members("policy")),
            subsidy=case.get("subsidy", or_none(_account)),
            content=case.get("content", or_none(_content)),
            request=AllocationRequest(
                learner_emails=request.required("learner_emails"),
                content_key=request.required("content_key"),
                content_price_cents=request.required("content_price_cents"),
            ),
            users={email: users.get(email, whole_number) for email in users.raw},
            rows=case.get("rows", list_of(_row)),
        ),
        now=case.get("now", instant),
    )
    admin = case.members("caller").nullable("lms_user_id", whole_number)
    return {
        "outcome": done.outcome,
        "reason": done.reason,
        "created": AnyOrder.of(done.created),
        "updated": AnyOrder.of(done.updated),
        "no_change": AnyOrder.of(done.no_change),
        "newly_held_cents": done.newly_held_cents,
        "admin_lms_user_id": admin if done.changes_rows else None,
    }


def _budget(raw: Members) -> BudgetUse:
    return BudgetUse(
        policy_type=raw.get("type", policy_type),
        is_active=raw.get("active", boolean),
        is_retired=raw.get("retired", boolean),
        late_redemption_allowed_until=raw.nullable("late_redemption_allowed_until", instant),
        spend_limit_cents=raw.nullable("spend_limit", whole_number),
        used_cents=sum(raw.get(member, whole_number) for member in ("spent", "held", "allocated")),
    )


def _account(value: Any, name: str) -> Account:
    raw = Members(value, name)
    return Account(
        period=period(raw),
        balance_cents=raw.get("balance", whole_number),
        promised_cents=raw.get("promised", whole_number),
    )


def _content(value: Any, name: str) -> RequestedContent:
    raw = Members(value, name)
    return RequestedContent(
        is_in_catalog=raw.nullable("in_catalog", boolean),
        price_cents=raw.nullable("price_cents", whole_number),
        enroll_by=raw.nullable("enroll_by", instant),
    )


def _row(value: Any, name: str) -> AssignmentRow:
    raw = Members(value, name)
    return AssignmentRow(
        learner_email=raw.nullable("learner_email", text),
        lms_user_id=raw.nullable("lms_user_id", whole_number),
        content_key=raw.get("content_key", text),
        state=raw.get("state", assignment_state),
    )


# --- states --------------------------------------------------------------------------------------------------------


def _assignment_transition(case: Members) -> dict[str, Any]:
    done = transition(
        state=case.get("state", assignment_state),
        action=case.get("action", option_of(AssignmentAction)),
        is_attempt_open=case.get("attempt_open", boolean),
    )
    return {"outcome": done.outcome, "state": done.state, "money": done.money}


def _request_transition(case: Members) -> dict[str, Any]:
    done = request_transition(
        subsidy_type=case.get("subsidy_type", option_of(SubsidyType)),
        state=case.get("state", option_of(RequestState)),
        action=case.get("action", option_of(RequestAction)),
    )
    return {"outcome": done.outcome, "state": done.state}


def _bulk(case: Members) -> dict[str, Any]:
    filters = case.members("filters")
    done = bulk(
        action=case.get("action", option_of(BulkAction)),
        configuration=case.get("configuration", text),
        uuids=case.nullable("uuids", list_of(an_id)),
        filters={name: filters.get(name, text) for name in filters.raw},
        rows=case.get("rows", list_of(_bulk_row)),
    )
    return {"outcome": done.outcome, "changed": AnyOrder.of(done.changed), "refused": AnyOrder.of(done.refused)}


def _bulk_row(value: Any, name: str) -> BulkRow:
    raw = Members(value, name)
    return BulkRow(
        uuid=raw.get("uuid", an_id),
        configuration=raw.get("configuration", text),
        state=raw.get("state", assignment_state),
        learner_state=raw.nullable("learner_state", option_of(LearnerState)),
        is_attempt_open=raw.get("attempt_open", boolean),
    )


# --- time ----------------------------------------------------------------------------------------------------------


def _expiration(case: Members) -> dict[str, Any]:
    subsidy = case.get("subsidy", or_none(Members))
    found = expiration(
        ExpirationCase(
            state=case.get("state", assignment_state),
            is_attempt_open=case.get("attempt_open", boolean),
            allocated_at=case.get("allocated_at", instant),
            days=case.get("days", whole_number),
            subsidy_expiration=subsidy.nullable("expiration", instant) if subsidy else None,
            late_redemption_allowed_until=case.nullable("late_redemption_allowed_until", instant),
            content=case.get("content", or_none(_assigned_content)),
        ),
        now=case.get("now", instant),
    )
    return {"date": found.date, "reason": found.reason, "due": found.is_due}


def _assigned_content(value: Any, name: str) -> AssignedContent:
    raw = Members(value, name)
    kind = raw.get("kind", name_in({"run": False, "course": True}))
    return AssignedContent(is_course=kind == "course", runs=raw.get("runs", list_of(_assigned_run)))


def _assigned_run(value: Any, name: str) -> AssignedRun:
    raw = Members(value, name)
    return AssignedRun(enroll_by=raw.nullable("enroll_by", instant), is_open=raw.get("open", boolean))


def _clear_email(case: Members) -> dict[str, Any]:
    is_due = is_email_due_for_clearing(
        state=case.get("state", assignment_state),
        notification_settled_at=case.nullable("notification_settled_at", instant),
        days=case.get("days", whole_number),
        is_learner_unlinked=case.get("learner_unlinked", boolean),
        is_learner_retired=case.get("learner_retired", boolean),
        now=case.get("now", instant),
    )
    return {"clear": is_due}


def _learner_state(case: Members) -> dict[str, Any]:
    found = learner_state(
        state=case.get("state", assignment_state),
        allocated_at=case.get("allocated_at", instant),
        actions=case.get("actions", list_of(_action)),
    )
    return {"learner_state": found}


def _recent_action(case: Members) -> dict[str, Any]:
    found = recent_action(allocated_at=case.get("allocated_at", instant), actions=case.get("actions", list_of(_action)))
    return {"action_type": found.action_type, "timestamp": found.timestamp}


def _action(value: Any, name: str) -> Action:
    raw = Members(value, name)
    return Action(
        action_type=raw.get("action_type", text),
        created=raw.get("created", instant),
        completed_at=raw.nullable("completed_at", instant),
        error_reason=raw.nullable("error_reason", text),
    )


FUNCTIONS: Final[Mapping[str, Callable[[Members], Mapping[str, Any]]]] = {
    "normalize_emails": _normalize_emails,
    "allocate": _allocate,
    "assignment_transition": _assignment_transition,
    "request_transition": _request_transition,
    "bulk": _bulk,
    "expiration": _expiration,
    "clear_email": _clear_email,
    "learner_state": _learner_state,
    "recent_action": _recent_action,
}
