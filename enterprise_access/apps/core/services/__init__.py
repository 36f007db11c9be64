"""Who calls, who signs in, and how the upstream services are."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from edx_rbac.utils import feature_roles_from_jwt
from edx_rest_framework_extensions.auth.jwt.authentication import is_jwt_authenticated

from enterprise_access.apps.core.domain import Caller, Grant, Role, parse_grants, read_user_id
from enterprise_access.apps.core.models import AccessRoleAssignment, User
from enterprise_access.apps.core.services.signing_in import keep_person as keep_person
from enterprise_access.apps.core.tokens import claims_of
from enterprise_access.lib.breaker import neighbour_states
from enterprise_access.lib.metrics import counts_all_processes, mean_neighbour_seconds
from enterprise_access.lib.wording import named

if TYPE_CHECKING:
    from rest_framework.request import Request

# Told of even while there is nothing to say of them.
SERVICES: Final = ("enterprise-catalog", "license-manager", "lms")

_OPERATOR_EVERYWHERE = Grant(role=Role.OPERATOR, customer_uuid=None)


def get_caller(request: "Request") -> Caller:
    """Return who calls, with the roles of the verified token that let the request in and those given here.

    Somebody who came with a session, as in the admin pages, has the roles given here alone; a superuser is an operator.
    A restricted token (of an application that may act within scopes only, of which we have none) holds no role, nor
    does anybody who was made inactive here.
    """
    claims = claims_of(cast(str, request.auth)) if is_jwt_authenticated(request) else None
    user = request.user
    if claims is None:
        return Caller(
            lms_user_id=getattr(user, "lms_user_id", None),
            grants=_grants_of_session(user),
            more_grants=_given_here(user, AccessRoleAssignment.grants_of_account),
        )
    lms_user_id, email = read_user_id(claims), claims.get("email")
    return Caller(
        lms_user_id=lms_user_id,
        email=email if isinstance(email, str) and email else None,
        grants=_grants_of_token(claims, user),
        more_grants=_given_here(user, lambda _: _grants_of_person(claims, lms_user_id)),
    )


def _grants_of_person(claims: Mapping[str, Any], lms_user_id: int | None) -> frozenset[Grant]:
    if lms_user_id is None or claims.get("is_restricted"):
        return frozenset()
    return AccessRoleAssignment.grants_of_person(lms_user_id)


def _grants_of_session(user: Any) -> frozenset[Grant]:
    return frozenset({_OPERATOR_EVERYWHERE}) if user.is_active and user.is_superuser else frozenset()


def _grants_of_token(claims: Mapping[str, Any], user: Any) -> frozenset[Grant]:
    roles = claims.get("roles")
    if not user.is_active or claims.get("is_restricted") or not isinstance(roles, list):
        return frozenset()
    # edx-rbac's own answers to "may they?" are not asked for: there, no context means every context, and contexts are
    # compared as text. Only its mapping of the LMS's roles to ours is used.
    contexts = feature_roles_from_jwt({"roles": [role for role in roles if isinstance(role, str)]})
    return parse_grants(f"{role}:{context}" for role, found in contexts.items() for context in found)


def _given_here(user: Any, read: Callable[[User], frozenset[Grant]]) -> Callable[[], frozenset[Grant]]:
    @functools.cache
    def grants() -> frozenset[Grant]:
        return read(user) if isinstance(user, User) and user.is_active else frozenset()

    return grants


def list_neighbours() -> list[dict[str, Any]]:
    """Return how each upstream service is: the worst that a process says of it, what all of them said, how fast it is.

    Those that are left alone come first. No one is asked, and nothing is read but the cache and our own counts, which
    `counted_by` says the extent of.
    """
    states, means = neighbour_states(), mean_neighbour_seconds()
    counted_by = "all processes on this machine" if counts_all_processes() else "this web process"
    found = []
    for service in sorted({state.service for state in states} | set(means) | set(SERVICES)):
        said = [state for state in states if state.service == service]
        seconds, calls = means.get(service, (0.0, 0))
        state = said[0].state.value if said else "closed"
        speed = {"milliseconds": seconds * 1000, "calls": calls, "counted_by": counted_by}
        found.append({"name": service, "title": named(service), "said": said, "state": state, **speed})
    return sorted(found, key=lambda service: (service["state"] == "closed", service["name"]))
