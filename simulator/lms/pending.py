"""Linking addresses to customers, whether or not an account has them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from .. import enrolling
from ..tables import fold
from ..values import PendingLearner
from ..world import World


def problem_of(world: World, row: Any) -> dict[str, list[str]]:
    """Return what is wrong with one object of the body, by member; empty: nothing."""
    if not isinstance(row, dict):
        return {"non_field_errors": ["Invalid data. Expected a dictionary."]}
    problems = {}
    try:
        uuid = UUID(str(row.get("enterprise_customer")))
    except ValueError:
        return {"enterprise_customer": ["Must be a valid UUID."]}
    if world.tables.customers.get(uuid) is None:
        problems["enterprise_customer"] = ["Invalid pk - object does not exist."]
    if not is_email(row.get("user_email")):
        problems["user_email"] = ["Enter a valid email address."]
    return problems


def is_email(value: Any) -> bool:
    """Say whether the LMS takes this as an address."""
    return isinstance(value, str) and "@" in value and not value.endswith(".invalid")


def unlink(world: World, *, customer_uuid: UUID, email: str) -> None:
    """Unlink the account that has this address. An address without a link changes nothing."""
    user = world.tables.users.first(email=fold(email))
    old = world.tables.links.get((customer_uuid, user.id)) if user is not None else None
    if user is not None and old is not None and old.is_linked:
        world.unlink(username=user.username, customer=customer_uuid)


def link(world: World, row: dict[str, Any]) -> dict[str, Any] | None:
    """Link one address; return the answer's object, None when it was linked or noted before."""
    customer_uuid, email = UUID(str(row["enterprise_customer"])), str(row["user_email"])
    user = world.tables.users.first(email=fold(email))
    if user is not None:
        old = world.tables.links.get((customer_uuid, user.id))
        if old is not None and old.is_linked:
            return None
        enrolling.link(world, user=user, customer_uuid=customer_uuid, make_active=False)
    elif world.tables.pending_learners.get((customer_uuid, fold(email))) is not None:
        return None
    else:
        world.put("learner pending", PendingLearner(customer_uuid=customer_uuid, email=email))
    return {"enterprise_customer": str(customer_uuid), "user_email": email}
