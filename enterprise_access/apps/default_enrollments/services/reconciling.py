"""Comparing realizations with the platform: nobody tells us when a license is revoked, or an event got lost."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from enterprise_access.apps.customers.domain import Learner
from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.customers.services import read_enrollments, refresh_learners
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Realization, Trigger
from enterprise_access.apps.default_enrollments.selectors.past import list_realizations
from enterprise_access.apps.default_enrollments.services.learners.ending import ASKED_FOR, ask_why_ended, find_questions
from enterprise_access.apps.default_enrollments.services.learners.noticing import notice_changes
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)


# The platform answers for so many learners a call.
LEARNERS_PER_CALL = 100
ROWS_PER_LEARNER = 5
# How long to wait before a reason that is not known is asked for again.
ASKED_AGAIN = timedelta(minutes=5)


def reconcile(*, limit: int) -> None:
    """Compare the realizations of at most `limit` learners with the platform, the longest uncompared first.

    Those who left for a reason that is not known yet come before them. Learners who were downgraded are evaluated: they
    may have another license by now. Raises UpstreamError when the platform cannot be asked; what was not compared stays
    first in line.
    """
    by_customer: dict[UUID, list[int]] = {}
    for customer_uuid, lms_user_id in _list_longest_uncompared(limit):
        by_customer.setdefault(customer_uuid, []).append(lms_user_id)
    for customer_uuid, ids in by_customer.items():
        for start in range(0, len(ids), LEARNERS_PER_CALL):
            _compare_all(customer_uuid, ids[start : start + LEARNERS_PER_CALL])


def _list_longest_uncompared(limit: int) -> list[tuple[UUID, int]]:
    """Return those who left for a reason that is not known yet, and then the first in the order of `compared_at`.

    Both are read off the index of `compared_at`, whatever the table's size.
    """
    now = clock.now()
    unexplained = Realization.objects.filter(
        left_reason=Reason.ENROLLMENT_ENDED, left_at__gt=now - ASKED_FOR, compared_at__lt=now - ASKED_AGAIN
    )
    found: dict[tuple[UUID, int], None] = {}
    for rows in (unexplained, Realization.objects.filter(left_at=None)):
        read = rows.order_by("compared_at").values_list("intention__customer_id", "lms_user_id")
        # A learner has few realizations, so a few times the limit is enough; who is left out is first the next time.
        for pair in read[: limit * ROWS_PER_LEARNER]:
            if len(found) == limit:
                break
            found[pair] = None
    return list(found)


def _compare_all(customer_uuid: UUID, lms_user_ids: Sequence[int]) -> None:
    """Compare some learners. Those of whom the answer cannot be read wait for the next round, and hold up nobody."""
    try:
        _compare(customer_uuid, lms_user_ids)
    except UpstreamChanged as error:
        if error.reason is not UpstreamReason.UNKNOWN_SHAPE:
            raise
        log.warning("Learners cannot be compared. learners=%d reason=%s", len(lms_user_ids), error.reason)
        _note_compared(customer_uuid, lms_user_ids, clock.now())


@retry_deadlocks
def _note_compared(customer_uuid: UUID, lms_user_ids: Collection[int], at: datetime) -> None:
    mine = Realization.objects.filter(intention__customer_id=customer_uuid, lms_user_id__in=lms_user_ids)
    # (MySQL does not change the table that it reads.)
    Realization.objects.filter(pk__in=list(mine.values_list("pk", flat=True))).update(compared_at=at)


def _compare(customer_uuid: UUID, lms_user_ids: Sequence[int]) -> None:
    started_at = clock.now()
    learners = list_learners(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids)
    enrollments = read_enrollments(learners=learners.values(), is_patient=False).enrollments
    if enrollments.unknown:
        log.warning("Learners cannot be compared: rows are unreadable. learners=%d", len(enrollments.unknown))
        _note_compared(customer_uuid, enrollments.unknown, started_at)
    known = set(lms_user_ids) - enrollments.unknown
    realizations = list_realizations(customer_uuid=customer_uuid, lms_user_ids=known)
    learners = _with_emails(customer_uuid, learners, realizations)
    rows = [row for rows in realizations.values() for row in rows]
    were_downgraded = {row.pk for row in rows if row.downgraded_at}
    questions = find_questions(learners, enrollments, realizations, in_scope=frozenset())
    enterprise = ask_why_ended(customer_uuid, learners, questions)
    notice_changes(realizations.values(), enrollments, enterprise, now=started_at)
    _note_compared(customer_uuid, known, started_at)
    newly_downgraded = {row.lms_user_id for row in rows if row.downgraded_at and row.pk not in were_downgraded}
    if newly_downgraded:
        request_realization(
            customer_uuid=customer_uuid,
            lms_user_ids=newly_downgraded,
            trigger=Trigger.RECONCILIATION,
            now=clock.now(),
        )


def _with_emails(
    customer_uuid: UUID,
    learners: dict[int, Learner],
    realizations: Mapping[int, tuple[Realization, ...]],
) -> dict[int, Learner]:
    """Return the learners with the addresses of those for whom licenses may have to be looked up: they are not kept."""
    unexplained = [
        lms_user_id
        for lms_user_id, rows in realizations.items()
        if any(row.left_reason == Reason.ENROLLMENT_ENDED for row in rows)
    ]
    if not unexplained:
        return learners
    return {**learners, **refresh_learners(customer_uuid=customer_uuid, lms_user_ids=unexplained)}
