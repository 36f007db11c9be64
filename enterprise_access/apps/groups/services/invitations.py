"""Who was invited into a group and has not accepted, as the LMS says now. Addresses are not kept."""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import attrs

from enterprise_access.apps.groups.domain import Membership, membership_of
from enterprise_access.apps.groups.domain.reminding import invited_on
from enterprise_access.apps.groups.errors import GroupUnknown
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.upstream.lms import groups
from enterprise_access.upstream.lms.groups import ListedMember, MembersQuery


@attrs.frozen(kw_only=True)
class Invitation:
    """An invitation that is not accepted. `uuid`: the membership's."""

    uuid: UUID
    email: str = attrs.field(repr=False)
    lms_user_id: int | None
    invited_on: date


@attrs.frozen(kw_only=True)
class Invitations:
    """One page of a group's open invitations. `unreadable`: how many rows of it may be invitations, too."""

    rows: tuple[Invitation, ...]
    unreadable: int


def iterate_invitations(*, group_uuid: UUID) -> Iterator[Invitations]:
    """Yield the open invitations of a group in pages of up to 500 members. Raises GroupUnknown and UpstreamError."""
    try:
        for page in groups.from_settings().iterate(group_uuid=group_uuid, query=MembersQuery()):
            pending = [row for row in page.rows if membership_of([row.status]) is Membership.PENDING]
            rows = [found for found in map(_invitation, pending) if found]
            unknown = sum(membership_of([row.status]) is Membership.UNKNOWN for row in page.rows)
            yield Invitations(rows=tuple(rows), unreadable=len(page.unreadable) + unknown + len(pending) - len(rows))
    except UpstreamRefused as error:
        if error.reason is not UpstreamReason.NOT_FOUND:
            raise
        raise GroupUnknown("The LMS has no such group.") from None


def _invitation(row: ListedMember) -> Invitation | None:
    invited, email = invited_on(row.recent_action), row.member_details.user_email
    if row.enterprise_group_membership_uuid is None or invited is None or not email:
        return None
    return Invitation(
        uuid=row.enterprise_group_membership_uuid, email=email, lms_user_id=row.lms_user_id, invited_on=invited
    )
