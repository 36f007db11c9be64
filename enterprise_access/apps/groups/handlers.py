"""What groups do with events: copies of memberships in a group that was deleted are deleted."""

from collections.abc import Sequence

from openedx_events.enterprise.signals import ENTERPRISE_GROUP_DELETED

from enterprise_access.apps.groups import services
from enterprise_access.events.handling import Event, handles


@handles(ENTERPRISE_GROUP_DELETED)
def forget_groups(events: Sequence[Event]) -> None:
    """Ask the LMS again for members of these groups.

    Budgets stay restricted to them, and so to no learner: without the restriction they would be open to all.
    """
    for group_uuid in sorted({event.data["enterprise_group"].uuid for event in events}):
        services.forget_group(group_uuid=group_uuid)
