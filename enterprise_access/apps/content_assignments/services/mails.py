"""What learners are told of assignments: which mail, what it says, and how a mail that ended shows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.content_assignments.domain.showing import NOTIFIED, REMINDED
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.services.writing import add_actions, set_columns, shown
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.domain import BOUNCED, NotificationOutcome
from enterprise_access.apps.notifications.selectors import list_of_subjects
from enterprise_access.apps.notifications.services.signals import notification_settled
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order

Action = LearnerContentAssignmentAction

# The code that clients know for a mail that cannot be delivered.
EMAIL_ERROR: Final = "email_error"


class AssignmentMailKind(StrEnum):
    """The mails about an assignment."""

    ALLOCATED = "assignment_allocated"
    REMINDED = "assignment_reminded"
    CANCELLED = "assignment_cancelled"
    EXPIRED = "assignment_expired"
    NUDGED = "assignment_nudged"


_STATES: Final = {
    AssignmentMailKind.ALLOCATED: AssignmentState.ALLOCATED,
    AssignmentMailKind.REMINDED: AssignmentState.ALLOCATED,
    AssignmentMailKind.CANCELLED: AssignmentState.CANCELLED,
    AssignmentMailKind.EXPIRED: AssignmentState.EXPIRED,
    AssignmentMailKind.NUDGED: AssignmentState.ACCEPTED,
}
# What a settled mail is in the list of actions. Mails about an end are told by the transition's own action.
_ACTIONS: Final = {AssignmentMailKind.ALLOCATED: NOTIFIED, AssignmentMailKind.REMINDED: REMINDED}
_TRANSITIONS: Final = {AssignmentMailKind.CANCELLED: "cancelled", AssignmentMailKind.EXPIRED: "expired"}

_TITLES: Final = {
    AssignmentMailKind.ALLOCATED: _("A course was assigned"),
    AssignmentMailKind.REMINDED: _("Reminder of an assigned course"),
    AssignmentMailKind.CANCELLED: _("An assignment was cancelled"),
    AssignmentMailKind.EXPIRED: _("An assignment expired"),
    AssignmentMailKind.NUDGED: _("A course begins soon"),
}
_SAMPLE: Final = {"content_title": "Data Science 101", "expires_at": datetime(2027, 2, 26, tzinfo=UTC)}


def life_of(row: Assignment) -> str:
    """Return what tells the present life of an assignment from its former ones."""
    return f"{row.allocated_at:%Y%m%dT%H%M%S.%f}"


def ask_for_mails(kind: AssignmentMailKind, rows: Iterable[Assignment], *, now: datetime, which: str = "") -> None:
    """Ask for one mail about each assignment, in the caller's transaction.

    `which` tells mails of one kind in one life apart: a reminder from the next one.
    """
    notifications.ask_all(
        [
            notifications.WantedMail(
                kind=kind.value,
                subject=row.pk,
                occurrence=f"{life_of(row)}{which}",
                customer_uuid=row.customer_uuid,
                lms_user_id=row.lms_user_id,
                due_at=now,
            )
            for row in rows
        ]
    )


def connect() -> None:
    """Register the kinds of mail, and hear how mails ended."""
    for kind in AssignmentMailKind:
        notifications.register(
            notifications.MailKind(name=kind.value, title=_TITLES[kind], read=_reader_of(kind), sample=_SAMPLE)
        )
    notification_settled.connect(note_mail, dispatch_uid="content_assignments.note_mail")


def _reader_of(kind: AssignmentMailKind) -> Any:
    def read(facts: Sequence[notifications.Fact]) -> Mapping[notifications.Fact, notifications.Letter]:
        rows = Assignment.objects.in_bulk({fact.subject for fact in facts})
        return {fact: _letter(rows[fact.subject]) for fact in facts if _is_needed(kind, rows.get(fact.subject), fact)}

    return read


def _is_needed(kind: AssignmentMailKind, row: Assignment | None, fact: notifications.Fact) -> bool:
    """Say whether what a mail would say is still true."""
    return (
        row is not None
        and row.email_cleared_at is None
        and row.state == _STATES[kind].value
        and fact.occurrence.startswith(life_of(row))
    )


def _letter(row: Assignment) -> notifications.Letter:
    context = {"content_title": row.content_title or row.content_key, "expires_at": row.expires_at}
    return notifications.Letter(email=row.learner_email, context=context)


@retry_deadlocks
def note_mail(*, notification: Any, now: datetime, **_about: object) -> None:
    """Write down how a mail about an assignment ended, and show it. A mail of a former life changes nothing."""
    if notification.kind not in frozenset(AssignmentMailKind):
        return
    kind, failure = AssignmentMailKind(notification.kind), _failure_of(notification)
    if failure is None:
        return
    row = next(iter(lock_in_order(Assignment.objects.filter(pk=notification.subject))), None)
    if row is None or not notification.occurrence.startswith(life_of(row)):
        return
    if kind in _ACTIONS and notification.error == BOUNCED:
        # What was taken for done was not.
        _fail_last(row, _ACTIONS[kind], failure, now)
        show_again(row, now=now)
    elif kind in _ACTIONS:
        add_actions([row], _ACTIONS[kind], now=now, error_reason=failure)
        show_again(row, now=now)
    elif failure and kind in _TRANSITIONS:
        _fail_last(row, _TRANSITIONS[kind], failure, now)


def _fail_last(row: Assignment, action_type: str, failure: str, now: datetime) -> None:
    """Turn the last action of a type into a failed one."""
    last = Action.objects.filter(assignment=row, action_type=action_type).last()
    if last is not None:
        last.error_reason, last.completed_at, last.modified = failure, None, now
        last.save(update_fields=["error_reason", "completed_at", "modified"])


def _failure_of(notification: Any) -> str | None:
    """Return the error that the outcome of a mail is; empty: none; None: nothing is known of it."""
    if notification.outcome == NotificationOutcome.SENT.value:
        return ""
    return EMAIL_ERROR if notification.outcome == NotificationOutcome.REFUSED.value else None


def show_again(row: Assignment, *, now: datetime) -> None:
    """Bring what lists show of a locked assignment up to date with its actions."""
    set_columns([row], now=now, **shown(row, list(Action.objects.filter(assignment=row))))


def settled_at_of(rows: Sequence[Assignment]) -> dict[UUID, datetime | None]:
    """Return when the mail about the state of each assignment was settled; None: it is still to be sent.

    An assignment about whose state nothing was to be mailed is missing.
    """
    kinds = {_STATES[kind].value: kind.value for kind in _TRANSITIONS}
    mails = list_of_subjects([row.pk for row in rows])
    found: dict[UUID, datetime | None] = {}
    for row in rows:
        for mail in mails[row.pk]:
            if mail.kind == kinds.get(row.state) and mail.occurrence.startswith(life_of(row)):
                found[row.pk] = mail.settled_at
    return found
