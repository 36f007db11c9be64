"""What assignments tell of a learner's past (lib/timeline.py)."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.utils.translation import gettext as _

from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.selectors.timeline import outcome_of_mail
from enterprise_access.apps.notifications.selectors import list_of_subjects
from enterprise_access.lib.timeline import Explained


def list_past_events(customer_uuid: UUID, lms_user_id: int, limit: int) -> Iterable[Explained]:
    """Return a learner's newest assignments of a customer, what was done, and their mails: three statements."""
    rows = Assignment.objects.filter(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    actions = LearnerContentAssignmentAction.objects.filter(
        assignment__customer_uuid=customer_uuid, assignment__lms_user_id=lms_user_id
    )
    newest_rows = list(rows.order_by("-recent_action_at", "uuid")[:limit])
    newest = actions.select_related("assignment").order_by("-created", "uuid")[:limit]
    return [
        *(event for row in newest_rows for event in _of_assignment(row)),
        *(_of_action(action) for action in newest),
        *_of_mails(newest_rows),
    ]


def _of_assignment(row: Assignment) -> Iterator[Explained]:
    about = {"assignment": str(row.pk)}
    text = _("%(course)s was assigned.") % {"course": row.content_key}
    yield Explained(at=row.allocated_at, kind="assignment_allocated", text=text, about=about)


def _of_mails(rows: Sequence[Assignment]) -> Iterator[Explained]:
    """Tell of the mails by assignment: many were requested before the account of the person was known."""
    mails = list_of_subjects([row.pk for row in rows])
    for row in rows:
        for mail in mails[row.pk]:
            words = {"course": row.content_key, "mail": mail.kind, "outcome": outcome_of_mail(mail)}
            yield Explained(
                at=mail.settled_at or mail.created,
                kind="mail",
                text=_("Mail about %(course)s (%(mail)s): %(outcome)s.") % words,
                reason=mail.error or mail.waiting_for,
                about={"assignment": str(row.pk), "notification": str(mail.pk)},
            )


def _of_action(action: LearnerContentAssignmentAction) -> Explained:
    row = action.assignment
    words = {"course": row.content_key, "action": action.action_type}
    is_failed = action.completed_at is None
    text = (
        _("Assignment of %(course)s: %(action)s failed.") if is_failed else _("Assignment of %(course)s: %(action)s.")
    )
    return Explained(
        at=action.created,
        kind=f"assignment_{action.action_type}",
        text=text % words,
        reason=action.error_reason,
        about={"assignment": str(row.pk)},
    )
