"""Who may do what at the addresses of this app. Types concern every customer: who has any role may read them, and only
who looks after every customer may say what a course is for."""

from rest_framework.request import Request

from enterprise_access.apps.core.domain import Caller, Role
from enterprise_access.apps.core.services import get_caller
from enterprise_access.lib.errors import MayNotRead, MayNotWrite


def reader_of(request: Request) -> Caller:
    """Return the caller. Raises MayNotRead for somebody without any role."""
    caller = get_caller(request)
    if not caller.has_any_role():
        raise MayNotRead("You hold no role here.")
    return caller


def writer_of(request: Request) -> Caller:
    """Return the caller. Raises MayNotRead as `reader_of` does, and MayNotWrite for all but operators everywhere."""
    caller = reader_of(request)
    if not caller.has(Role.OPERATOR, customer_uuid=None):
        raise MayNotWrite("Only operators of every customer say what a course is for.")
    return caller
