"""Reminders to people who were invited into a group of a budget and have not accepted.

One mail for each invitation and day. Whether it is still needed, and its address, is read from the LMS when the mail is
sent: nothing about a member is kept but the UUID of the membership.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from attrs import frozen
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.groups.domain.reminding import due_day, is_due
from enterprise_access.apps.groups.errors import GroupUnknown
from enterprise_access.apps.groups.services.invitations import Invitation, iterate_invitations
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError

log = logging.getLogger(__name__)

REMIND_JOB: Final = "subsidy_access_policies.remind_group"
KIND: Final = "group_invitation_reminded"


@frozen(kw_only=True)
class RestrictedTo:
    """A group that budgets of a customer are restricted to."""

    group_uuid: UUID
    customer_uuid: UUID


@frozen(kw_only=True)
class Reminded:
    """The outcome for one group.

    `due`: how many reminders are due, including those asked for before. `is_known`: whether the LMS listed all members.
    """

    due: int
    is_known: bool


@frozen(kw_only=True)
class _Occurrence:
    """Which reminder of an invitation a mail is. A person who is invited again is reminded again."""

    group_uuid: UUID
    invited_on: date
    day: int

    def __str__(self) -> str:
        return f"{self.group_uuid} {self.invited_on} {self.day}"

    @classmethod
    def read(cls, text: str) -> "_Occurrence":
        group, invited, day = text.split(" ")
        return cls(group_uuid=UUID(group), invited_on=date.fromisoformat(invited), day=int(day))


def connect() -> None:
    """Register the kind of mail."""
    notifications.register(
        notifications.MailKind(name=KIND, title=_("Reminder of an invitation into a group"), read=_read, sample={})
    )


def list_groups() -> list[RestrictedTo]:
    """Return the groups that active budgets are restricted to."""
    rows = _associations().order_by("group_uuid", "policy__customer_uuid")
    pairs = rows.values_list("group_uuid", "policy__customer_uuid").distinct()
    return [RestrictedTo(group_uuid=group, customer_uuid=customer) for group, customer in pairs]


def remind_group(group: RestrictedTo, *, now: datetime, is_dry_run: bool = False) -> Reminded:
    """Ask for the reminders of a group that are due. Doing it again asks for no mail twice.

    What the LMS does not tell now is found by a later run: a reminder may be three days late.
    """
    due, unreadable = 0, 0
    try:
        for page in iterate_invitations(group_uuid=group.group_uuid):
            wanted = [mail for row in page.rows if (mail := _wanted(row, group, now))]
            due, unreadable = due + len(wanted), unreadable + page.unreadable
            if not is_dry_run:
                notifications.ask_all(wanted)
    except GroupUnknown:
        log.warning("The LMS has no such group, but a budget is restricted to it. group=%s", group.group_uuid)
    except UpstreamError as error:
        log.warning("The LMS could not be asked whom to remind. group=%s reason=%s", group.group_uuid, error.reason)
        return Reminded(due=due, is_known=False)
    if unreadable:
        log.warning("Members cannot be read and are not reminded. group=%s rows=%d", group.group_uuid, unreadable)
    return Reminded(due=due, is_known=not unreadable)


def _wanted(row: Invitation, group: RestrictedTo, now: datetime) -> notifications.WantedMail | None:
    day = due_day(row.invited_on, today=now.astimezone(UTC).date())
    if day is None:
        return None
    which = _Occurrence(group_uuid=group.group_uuid, invited_on=row.invited_on, day=day)
    return notifications.WantedMail(
        kind=KIND,
        subject=row.uuid,
        occurrence=str(which),
        customer_uuid=group.customer_uuid,
        lms_user_id=row.lms_user_id,
        due_at=now,
    )


def _read(facts: Sequence[notifications.Fact]) -> Mapping[notifications.Fact, notifications.Letter | None]:
    """Return the letters that are still needed; None for those that the LMS does not tell about now."""
    today = clock.now().astimezone(UTC).date()
    by_group: dict[UUID, dict[notifications.Fact, _Occurrence]] = {}
    for fact in facts:
        which = _Occurrence.read(fact.occurrence)
        if is_due(which.day, which.invited_on, today=today):
            by_group.setdefault(which.group_uuid, {})[fact] = which
    groups = set(_associations().filter(group_uuid__in=by_group).values_list("group_uuid", flat=True))
    letters: dict[notifications.Fact, notifications.Letter | None] = {}
    for group in sorted(by_group.keys() & groups):
        letters |= _letters_of(group, by_group[group])
    return letters


def _letters_of(
    group_uuid: UUID, facts: Mapping[notifications.Fact, _Occurrence]
) -> dict[notifications.Fact, notifications.Letter | None]:
    subjects = {fact.subject for fact in facts}
    found: dict[UUID, Invitation] = {}
    is_known = True
    try:
        for page in iterate_invitations(group_uuid=group_uuid):
            found |= {row.uuid: row for row in page.rows if row.uuid in subjects}
            is_known = is_known and not page.unreadable
    except GroupUnknown:
        return {}
    except UpstreamError as error:
        log.warning("The LMS could not be asked whom to remind. group=%s reason=%s", group_uuid, error.reason)
        is_known = False
    letters: dict[notifications.Fact, notifications.Letter | None] = {}
    for fact, which in facts.items():
        row = found.get(fact.subject)
        if row is None and not is_known:
            letters[fact] = None
        elif row is not None and row.invited_on == which.invited_on:
            letters[fact] = notifications.Letter(email=row.email)
    return letters


def _associations() -> QuerySet[PolicyGroupAssociation]:
    return PolicyGroupAssociation.objects.filter(policy__active=True, policy__retired=False)
