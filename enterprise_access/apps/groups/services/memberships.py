"""What a learner is in groups: from copies that are young enough, else from the LMS."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from enterprise_access.apps.groups.domain import Membership, membership_of
from enterprise_access.apps.groups.models import GroupMembership
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream.lms import from_settings as lms_from_settings
from enterprise_access.upstream.lms import groups as lms_groups

log = logging.getLogger(__name__)

# Who joins or leaves a group is noticed within this time.
FRESH: Final = timedelta(minutes=5)
# Copies that were not used for so long are deleted.
KEPT: Final = timedelta(days=1)
MAX_PRUNED: Final = 5000


def memberships(*, lms_user_id: int, groups: Collection[UUID], max_age: timedelta = FRESH) -> Mapping[UUID, Membership]:
    """Return what a learner is in each of these groups, as of `max_age` ago at most.

    A group that could not be asked is UNKNOWN. One that the LMS does not know has no members. The learner's address is
    read from the LMS for this call, and not kept.
    """
    return memberships_of([lms_user_id], groups=groups, max_age=max_age)[lms_user_id]


def memberships_of(
    lms_user_ids: Collection[int], *, groups: Collection[UUID], max_age: timedelta = FRESH
) -> dict[int, dict[UUID, Membership]]:
    """Do the same for several learners, by learner. All copies are read together; the LMS is asked for one learner."""
    wanted = frozenset(groups)
    found: dict[int, dict[UUID, Membership]] = {lms_user_id: {} for lms_user_id in lms_user_ids}
    if not wanted:
        return found
    since = clock.now() - max_age
    for row in GroupMembership.objects.filter(lms_user_id__in=found, group_uuid__in=wanted, fetched_at__gte=since):
        found[row.lms_user_id][row.group_uuid] = Membership(row.membership)
    for lms_user_id, known in found.items():
        if missing := sorted(wanted - known.keys()):
            known |= _ask(lms_user_id, missing)
    return found


def _ask(lms_user_id: int, groups: Collection[UUID]) -> dict[UUID, Membership]:
    started_at = clock.now()
    try:
        emails = _addresses_of(lms_user_id)
    except UpstreamError as error:
        log.warning("The LMS could not be asked whose groups these are. reason=%s", error.reason)
        return dict.fromkeys(groups, Membership.UNKNOWN)
    answers = {group: _ask_group(group, lms_user_id, emails) for group in groups}
    _keep(lms_user_id, {group: one for group, one in answers.items() if one is not Membership.UNKNOWN}, started_at)
    return answers


def _addresses_of(lms_user_id: int) -> frozenset[str] | None:
    """Return the learner's address; empty for a person who is linked to no customer, None where it is unreadable."""
    links = lms_from_settings().list_learner_links(lms_user_ids=[lms_user_id])
    told = {link.lms_user_id for link in links}
    if links.unknown_among([lms_user_id], told=told):
        return None
    return frozenset(link.email for link in links if link.lms_user_id == lms_user_id and link.email)


def _ask_group(group_uuid: UUID, lms_user_id: int, emails: frozenset[str] | None) -> Membership:
    if emails is None:
        return Membership.UNKNOWN
    if not emails:
        # Members are linked to the customer, or invited by an address, and there is neither.
        return Membership.NOT_A_MEMBER
    try:
        rows = lms_groups.from_settings().list_members(group_uuid=group_uuid, emails=sorted(emails), with_removed=True)
    except UpstreamError as error:
        log.warning("The LMS could not be asked for a group. group=%s reason=%s", group_uuid, error.reason)
        return Membership.UNKNOWN
    if rows is None:
        return Membership.NOT_A_MEMBER
    folded = {email.casefold() for email in emails}
    own = [row for row in rows if row.lms_user_id == lms_user_id or (row.email or "").casefold() in folded]
    if not own and rows.unreadable:
        return Membership.UNKNOWN
    return membership_of(row.status for row in own)


@retry_deadlocks
def _keep(lms_user_id: int, found: Mapping[UUID, Membership], started_at: datetime) -> None:
    """Keep copies. A copy whose read began later stays."""
    known = set(
        GroupMembership.objects.filter(lms_user_id=lms_user_id, group_uuid__in=found).values_list(
            "group_uuid", flat=True
        )
    )
    GroupMembership.objects.bulk_create(
        [
            GroupMembership(group_uuid=group, lms_user_id=lms_user_id, membership=one.value, fetched_at=started_at)
            for group, one in sorted(found.items())
            if group not in known
        ],
        ignore_conflicts=True,
    )
    for group in sorted(known):
        GroupMembership.objects.filter(lms_user_id=lms_user_id, group_uuid=group, fetched_at__lt=started_at).update(
            membership=found[group].value, fetched_at=started_at
        )


@retry_deadlocks
def forget_group(*, group_uuid: UUID) -> int:
    """Delete the copies of a group, so that everybody is asked for again; return how many went."""
    return GroupMembership.objects.filter(group_uuid=group_uuid).delete()[0]


@retry_deadlocks
def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Delete the copies of a learner; return how many rows went, by table."""
    rows = GroupMembership.objects.filter(lms_user_id=lms_user_id)
    return {str(GroupMembership._meta.verbose_name): rows.delete()[0]}


@retry_deadlocks
def prune_memberships(*, now: datetime) -> int:
    """Delete copies that are a day old; return how many went."""
    old = list(GroupMembership.objects.filter(fetched_at__lt=now - KEPT).values_list("pk", flat=True)[:MAX_PRUNED])
    return GroupMembership.objects.filter(pk__in=old).delete()[0] if old else 0
