"""Cases about money and budgets."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from enterprise_access.apps.redemption.management.oracle_file.comparing import an_id
from enterprise_access.apps.subsidy_access_policies.domain.availability import (
    Balance,
    ReservationKind,
    ReservationState,
    ReservedMoney,
    availability,
)
from enterprise_access.apps.subsidy_access_policies.domain.ledger import (
    LedgerEntry,
    TransactionCopy,
    TransactionState,
    merge_copy,
)
from enterprise_access.apps.subsidy_access_policies.domain.money import PriceBounds, cents_from_client, price_cents
from enterprise_access.apps.subsidy_access_policies.domain.policies import PolicyType, SubsidyPeriod
from enterprise_access.lib.oracle import (
    Members,
    UnreadableMemberError,
    boolean,
    instant,
    list_of,
    option_of,
    or_none,
    text,
    whole_number,
)

_TYPES: Final[Mapping[str, PolicyType]] = {
    "per_learner_spend": PolicyType.PER_LEARNER_SPEND,
    "per_learner_enrollment": PolicyType.PER_LEARNER_ENROLLMENT,
    "assigned": PolicyType.ASSIGNED,
}

transaction_state = option_of(TransactionState)


def policy_type(value: Any, name: str) -> PolicyType:
    """Read a policy type: its short name, or the name on the wire."""
    written = text(value, name)
    return _TYPES[written] if written in _TYPES else option_of(PolicyType)(written, name)


def reversal_state(value: Any, name: str) -> str | None:
    """Read a reversal: null, or an object with its state."""
    return None if value is None else Members(value, name).get("state", text)


def is_reversed(value: Any, name: str) -> bool:
    """Read whether a reversal is committed."""
    return reversal_state(value, name) == TransactionState.COMMITTED.value


def period(raw: Members) -> SubsidyPeriod:
    return SubsidyPeriod(
        start=raw.optional("start", instant, None), expiration=raw.optional("expiration", instant, None)
    )


def _price(case: Members) -> dict[str, Any]:
    cents = price_cents(
        assignment_cents=case.nullable("assignment_cents", whole_number),
        run_dollars=case.required("run_price"),
        course_dollars=case.required("course_price"),
    )
    return {"cents": cents}


def _client_cents(case: Members) -> dict[str, Any]:
    cents = cents_from_client(case.required("value"))
    return {"accepted": cents is not None, "cents": cents}


def _price_bounds(case: Members) -> dict[str, Any]:
    catalog_cents, cents = case.nullable("catalog_cents", whole_number), case.nullable("price_cents", whole_number)
    if catalog_cents is None or cents is None:
        raise UnreadableMemberError("catalog_cents or price_cents is null.")
    return {"within": PriceBounds().contain(catalog_cents=catalog_cents, price_cents=cents)}


def _availability(case: Members) -> dict[str, Any]:
    subsidy = case.members("subsidy")
    found = availability(
        policy_uuid=case.get("policy", an_id),
        spend_limit_cents=case.nullable("spend_limit", whole_number),
        lms_user_id=case.nullable("lms_user_id", whole_number),
        paying_assignment_uuid=case.nullable("for_assignment", an_id),
        balance=Balance(
            cents=subsidy.get("balance", whole_number), read_started_at=subsidy.get("read_started_at", instant)
        ),
        reservations=case.get("reservations", list_of(_reservation)),
        entries=case.get("transactions", list_of(_entry)),
    )
    return {
        "policy_available": found.policy_cents,
        "subsidy_available": found.subsidy_cents,
        "learner_spent_and_held": found.learner_cents,
        "learner_redemptions": found.learner_redemptions,
    }


def _reservation(value: Any, name: str) -> ReservedMoney:
    raw = Members(value, name)
    return ReservedMoney(
        policy_uuid=raw.get("policy", an_id),
        lms_user_id=raw.nullable("lms_user_id", whole_number),
        kind=raw.get("kind", option_of(ReservationKind)),
        state=raw.get("state", option_of(ReservationState)),
        amount_cents=raw.get("amount", whole_number),
        assignment_uuid=raw.nullable("assignment", an_id),
        transaction_uuid=raw.nullable("transaction", an_id),
    )


def _entry(value: Any, name: str) -> LedgerEntry:
    raw = Members(value, name)
    return LedgerEntry(
        uuid=raw.get("uuid", an_id),
        policy_uuid=raw.nullable("policy", an_id),
        lms_user_id=raw.nullable("lms_user_id", whole_number),
        quantity_cents=raw.get("quantity", whole_number),
        state=raw.get("state", transaction_state),
        is_reversed=raw.get("reversal", is_reversed),
        seen_at=raw.get("seen_at", instant),
    )


def _merge_copy(case: Members) -> dict[str, Any]:
    have, news = case.get("have", or_none(_have)), _news(case.members("news"))
    merged = merge_copy(have, news)
    changed = have is None or (have.state, have.is_reversed) != (merged.state, merged.is_reversed)
    return {"state": merged.state, "reversed": merged.is_reversed, "changed": changed}


def _have(value: Any, name: str) -> TransactionCopy:
    raw = Members(value, name)
    return TransactionCopy(
        state=raw.get("state", transaction_state),
        is_reversed=raw.get("reversed", boolean),
        modified=raw.get("modified", instant),
    )


def _news(raw: Members) -> TransactionCopy:
    return TransactionCopy(
        state=raw.get("state", transaction_state),
        is_reversed=raw.get("reversal", is_reversed),
        modified=raw.get("modified", instant),
    )


FUNCTIONS: Final[Mapping[str, Callable[[Members], Mapping[str, Any]]]] = {
    "price": _price,
    "client_cents": _client_cents,
    "price_bounds": _price_bounds,
    "availability": _availability,
    "merge_copy": _merge_copy,
}
