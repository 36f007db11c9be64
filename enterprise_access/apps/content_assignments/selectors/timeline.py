"""What happened to one assignment, in order: states, actions, mails, the link of its person, and what apps above tell.

An app that tries something with assignments registers a source in its `ready`, as with lib/timeline.py.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from attrs import frozen

from enterprise_access.apps.content_assignments.models import Assignment, LinkRequest
from enterprise_access.apps.content_assignments.selectors.lists import list_actions
from enterprise_access.apps.notifications.selectors import Notification, list_of_subjects


@frozen(kw_only=True)
class TimelineEntry:
    """Something that happened, and how it ended in a few words. Neither names a person."""

    at: datetime
    what: str
    outcome: str = ""


# Reads its own tables, in a fixed number of statements.
Source = Callable[[Assignment], Iterable[TimelineEntry]]

_more: Final[list[Source]] = []


def register(source: Source) -> None:
    """Have the timeline of every assignment tell what this source knows of it."""
    _more.append(source)


def timeline_of(row: Assignment) -> list[TimelineEntry]:
    """Return what happened to an assignment, oldest first, in four statements and those of the apps above."""
    entries = [*_states(row), *_actions(row), *_mails(row), *_links(row), *_account(row)]
    entries += [entry for source in _more for entry in source(row)]
    return sorted(entries, key=lambda entry: entry.at)


def _states(row: Assignment) -> list[TimelineEntry]:
    """Return the states that it has had; a history row that changed something else is none."""
    entries: list[TimelineEntry] = []
    last: tuple[str, datetime] | None = None
    for past in Assignment.history.filter(uuid=row.pk).order_by("history_date", "history_id"):
        state = (past.state, past.allocated_at)
        if state != last:
            entries.append(
                TimelineEntry(at=past.history_date, what=f"state: {past.state}", outcome=past.expiration_reason)
            )
        last = state
    return entries


def _actions(row: Assignment) -> list[TimelineEntry]:
    actions = list_actions([row])[row.pk]
    return [
        TimelineEntry(
            at=action.created,
            what=f"action: {action.action_type}",
            outcome=f"failed: {action.error_reason}" if action.error_reason else "done",
        )
        for action in actions
    ]


def _mails(row: Assignment) -> list[TimelineEntry]:
    return [
        TimelineEntry(at=mail.settled_at or mail.created, what=f"mail: {mail.kind}", outcome=outcome_of_mail(mail))
        for mail in list_of_subjects([row.pk])[row.pk]
    ]


def outcome_of_mail(mail: Notification) -> str:
    """Return in a few words how a mail ended, or what it waits for."""
    if mail.outcome:
        return f"{mail.outcome} {mail.error}".strip()
    if mail.failed_at is not None:
        return f"failed: {mail.waiting_for}"
    return f"still to be sent {mail.waiting_for}".strip()


def _account(row: Assignment) -> list[TimelineEntry]:
    if row.account_unclear_at is None:
        return []
    return [TimelineEntry(at=row.account_unclear_at, what="account: unknown", outcome="two accounts have this address")]


def _links(row: Assignment) -> list[TimelineEntry]:
    waiting = LinkRequest.objects.filter(pk=row.pk).exclude(due_at=None, failed_at=None)
    return [
        TimelineEntry(at=link.created, what="link in the LMS", outcome=f"still to be made {link.waiting_for}".strip())
        for link in waiting
    ]
