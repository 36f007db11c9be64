"""Who may do what, from the roles that the LMS puts into a token."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from attrs import field, frozen

ANY_CUSTOMER = "*"


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


@frozen(kw_only=True)
class Caller:
    """Somebody who calls the API: the LMS's id of the person (None when the token has none), and the roles held."""

    lms_user_id: int | None
    email: str | None = field(default=None, repr=False)
    grants: frozenset[Grant] = frozenset()

    def has(self, *roles: Role, customer_uuid: UUID) -> bool:
        """Say whether the caller holds any of the roles for this customer."""
        return any(grant.role in roles and grant.covers(customer_uuid) for grant in self.grants)

    def may_read(self, customer_uuid: UUID) -> bool:
        """Say whether the caller may read what the customer intends."""
        return self.has(Role.LEARNER, Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid)

    def may_read_learner(self, customer_uuid: UUID, lms_user_id: int) -> bool:
        """Say whether the caller may read what happened to this learner of the customer."""
        if self.has(Role.ADMIN, Role.OPERATOR, customer_uuid=customer_uuid):
            return True
        return self.lms_user_id == lms_user_id and self.has(Role.LEARNER, customer_uuid=customer_uuid)

    def may_realize_for(self, customer_uuid: UUID, lms_user_id: int) -> bool:
        """Say whether the caller may ask for the learner's default enrollments: learners for themselves, operators for
        anyone."""
        if self.has(Role.OPERATOR, customer_uuid=customer_uuid):
            return True
        return self.lms_user_id == lms_user_id and self.has(Role.LEARNER, customer_uuid=customer_uuid)


def parse_grants(roles: Iterable[object]) -> frozenset[Grant]:
    """Return what the `roles` claim of a token grants.

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
