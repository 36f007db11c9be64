"""Who may do what, from the roles in the LMS's token and from those that staff have given here."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.core.errors import ClaimMalformed

ANY_CUSTOMER = "*"
# The largest id that every database can hold.
MAX_ID: Final = 2**63 - 1
MAX_USERNAME_LENGTH: Final = 150


class Role(StrEnum):
    """A role of the LMS's tokens that means something here."""

    LEARNER = "enterprise_learner"
    ADMIN = "enterprise_admin"
    OPERATOR = "enterprise_openedx_operator"
    # Sets up customers, and reads nothing of them.
    PROVISIONING_ADMIN = "enterprise_provisioning_admin"


# The roles that belong to a customer: each of them may read something of it.
CUSTOMER_ROLES: Final = frozenset({Role.LEARNER, Role.ADMIN, Role.OPERATOR})
# The roles that may be held for every customer; for the others the star is a mistake upstream.
_EVERYWHERE: Final = frozenset({Role.OPERATOR, Role.PROVISIONING_ADMIN})


@frozen(kw_only=True)
class Grant:
    """A role for one customer, or for every customer when `customer_uuid` is None."""

    role: Role
    customer_uuid: UUID | None

    def covers(self, customer_uuid: UUID | None) -> bool:
        return self.customer_uuid is None or self.customer_uuid == customer_uuid


def no_more_grants() -> frozenset[Grant]:
    """Return nothing: the token says all there is."""
    return frozenset()


@frozen(kw_only=True)
class Caller:
    """Somebody who calls the API: the LMS's id of the person (None when it is not known), and the roles held.

    `grants` are the token's. `more_grants` returns those given here, and is asked only when the token's do not suffice,
    because it costs a query: a caller whose token says enough costs none.
    """

    lms_user_id: int | None
    email: str | None = field(default=None, repr=False)
    grants: frozenset[Grant] = frozenset()
    more_grants: Callable[[], frozenset[Grant]] = field(default=no_more_grants, repr=False, eq=False)

    def has(self, *roles: Role, customer_uuid: UUID | None, about: int | None = None) -> bool:
        """Say whether the caller holds any of the roles for this customer (None: for every customer).

        `about`: the learner (LMS user id) whom it concerns. Then the learner's role counts for oneself only. Each app
        says in its `api/access.py` which roles it wants for what.
        """
        if about is not None and about != self.lms_user_id:
            roles = tuple(role for role in roles if role is not Role.LEARNER)
        return self._has_one(lambda grant: grant.role in roles and grant.covers(customer_uuid))

    def has_any_role(self) -> bool:
        """Say whether the caller is anybody here: holds some role of a customer, whichever customer it is."""
        return self._has_one(lambda grant: grant.role in CUSTOMER_ROLES)

    def readable_customers(self) -> frozenset[UUID] | None:
        """Return the customers for which the caller holds any role; None means every customer."""
        return self._customers_of(CUSTOMER_ROLES)

    def administered_customers(self) -> frozenset[UUID] | None:
        """Return the customers whose learners the caller may see, as an admin or operator; None: every customer."""
        return self._customers_of(frozenset({Role.ADMIN, Role.OPERATOR}))

    def _has_one(self, suffices: Callable[[Grant], bool]) -> bool:
        return any(map(suffices, self.grants)) or any(map(suffices, self.more_grants()))

    def _customers_of(self, roles: frozenset[Role]) -> frozenset[UUID] | None:
        if any(grant.role in roles and grant.customer_uuid is None for grant in self.grants):
            return None
        customers = {grant.customer_uuid for grant in self.grants | self.more_grants() if grant.role in roles}
        return None if None in customers else frozenset(uuid for uuid in customers if uuid is not None)


def parse_grants(roles: Iterable[object]) -> frozenset[Grant]:
    """Return what entries like those in the `roles` claim of a token grant.

    An entry is `role:context`. A role without a context, an unknown role and a context that is neither `*` nor a
    uuid grant nothing; contexts are compared as uuids, whatever their spelling.
    """
    return frozenset(grant for grant in map(_parse_grant, roles) if grant is not None)


def _parse_grant(entry: object) -> Grant | None:
    if not isinstance(entry, str):
        return None
    name, _, context = entry.partition(":")
    try:
        role = Role(name)
        if context == ANY_CUSTOMER:
            return Grant(role=role, customer_uuid=None) if role in _EVERYWHERE else None
        return Grant(role=role, customer_uuid=UUID(context))
    except ValueError:
        return None


@frozen(kw_only=True)
class Identity:
    """Whom a token names. `lms_user_id` None: the application that asked for the token has no scope `user_id`."""

    lms_user_id: int | None
    username: str = field(repr=False)


def read_identity(claims: Mapping[str, Any]) -> Identity:
    """Return whom the claims of a token name. Raises ClaimMalformed; its text names the claim, never the value."""
    return Identity(lms_user_id=read_user_id(claims), username=_read_username(claims))


def read_user_id(claims: Mapping[str, Any]) -> int | None:
    """Return the LMS user id in some claims, None where there is none. Raises ClaimMalformed."""
    value = claims.get("user_id")
    if value is None:
        return None
    # In Python a bool is an int, and True would be the user with the id 1.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_ID:
        raise ClaimMalformed("user_id", "a positive whole number")
    return value


def _read_username(claims: Mapping[str, Any]) -> str:
    value = claims.get("preferred_username") or claims.get("username")
    if (
        isinstance(value, str)
        and 0 < len(value) <= MAX_USERNAME_LENGTH
        and value.isprintable()
        and value == value.strip()
    ):
        return value
    raise ClaimMalformed("preferred_username", f"a text of at most {MAX_USERNAME_LENGTH} characters")
