"""Who may do what at the addresses of this app. Who holds no role at all is refused before anything is looked at.

An object of a customer that the caller has no role for does not exist for the caller (404, by the selectors); what a
role does not suffice for is refused (403). A customer that is named in the query and is not the caller's is a 403, as
it is at the LMS's own endpoints.
"""

from uuid import UUID

from rest_framework.request import Request

from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.default_enrollments.errors import IntentionUnknown
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.selectors.intentions import get_intention
from enterprise_access.lib.errors import MayNotRead, MayNotWrite

# The sentence that clients of the LMS's own endpoints know.
DENIED = "MISSING: enterprise.can_view_default_enterprise_enrollment_intentions"
# What it means, for people.
_NO_ROLE = "You have no role for this customer, or none that lets you read this. Roles are given in the LMS."


def denied() -> MayNotRead:
    """Return the error for callers who may not read: with the LMS's own sentence, and with one for people."""
    return MayNotRead(DENIED, extra={"explanation": _NO_ROLE})


def may_read(caller: Caller, customer_uuid: UUID) -> bool:
    """Say whether the caller may read what the customer intends: everyone with a role for it."""
    return caller.has(*CUSTOMER_ROLES, customer_uuid=customer_uuid)


def may_write(caller: Caller, customer_uuid: UUID) -> bool:
    """Say whether the caller may change what the customer intends: operators only."""
    return caller.has(Role.OPERATOR, customer_uuid=customer_uuid)


def may_read_learner(caller: Caller, customer_uuid: UUID, lms_user_id: int) -> bool:
    """Say whether the caller may read what happened to this learner: admins, operators, and the learner."""
    return caller.has(*CUSTOMER_ROLES, customer_uuid=customer_uuid, about=lms_user_id)


def may_realize_for(caller: Caller, customer_uuid: UUID, lms_user_id: int) -> bool:
    """Say whether the caller may ask for the learner's default enrollments: operators, and the learner."""
    return caller.has(Role.OPERATOR, Role.LEARNER, customer_uuid=customer_uuid, about=lms_user_id)


def caller_with_a_role(request: Request) -> Caller:
    """Return the caller. Raises MayNotRead for somebody without any role."""
    caller = get_caller(request)
    if not caller.has_any_role():
        raise denied()
    return caller


def reader_of(request: Request, customer_uuid: UUID) -> Caller:
    """Return the caller. Raises MayNotRead for somebody without any role for this customer."""
    caller = get_caller(request)
    if not may_read(caller, customer_uuid):
        raise denied()
    return caller


def administers(caller: Caller, customer_uuid: UUID | None) -> bool:
    """Say whether the caller sees what is not for the learners of the customer (None: of every customer)."""
    return caller.has(Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid)


def administrator_of(request: Request, customer_uuid: UUID) -> Caller:
    """Return the caller. Raises MayNotRead for anybody but admins of this customer and operators."""
    caller = reader_of(request, customer_uuid)
    if not administers(caller, customer_uuid):
        raise MayNotRead("Only admins of the customer and operators may read this.")
    return caller


def writer_of(request: Request, customer_uuid: UUID) -> Caller:
    """Return the caller. Raises MayNotRead as `reader_of` does, and MayNotWrite for anybody but operators."""
    caller = reader_of(request, customer_uuid)
    refuse_unless_writer(caller, customer_uuid)
    return caller


def refuse_unless_writer(caller: Caller, customer_uuid: UUID) -> None:
    """Raise MayNotWrite for anybody but operators."""
    if not may_write(caller, customer_uuid):
        raise MayNotWrite("Only operators change what a customer intends.")


def load_intention(caller: Caller, intention_uuid: UUID) -> Intention:
    """Return an intention that the caller may see: learners see the living ones of their customers.

    Raises IntentionUnknown.
    """
    intention = get_intention(intention_uuid=intention_uuid, customers=caller.readable_customers())
    if intention.is_deleted and not administers(caller, intention.customer_id):
        raise IntentionUnknown(f"There is no intention {intention_uuid}.")
    return intention
