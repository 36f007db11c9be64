"""The members of a group as admins see them, with the number of enrollments that a budget has paid for.

Names and addresses come from the LMS with each call, and are not kept.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final
from uuid import UUID

import attrs

from enterprise_access.apps.groups.errors import GroupUnknown, PageUnknown
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.upstream.lms import groups
from enterprise_access.upstream.lms.groups import ListedMember, MembersQuery

PAGE_SIZE: Final = 10
BY_ENROLLMENTS: Final = "enrollment_count"

# Returns the number of enrollments by LMS user id; who is missing has none.
Counts = Callable[[Collection[int]], Mapping[int, int]]


@attrs.frozen(kw_only=True)
class CountedMember:
    """A member, and how many enrollments the budget has paid for."""

    member: ListedMember
    enrollment_count: int


@attrs.frozen(kw_only=True)
class MembersPage:
    """Some members of `count`; `pages` is how many pages there are."""

    rows: tuple[CountedMember, ...]
    count: int
    number: int
    pages: int


def get_customer_of(*, group_uuid: UUID) -> UUID:
    """Return the customer that owns a group. Raises GroupUnknown and UpstreamError."""
    group = groups.from_settings().get_group(group_uuid=group_uuid)
    if group is None:
        raise GroupUnknown("The LMS has no such group.")
    return group.customer_uuid


def fetch_members_page(*, group_uuid: UUID, query: MembersQuery, page: int, counts: Counts) -> MembersPage:
    """Return one page. Raises GroupUnknown, PageUnknown and UpstreamError."""
    if query.sort_by == BY_ENROLLMENTS:
        rows = fetch_all_members(group_uuid=group_uuid, query=query, counts=counts)
        cut = rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        if not cut and page > 1:
            raise PageUnknown("Invalid page.")
        return _page(cut, len(rows), page)
    try:
        found = groups.from_settings().get_page(group_uuid=group_uuid, query=query, page=page)
    except UpstreamRefused as error:
        raise _unknown(error, page) from None
    return _page(_counted(found.rows, counts), len(found.rows) if found.count is None else found.count, page)


def fetch_all_members(*, group_uuid: UUID, query: MembersQuery, counts: Counts) -> tuple[CountedMember, ...]:
    """Return all members; those with equal numbers of enrollments in the order of the LMS."""
    rows = tuple(row for page in iterate_members(group_uuid=group_uuid, query=query, counts=counts) for row in page)
    if query.sort_by != BY_ENROLLMENTS:
        return rows
    return tuple(sorted(rows, key=lambda row: row.enrollment_count, reverse=not query.is_ascending))


def iterate_members(*, group_uuid: UUID, query: MembersQuery, counts: Counts) -> Iterator[tuple[CountedMember, ...]]:
    """Yield all members in pages of up to 500, in an order of the LMS. Raises GroupUnknown and UpstreamError."""
    asked = attrs.evolve(query, sort_by="" if query.sort_by == BY_ENROLLMENTS else query.sort_by)
    try:
        for page in groups.from_settings().iterate(group_uuid=group_uuid, query=asked):
            yield _counted(page.rows, counts)
    except UpstreamRefused as error:
        raise _unknown(error, 1) from None


def _counted(rows: Collection[ListedMember], counts: Counts) -> tuple[CountedMember, ...]:
    found = counts({row.lms_user_id for row in rows if row.lms_user_id is not None})
    return tuple(
        CountedMember(member=row, enrollment_count=found.get(row.lms_user_id, 0) if row.lms_user_id else 0)
        for row in rows
    )


def _page(rows: tuple[CountedMember, ...], count: int, number: int) -> MembersPage:
    return MembersPage(rows=rows, count=count, number=number, pages=max(1, math.ceil(count / PAGE_SIZE)))


def _unknown(error: UpstreamRefused, page: int) -> Exception:
    """Return what a refusal means: the LMS answers 404 to a group, and to a page, that does not exist."""
    if error.reason is not UpstreamReason.NOT_FOUND:
        return error
    return PageUnknown("Invalid page.") if page > 1 else GroupUnknown("The LMS has no such group.")
