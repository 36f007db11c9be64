"""An explanation of learner credit in words: names for the members, dollars, and times."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from enterprise_access.apps.redemption.services.explaining import describe_transactions

_NAMES: Final[Mapping[str, str]] = {
    "price_cents": "Price that would be paid",
    "run_dollars": "Price of the run",
    "course_dollars": "Price of the course",
    "is_in_catalog": "In the catalog of the budget",
    "enroll_by": "Enroll by",
    "enrollment": "Enrollment of the learner",
    "spend_limit_cents": "Spend limit",
    "spent_cents": "Spent",
    "held_cents": "Held for redemptions under way",
    "allocated_cents": "Allocated to assignments",
    "learner_spend_limit_cents": "Spend limit per learner",
    "learner_enrollment_limit": "Enrollments per learner",
    "learner_spent_cents": "Spent for this learner",
    "learner_held_cents": "Held for this learner",
    "learner_redemptions": "Redemptions of this learner",
    "balance_cents": "Balance of the account",
    "promised_cents": "Promised from the account",
}


def show_explanation(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page and the command show of an explanation."""
    payer = next((one for one in plain["policies"] if one["uuid"] == plain["pays"]), None)
    return {
        **plain,
        "payer": payer and (payer["display_name"] or payer["uuid"]),
        "paid": describe_transactions(plain),
        "policies": [
            {**one, "rows": [(_NAMES[name], _text(name, value)) for name, value in one["compared"].items()]}
            for one in plain["policies"]
        ],
    }


def time_of(instant: datetime | None) -> str:
    """Return when something was read."""
    return "never" if instant is None else f"{instant:%Y-%m-%d %H:%M} UTC"


def _text(name: str, value: Any) -> str:
    if value is None:
        return "No limit" if name.endswith(("limit", "limit_cents")) else "Unknown"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, datetime):
        return time_of(value)
    if name.endswith("_cents"):
        return f"${value / 100:,.2f}"
    return f"${float(value):,.2f}" if name.endswith("_dollars") else str(value)
