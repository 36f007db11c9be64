"""Reminding learners that executive education which they have taken begins soon."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import AssignmentUnknown, NothingToNudge
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.mails import AssignmentMailKind, ask_for_mails
from enterprise_access.apps.subsidy_access_policies.services import Offer, fetch_offers
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy


def nudge(
    policy: SubsidyAccessPolicy, *, assignment_uuids: Sequence[UUID], days_before_start: int, now: datetime
) -> tuple[list[UUID], list[UUID]]:
    """Mail the learners of redeemed executive education that begins in so many days (by the day, UTC), once per start.

    Returns those who are mailed and the others. Raises AssignmentUnknown, and NothingToNudge where there is none.
    """
    own = Assignment.objects.filter(configuration_uuid=policy.assignment_configuration).in_bulk(set(assignment_uuids))
    wanted = list(dict.fromkeys(assignment_uuids))
    if missing := set(wanted) - own.keys():
        raise AssignmentUnknown(f"There is no assignment {min(missing)}.")
    accepted = {uuid: own[uuid] for uuid in wanted if own[uuid].state == AssignmentState.ACCEPTED.value}
    offers = fetch_offers([policy], {row.content_key for row in accepted.values()}, now=now) if accepted else {}
    day = (now + timedelta(days=days_before_start)).date()
    nudged = [
        uuid
        for uuid, row in accepted.items()
        if _begins_on(offers[policy.pk, row.content_key], day) and row.email_cleared_at is None
    ]
    if not nudged:
        raise NothingToNudge(wanted)
    ask_for_mails(AssignmentMailKind.NUDGED, [own[uuid] for uuid in nudged], now=now, which=f"/{day:%Y%m%d}")
    return nudged, [uuid for uuid in wanted if uuid not in set(nudged)]


def _begins_on(offer: Offer, day: object) -> bool:
    return offer.is_executive_education and offer.start_date is not None and offer.start_date.date() == day
