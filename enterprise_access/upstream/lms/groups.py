"""Groups of a customer's learners, and their members, as the LMS lists them.

Contract: the calls and rows in recordings/enterprise-access/group-members-*.json, whose LMS was a stand-in: no real
server was recorded. Members, the parameter `show_removed` and the group itself, which no recording asks for, follow
edx-enterprise's public serializers.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, cast
from uuid import UUID

import attrs
from django.conf import settings

from enterprise_access.lib.errors import UpstreamRefused
from enterprise_access.lib.http import Answer, Params
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import Fields, field, integer, reader, text
from enterprise_access.upstream.absence import is_absence
from enterprise_access.upstream.apart import read_apart
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.paging import Page, all_rows, in_pieces, joined, numbered_pages, page_of
from enterprise_access.upstream.rights import need_staff

_GROUP: Final = "/enterprise/api/v1/enterprise-group/{}/"
_PATH: Final = f"{_GROUP}learners/"
_LARGEST_PAGE: Final = ("page_size", "500")


def _email(value: object) -> str | None:
    return Fields(value).optional("user_email", text)


@attrs.frozen(kw_only=True)
class EnterpriseGroup:
    """A group, and the customer that owns it."""

    uuid: UUID
    customer_uuid: UUID = field("enterprise_customer")


@attrs.frozen(kw_only=True)
class GroupMember:
    """A member, or a person who was invited by an address and has no account yet (`lms_user_id` None)."""

    lms_user_id: int | None
    status: str
    email: str | None = field("member_details", read=_email, repr=False)


@attrs.frozen(kw_only=True)
class MemberDetails:
    """How a member is shown to admins."""

    user_email: str | None = attrs.field(default=None, repr=False)
    user_name: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class ListedMember:
    """A member as the admin portal lists it."""

    enterprise_customer_user_id: int | None
    lms_user_id: int | None
    pending_enterprise_customer_user_id: int | None
    enterprise_group_membership_uuid: UUID | None
    member_details: MemberDetails
    recent_action: str
    status: str
    activated_at: datetime | None


@attrs.frozen(kw_only=True)
class MembersQuery:
    """Which members of a group, in which order. Only the LMS's own orders; ascending is not its default."""

    emails: tuple[str, ...] = attrs.field(default=(), repr=False)
    user_query: str = attrs.field(default="", repr=False)
    sort_by: str = ""
    is_ascending: bool = False
    with_removed: bool = False

    def params(self) -> list[tuple[str, str]]:
        found = [("learners", email) for email in self.emails]
        found += [
            (name, value) for name, value in (("user_query", self.user_query), ("sort_by", self.sort_by)) if value
        ]
        if self.sort_by and not self.is_ascending:
            # To the LMS the flag means descending.
            found.append(("is_reversed", "true"))
        return [*found, ("show_removed", "true")] if self.with_removed else found


def _key_of_member(value: object) -> frozenset[int | str] | None:
    """Return what a member may be known by: the LMS user id, the address in lower case, or both."""
    row = Fields(value)
    details = row.optional("member_details", Fields)
    email = details.optional("user_email", text) if details else None
    found = (row.nullable("lms_user_id", integer), email.casefold() if email else None)
    return frozenset(key for key in found if key) or None


_LISTED: Final = page_of(ListedMember)


class LmsGroups(ServiceClient):
    """Asks the LMS for groups as our worker account.

    Every method raises UpstreamUnavailable, UpstreamRefused or UpstreamChanged, as those of LmsClient do. Pages of a
    group that does not exist are refused (`not_found`).
    """

    def get_group(self, *, group_uuid: UUID) -> EnterpriseGroup | None:
        """Return a group; None when the LMS says that there is no such group."""
        group = self._checked.uuid(group_uuid, "group_uuid")
        answer = self.transport.get(_GROUP, group, expect=(200, 404))
        is_absent = is_absence(answer, status=404)
        need_staff(self.transport)
        return None if is_absent else answer.read(reader(EnterpriseGroup))

    def list_members(
        self, *, group_uuid: UUID, emails: Sequence[str] = (), with_removed: bool = False
    ) -> Rows[GroupMember] | None:
        """Return the members with these addresses, or all members; None when the LMS says that there is no such group.

        The key of an unreadable row is a set: the LMS user id and the address in lower case, as far as they can be
        read. Where the LMS fails because of one address, that one is unreadable.
        """
        group = self._checked.uuid(group_uuid, "group_uuid")
        more = [("show_removed", "true")] if with_removed else []
        absences: list[Answer] = []

        def ask(params: Params) -> Answer:
            answer = self.transport.get(_PATH, group, params=params, expect=(200, 404))
            if is_absence(answer, status=404):
                absences.append(answer)
                raise answer.failure()
            return answer

        def read(piece: Sequence[str]) -> Rows[GroupMember]:
            params = [_LARGEST_PAGE, *(("learners", email) for email in piece), *more]
            return all_rows(numbered_pages(ask, params, page_of(GroupMember, key=_key_of_member)))

        wanted = [self._checked.email(email) for email in emails]
        try:
            if wanted:
                pieces = in_pieces(wanted, name="learners")
                found = joined(_with_sets(read_apart(piece, read, call=f"GET {_PATH}")) for piece in pieces)
            else:
                found = read(())
        except UpstreamRefused:
            if not absences:
                raise
            found = None
        need_staff(self.transport)
        return found

    def get_page(self, *, group_uuid: UUID, query: MembersQuery, page: int) -> Page[ListedMember]:
        """Return one page, of ten members. One beyond the end is refused like a group that does not exist."""
        params = [*query.params(), ("page", str(self._checked.positive(page, "page")))]
        found = self._ask(_PATH, self._checked.uuid(group_uuid, "group_uuid"))(params).read(_LISTED)
        need_staff(self.transport)
        return cast("Page[ListedMember]", found)

    def iterate(self, *, group_uuid: UUID, query: MembersQuery) -> Iterator[Page[ListedMember]]:
        """Yield all pages, of up to 500 members."""
        ask = self._ask(_PATH, self._checked.uuid(group_uuid, "group_uuid"))
        for page in numbered_pages(ask, [*query.params(), _LARGEST_PAGE], _LISTED):
            need_staff(self.transport)
            yield page


def _with_sets(answer: Rows[GroupMember]) -> Rows[GroupMember]:
    """Give addresses that could not be asked for keys of the same kind as unreadable rows have."""
    unreadable = (
        attrs.evolve(row, key=frozenset({row.key.casefold()})) if isinstance(row.key, str) else row
        for row in answer.unreadable
    )
    return Rows(answer, unreadable)


def from_settings() -> LmsGroups:
    """Return a client for groups at the LMS of this installation.

    Learners of customers without groups need none of it, so its failures open a breaker of its own.
    """
    return LmsGroups(transport(service="lms", base_url=settings.LMS_BASE_URL, optional="groups"))
