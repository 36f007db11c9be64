"""Answers that are short because our account may not see more.

Several upstream services do not refuse a caller without rights: they answer 200 and leave out what it may not see,
which reads like "there is none". The access token that we call with says what our account is; where it says that a
right is missing, such an answer is the refusal that it should have been. The platform puts roles into a token only if
there are any: a token without them says that our account has none. A token that cannot be read leaves the question
open, and then a learner who must be there answers it (`apps.customers.services.check_canary`).
"""

from typing import Final

from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.http import Transport

OPERATOR: Final = "enterprise_openedx_operator:*"
CATALOG_ADMIN: Final = "enterprise_catalog_admin:*"


def need_staff(transport: Transport) -> None:
    """Raise UpstreamRefused (`forbidden`) if our token says that our account is not staff."""
    if transport.own_claims().get("administrator", True) is False:
        raise _refused(transport, "is not staff")


def need_role(transport: Transport, *roles: str) -> None:
    """Raise UpstreamRefused (`forbidden`) if our token says that our account has none of `roles`."""
    claims = transport.own_claims()
    held = claims.get("roles") or []
    if (
        claims
        and isinstance(held, list)
        and not set(roles).intersection(role for role in held if isinstance(role, str))
    ):
        raise _refused(transport, f"lacks the role {' or '.join(roles)}")


def need_operator(transport: Transport) -> None:
    """Raise UpstreamRefused (`forbidden`) if our token says that our account is not an operator's."""
    need_role(transport, OPERATOR)


def _refused(transport: Transport, problem: str) -> UpstreamRefused:
    # Rights that are granted meanwhile are in the next token.
    transport.forget_token()
    return UpstreamRefused(
        f"{transport.service} shows our worker account only a part of what there is: the account {problem}",
        service=transport.service,
        reason=UpstreamReason.FORBIDDEN,
    )
