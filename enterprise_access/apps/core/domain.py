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


@frozen(kw_only=True)
class Grant:
    """A role for one customer, or for every customer when `customer_uuid` is None."""

    role: Role
    customer_uuid: UUID | None

    def covers(self, customer_uuid: UUID) -> bool:
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

    def has(self, *roles: Role, customer_uuid: UUID) -> bool:
        """Say whether the caller holds any of the roles for this customer."""
        return self._has_one(lambda grant: grant.role in roles and grant.covers(customer_uuid))

    def has_any_role(self) -> bool:
        """Say whether the caller is anybody here: holds some role, for whatever customer."""
        return bool(self.grants or self.more_grants())

    def readable_customers(self) -> frozenset[UUID] | None:
        """Return the customers for which the caller holds any role; None means every customer."""
        return self._customers_of(frozenset(Role))

    def administered_customers(self) -> frozenset[UUID] | None:
        """Return the customers whose learners the caller may see, as an admin or operator; None: every customer."""
        return self._customers_of(frozenset({Role.ADMIN, Role.OPERATOR}))

    def may_read(self, customer_uuid: UUID) -> bool:
        """Say whether the caller may read what the customer intends."""
        return self.has(*Role, customer_uuid=customer_uuid)

    def may_write(self, customer_uuid: UUID) -> bool:
        """Say whether the caller may change what the customer intends: operators only."""
        return self.has(Role.OPERATOR, customer_uuid=customer_uuid)

    def may_read_learner(self, customer_uuid: UUID, lms_user_id: int) -> bool:
        """Say whether the caller may read what happened to this learner of the customer."""
        roles = {Role.ADMIN, Role.OPERATOR, *self._roles_as(lms_user_id)}
        return self.has(*roles, customer_uuid=customer_uuid)

    def may_realize_for(self, customer_uuid: UUID, lms_user_id: int) -> bool:
        """Say whether the caller may ask for the learner's default enrollments: learners for themselves, operators for
        anyone."""
        return self.has(Role.OPERATOR, *self._roles_as(lms_user_id), customer_uuid=customer_uuid)

    def _roles_as(self, lms_user_id: int) -> tuple[Role, ...]:
        """Return the role that counts only in what is one's own."""
        return (Role.LEARNER,) if self.lms_user_id == lms_user_id else ()

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
            # Only operators are trusted with every customer; for other roles the star is a mistake upstream.
            return Grant(role=role, customer_uuid=None) if role is Role.OPERATOR else None
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
