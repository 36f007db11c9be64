"""What a learner is in groups: from copies that are young enough, else from the LMS."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from enterprise_access.apps.groups.domain import Membership, membership_of
from enterprise_access.apps.groups.models import GroupMembership
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream.lms import from_settings as lms_from_settings
from enterprise_access.upstream.lms import groups as lms_groups
from enterprise_access.upstream.lms.groups import GroupMember

log = logging.getLogger(__name__)

# Who joins or leaves a group is noticed within this time.
FRESH: Final = timedelta(minutes=5)
# Copies that were not used for so long are deleted.
KEPT: Final = timedelta(days=1)
MAX_PRUNED: Final = 5000


def memberships_of(
    lms_user_ids: Collection[int], *, groups: Collection[UUID], max_age: timedelta = FRESH
) -> dict[int, dict[UUID, Membership]]:
    """Return what learners are in each of these groups, by learner, as of `max_age` ago at most.

    A group that could not be asked is UNKNOWN. One that the LMS does not know has no members. All learners are asked
    for together. Their addresses are read from the LMS for this call, and not kept.
    """
    wanted = frozenset(groups)
    found: dict[int, dict[UUID, Membership]] = {lms_user_id: {} for lms_user_id in lms_user_ids}
    if not wanted:
        return found
    since = clock.now() - max_age
    for row in GroupMembership.objects.filter(lms_user_id__in=found, group_uuid__in=wanted, fetched_at__gte=since):
        found[row.lms_user_id][row.group_uuid] = Membership(row.membership)
    missing = {
        group: [lms_user_id for lms_user_id, known in found.items() if group not in known] for group in sorted(wanted)
    }
    for group, told in _ask({group: ids for group, ids in missing.items() if ids}).items():
        for lms_user_id, membership in told.items():
            found[lms_user_id][group] = membership
    return found


def _ask(missing: Mapping[UUID, Sequence[int]]) -> dict[UUID, dict[int, Membership]]:
    """Ask for what learners are in groups, given by group."""
    if not missing:
        return {}
    started_at = clock.now()
    try:
        emails = _addresses_of(sorted({lms_user_id for ids in missing.values() for lms_user_id in ids}))
    except UpstreamError as error:
        log.warning("The LMS could not be asked whose groups these are. reason=%s", error.reason)
        return {group: dict.fromkeys(ids, Membership.UNKNOWN) for group, ids in missing.items()}
    answers = {
        group: _ask_group(group, {lms_user_id: emails[lms_user_id] for lms_user_id in ids})
        for group, ids in missing.items()
    }
    _keep_all(answers, started_at)
    return answers


def _addresses_of(lms_user_ids: Sequence[int]) -> dict[int, frozenset[str] | None]:
    """Return the addresses of learners; empty for a person who is linked to no customer, None where unreadable."""
    links = lms_from_settings().list_learner_links(lms_user_ids=lms_user_ids)
    unknown = links.unknown_among(lms_user_ids, told={link.lms_user_id for link in links})
    found: dict[int, set[str]] = {lms_user_id: set() for lms_user_id in lms_user_ids}
    for link in links:
        if link.lms_user_id in found and link.email:
            found[link.lms_user_id].add(link.email)
    return {lms_user_id: None if lms_user_id in unknown else frozenset(emails) for lms_user_id, emails in found.items()}


def _ask_group(group_uuid: UUID, emails: Mapping[int, frozenset[str] | None]) -> dict[int, Membership]:
    """Return what learners are in a group, given by LMS user id with their addresses."""
    # Members are linked to the customer, or invited by an address: who has neither is none.
    found = {
        lms_user_id: Membership.UNKNOWN if known is None else Membership.NOT_A_MEMBER
        for lms_user_id, known in emails.items()
    }
    asked = {lms_user_id: known for lms_user_id, known in emails.items() if known}
    if not asked:
        return found
    try:
        rows = lms_groups.from_settings().list_members(
            group_uuid=group_uuid, emails=sorted(frozenset().union(*asked.values())), with_removed=True
        )
    except UpstreamError as error:
        log.warning("A group could not be read from the LMS. group=%s reason=%s", group_uuid, error.reason)
        return found | dict.fromkeys(asked, Membership.UNKNOWN)
    return found if rows is None else found | _told(rows, asked)


def _told(rows: Rows[GroupMember], asked: Mapping[int, frozenset[str]]) -> dict[int, Membership]:
    by_key: dict[int | str, list[GroupMember]] = {}
    for row in rows:
        for key in (row.lms_user_id, (row.email or "").casefold()):
            if key:
                by_key.setdefault(key, []).append(row)
    odd = [row.key for row in rows.unreadable]
    odd_keys = frozenset().union(*(key for key in odd if isinstance(key, frozenset)))
    found = {}
    for lms_user_id, emails in asked.items():
        keys: set[int | str] = {lms_user_id, *(email.casefold() for email in emails)}
        own = {id(row): row for key in keys for row in by_key.get(key, ())}
        is_unknown = not own and (None in odd or bool(odd_keys & keys))
        found[lms_user_id] = Membership.UNKNOWN if is_unknown else membership_of(row.status for row in own.values())
    return found


def _keep_all(answers: Mapping[UUID, Mapping[int, Membership]], started_at: datetime) -> None:
    by_learner: dict[int, dict[UUID, Membership]] = {}
    for group, told in answers.items():
        for lms_user_id, membership in told.items():
            if membership is not Membership.UNKNOWN:
                by_learner.setdefault(lms_user_id, {})[group] = membership
    for lms_user_id, found in sorted(by_learner.items()):
        _keep(lms_user_id, found, started_at)


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
    """Delete the copies of a group, so that everybody is requested again; return how many went."""
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
