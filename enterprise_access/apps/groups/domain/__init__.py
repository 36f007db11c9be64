"""What a learner can be in a group of a customer. Pure."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class Membership(StrEnum):
    """What a learner is in a group. UNKNOWN: it could not be asked, which never means "not a member"."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    REMOVED = "removed"
    NOT_A_MEMBER = "not_a_member"
    UNKNOWN = "unknown"


# The states of the LMS. An invitation whose email failed is still an invitation.
_OF_STATUS: Final = {
    "accepted": Membership.ACCEPTED,
    "pending": Membership.PENDING,
    "email_error": Membership.PENDING,
    "internal_api_error": Membership.PENDING,
    "removed": Membership.REMOVED,
}
_STRONGEST_FIRST: Final = (Membership.ACCEPTED, Membership.UNKNOWN, Membership.PENDING, Membership.REMOVED)


def membership_of(statuses: Iterable[str]) -> Membership:
    """Return what the LMS's rows about one learner and group come to. A status that is new to us is unknown."""
    found = {_OF_STATUS.get(status, Membership.UNKNOWN) for status in statuses}
    return next((each for each in _STRONGEST_FIRST if each in found), Membership.NOT_A_MEMBER)
