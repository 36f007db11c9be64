"""Who may redeem, and read, for whom. The customer of a budget or attempt decides, not the one that a body names.

Learners act and read for themselves, admins read for the learners of their customer, operators do both for anybody.
"""

from uuid import UUID

from rest_framework.request import Request

from enterprise_access.apps.core.domain import Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.redemption.errors import MayNotRedeem

# The sentence that clients know.
DENIED = "MISSING: subsidy_access_policy.has_redemption_access"
# What it means, for people.
_NO_ROLE = "You have no role for this customer, or none that lets you do this for this learner."


def _denied() -> MayNotRedeem:
    return MayNotRedeem(DENIED, extra={"explanation": _NO_ROLE})


def caller_with_a_role(request: Request) -> Caller:
    """Return the caller. Raises MayNotRedeem for a caller without any role."""
    caller = get_caller(request)
    if not caller.has_any_role():
        raise _denied()
    return caller


def learner_to_read(caller: Caller, *, customer_uuid: UUID, lms_user_id: int | None) -> int:
    """Return the learner that is asked about: the one who is named, or the caller. Raises MayNotRedeem."""
    learner = caller.lms_user_id if lms_user_id is None else lms_user_id
    if learner is None or not may_read(caller, customer_uuid=customer_uuid, lms_user_id=learner):
        raise _denied()
    return learner


def may_read(caller: Caller, *, customer_uuid: UUID, lms_user_id: int | None) -> bool:
    """Say whether the caller may read about this learner of the customer."""
    is_own = lms_user_id is not None and caller.lms_user_id == lms_user_id
    return caller.has(Role.ADMIN, Role.OPERATOR, *_as_learner(is_own), customer_uuid=customer_uuid)


def may_read_redemption(caller: Caller, *, customer_uuid: UUID, lms_user_id: int | None) -> bool:
    """Say whether the caller may read a redemption of this learner: one's own also after leaving the customer."""
    is_own = lms_user_id is not None and caller.lms_user_id == lms_user_id
    return is_own or may_read(caller, customer_uuid=customer_uuid, lms_user_id=lms_user_id)


def need_redeemer(caller: Caller, *, customer_uuid: UUID, lms_user_id: int) -> None:
    """Raise MayNotRedeem unless the caller may redeem for this learner of the customer."""
    is_own = caller.lms_user_id == lms_user_id
    if not caller.has(Role.OPERATOR, *_as_learner(is_own), customer_uuid=customer_uuid):
        raise MayNotRedeem("Learners redeem for themselves, and operators for anybody.")


def need_administrator(caller: Caller, *, customer_uuid: UUID) -> None:
    """Raise MayNotRedeem for anybody but admins of this customer and operators: they see what budgets hold."""
    if not caller.has(Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid):
        raise MayNotRedeem("Only admins of the customer and operators may read this.")


def _as_learner(is_own: bool) -> tuple[Role, ...]:
    """Return the role that counts only in what is one's own."""
    return (Role.LEARNER,) if is_own else ()
