"""The one place where redeeming meets groups."""

from collections.abc import Collection, Mapping
from uuid import UUID

from enterprise_access.apps.groups.domain import Membership as InGroup
from enterprise_access.apps.groups.services import memberships_of
from enterprise_access.apps.redemption.domain.eligibility import Membership


def list_memberships(
    lms_user_ids: Collection[int], *, groups: Collection[UUID]
) -> dict[int, Mapping[UUID, Membership]]:
    """Return, by learner, what each is in each of these groups. A group that is missing: not a member."""
    found = memberships_of(lms_user_ids, groups=groups)
    return {
        learner: {group: Membership(one.value) for group, one in of_learner.items() if one is not InGroup.NOT_A_MEMBER}
        for learner, of_learner in found.items()
    }
