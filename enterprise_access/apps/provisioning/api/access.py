"""Who may provision: provisioning admins and operators of every customer, by the token alone."""

from typing import Final

from rest_framework.request import Request

from enterprise_access.apps.core.domain import Caller, Grant, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.apps.provisioning.errors import MayNotProvision

_MAY_PROVISION: Final = frozenset(
    Grant(role=role, customer_uuid=None) for role in (Role.OPERATOR, Role.PROVISIONING_ADMIN)
)


def provisioner_of(request: Request) -> Caller:
    """Return the caller. Raises MayNotProvision for anybody else."""
    caller = get_caller(request)
    if caller.grants.isdisjoint(_MAY_PROVISION):
        raise MayNotProvision("MISSING: provisioning.can_create")
    return caller
