"""Clearing addresses that are of no use any more: in batches, by id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.content_assignments.domain.expiring import is_email_due_for_clearing
from enterprise_access.apps.content_assignments.domain.states import ENDED, AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.expiring import BATCH, batches
from enterprise_access.apps.content_assignments.services.mails import settled_at_of
from enterprise_access.apps.content_assignments.services.people import clear_emails
from enterprise_access.apps.customers.selectors import list_learners

# When each ended state was reached.
_REACHED: Final = {
    AssignmentState.CANCELLED.value: "cancelled_at",
    AssignmentState.EXPIRED.value: "expired_at",
    AssignmentState.ERRORED.value: "errored_at",
    AssignmentState.REVERSED.value: "reversed_at",
}


def clear_due_emails(*, now: datetime, is_dry_run: bool = False, batch: int = BATCH) -> int:
    """Clear addresses of assignments that ended some time ago, or whose learner was unlinked; return how many."""
    states = [state.value for state in (*ENDED, AssignmentState.ACCEPTED)]
    cleared = 0
    for rows in batches(Assignment.objects.filter(state__in=states, email_cleared_at=None), batch):
        due = _due(rows, now)
        cleared += len(due) if is_dry_run else clear_emails(due, now=now)
    return cleared


def _due(rows: Sequence[Assignment], now: datetime) -> list[UUID]:
    mailed, unlinked = settled_at_of(rows), _unlinked(rows)
    return [
        row.pk
        for row in rows
        if is_email_due_for_clearing(
            state=AssignmentState(row.state),
            # A row about which nothing was mailed counts from the day on which it ended.
            notification_settled_at=mailed.get(row.pk, _reached_at(row)),
            days=settings.ASSIGNMENT_EMAIL_DAYS,
            is_learner_unlinked=row.pk in unlinked,
            is_learner_retired=False,
            now=now,
        )
    ]


def _reached_at(row: Assignment) -> datetime | None:
    return getattr(row, _REACHED[row.state]) if row.state in _REACHED else None


def _unlinked(rows: Sequence[Assignment]) -> frozenset[UUID]:
    """Return the redeemed assignments of learners of whom it is known that they are not linked any more."""
    found: set[UUID] = set()
    accepted = [row for row in rows if row.state == AssignmentState.ACCEPTED.value and row.lms_user_id is not None]
    for customer_uuid in {row.customer_uuid for row in accepted}:
        own = {row.pk: row.lms_user_id or 0 for row in accepted if row.customer_uuid == customer_uuid}
        learners = list_learners(customer_uuid=customer_uuid, lms_user_ids=set(own.values()))
        found |= {pk for pk, user in own.items() if user in learners and not learners[user].is_linked}
    return frozenset(found)
