"""Finding out whose an assignment is, and taking people out again."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from enterprise_access.apps.content_assignments.domain.emails import fold_email
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction, LinkRequest
from enterprise_access.apps.content_assignments.selectors.people import list_waiting
from enterprise_access.apps.content_assignments.services.writing import overwrite, set_columns
from enterprise_access.apps.subsidy_access_policies.services.allocations import name_learner
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order

log = logging.getLogger(__name__)


def see_learner(lms_user_id: int, email: str, now: datetime) -> int:
    """Make the assignments to an address those of the learner who has it; return how many.

    The address is that of an event or of the learner's own token, and not kept. Assignments that have another
    account already keep it. The usual case, in which there is nothing to do, costs one read.
    """
    return see_learners({lms_user_id: email}, now)


def see_learners(emails: Mapping[int, str], now: datetime) -> int:
    """Do the same for several learners, by LMS user id, with one read for all of them.

    An address that two accounts have leads to neither of them: whose assignment it is, is unknown.
    """
    folded = {lms_user_id: fold_email(email) for lms_user_id, email in emails.items()}
    counts = Counter(folded.values())
    waiting = list_waiting([email for email in folded.values() if email])
    for email in sorted(email for email in waiting if counts[email] > 1):
        _note_two_accounts(email, now)
    return sum(
        _take(lms_user_id, email, now)
        for lms_user_id, email in sorted(folded.items())
        if email in waiting and counts[email] == 1
    )


@retry_deadlocks
def _take(lms_user_id: int, folded: str, now: datetime) -> int:
    rows = lock_in_order(Assignment.objects.filter(learner_email_folded=folded, lms_user_id=None))
    others = Assignment.objects.filter(learner_email_folded=folded, email_cleared_at=None, lms_user_id__isnull=False)
    if any(row.learner_email_folded == folded for row in others.exclude(lms_user_id=lms_user_id)):
        _mark_unclear(rows, folded, now)
        return 0
    # Databases compare text by rules of their own, accents and case left out: an address is compared here.
    mine = [row for row in rows if row.learner_email_folded == folded and row.email_cleared_at is None]
    for row in mine:
        row.lms_user_id, row.account_unclear_at = lms_user_id, None
    if mine:
        overwrite(mine, now=now)
        name_learner(assignment_uuids=[row.pk for row in mine], lms_user_id=lms_user_id)
    return len(mine)


@retry_deadlocks
def _note_two_accounts(folded: str, now: datetime) -> None:
    _mark_unclear(lock_in_order(Assignment.objects.filter(learner_email_folded=folded, lms_user_id=None)), folded, now)


def _mark_unclear(rows: Sequence[Assignment], folded: str, now: datetime) -> None:
    """Show staff that no one knows whose these locked assignments are."""
    unclear = [row for row in rows if row.learner_email_folded == folded and row.email_cleared_at is None]
    new = [row for row in unclear if row.account_unclear_at is None]
    if new:
        set_columns(new, now=now, account_unclear_at=now)
        log.warning("Two accounts have the address of assignments; no account was set. count=%d", len(new))


def known_people(folded: Sequence[str]) -> dict[str, int]:
    """Return the accounts that are known for addresses: those of earlier assignments, where they agree."""
    found: dict[str, set[int]] = {}
    rows = Assignment.objects.filter(learner_email_folded__in=folded, lms_user_id__isnull=False, email_cleared_at=None)
    for email, lms_user_id in rows.order_by().values_list("learner_email_folded", "lms_user_id").distinct():
        found.setdefault(email, set()).add(lms_user_id or 0)
    return {email: min(ids) for email, ids in found.items() if len(ids) == 1}


@retry_deadlocks
def clear_emails(assignment_uuids: Sequence[UUID], *, now: datetime) -> int:
    """Replace the addresses of assignments by ones that lead to no person, histories included; return how many."""
    with transaction.atomic():
        rows = lock_in_order(Assignment.objects.filter(pk__in=assignment_uuids, email_cleared_at=None))
        for row in rows:
            row.learner_email = f"retired_user{uuid4().hex}@retired.invalid"
            row.email_cleared_at, row.account_unclear_at = now, None
        if rows:
            overwrite(rows, now=now)
        for row in rows:
            # Each assignment has an address of its own, so each history is one statement.
            Assignment.history.filter(uuid=row.pk).update(
                learner_email=row.learner_email, learner_email_folded=row.learner_email, identity=row.identity
            )
        LinkRequest.objects.filter(pk__in=[row.pk for row in rows]).delete()
        return len(rows)


def forget_learner(*, lms_user_id: int, now: datetime) -> dict[str, int]:
    """Take a learner out of the assignments; return how many rows changed, by table. Money and states stay."""
    with transaction.atomic():
        ids = list(Assignment.objects.filter(lms_user_id=lms_user_id).values_list("pk", flat=True))
        clear_emails(ids, now=now)
        histories = Assignment.history.filter(lms_user_id=lms_user_id).update(lms_user_id=None)
        changed = Assignment.objects.filter(pk__in=ids).update(lms_user_id=None)
        Assignment.objects.filter(admin_lms_user_id=lms_user_id).update(admin_lms_user_id=None)
        Assignment.history.filter(admin_lms_user_id=lms_user_id).update(admin_lms_user_id=None)
        LearnerContentAssignmentAction.objects.filter(actor_lms_user_id=lms_user_id).update(actor_lms_user_id=None)
        return {"assignments": changed, "history of assignments": histories}
