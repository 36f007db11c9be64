"""Assignments expire: in batches, by id, in bounded memory."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import field, frozen
from django.conf import settings
from django.db.models import QuerySet

from enterprise_access.apps.content_assignments.domain.expiring import (
    Expiration,
    ExpirationCase,
    ExpirationReason,
    expiration,
)
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.services.contents import fetch_assigned
from enterprise_access.apps.subsidy_access_policies.services import refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.allocations import find_being_redeemed, list_budgets
from enterprise_access.lib.transactions import is_lost, retry_deadlocks

log = logging.getLogger(__name__)

BATCH: Final = 500
# Accounts end years ahead: a copy of yesterday tells the same.
_ACCOUNT_AGE: Final = timedelta(days=1)


@frozen(kw_only=True)
class Expired:
    """What one run of the job did, or would do. `held_up`: due, but being redeemed, or not to be judged."""

    judged: int = 0
    expired: int = 0
    held_up: int = 0
    uuids: tuple[UUID, ...] = field(default=(), repr=False)


def expire_due(*, now: datetime, is_dry_run: bool = False, batch: int = BATCH) -> Expired:
    """Expire every allocated assignment whose date has passed, and bring the shown dates of the others up to date.

    A row that cannot be judged waits for the next run and stops no other.
    """
    total = Expired()
    for rows in batches(Assignment.objects.filter(state=AssignmentState.ALLOCATED.value), batch):
        verdicts = judge(rows, now=now)
        due = {row.pk: verdicts[row.pk] for row in rows if row.pk in verdicts and verdicts[row.pk].is_due}
        done = len(due) if is_dry_run else _expire(due, now)
        if not is_dry_run:
            _note_dates([row for row in rows if row.pk not in due], verdicts, now)
        total = Expired(
            judged=total.judged + len(rows),
            expired=total.expired + done,
            held_up=total.held_up + len(due) - done + len(rows) - len(verdicts),
            uuids=(*total.uuids, *due) if is_dry_run else (),
        )
    return total


def batches(query: QuerySet[Assignment], size: int) -> Iterator[list[Assignment]]:
    """Yield rows by rising id: what ends meanwhile shifts no page."""
    last: UUID | None = None
    while rows := list((query if last is None else query.filter(pk__gt=last)).order_by("pk")[:size]):
        yield rows
        last = rows[-1].pk


def judge(rows: Sequence[Assignment], *, now: datetime) -> dict[UUID, Expiration]:
    """Return when assignments expire, by one question to the catalog for all; what cannot be judged is missing."""
    budgets = list_budgets({row.policy_uuid for row in rows})
    accounts = refresh_accounts({budget.subsidy_id for budget in budgets.values()}, max_age=_ACCOUNT_AGE, now=now)
    contents = fetch_assigned(rows, now=now)
    redeemed = find_being_redeemed([row.pk for row in rows])
    verdicts = {}
    for row in rows:
        budget = budgets.get(row.policy_uuid)
        account = accounts.get(budget.subsidy_id) if budget else None
        case = ExpirationCase(
            state=AssignmentState(row.state),
            is_attempt_open=row.pk in redeemed,
            allocated_at=row.allocated_at,
            days=settings.ASSIGNMENT_DAYS,
            # What was known of an account that cannot be asked now is still its end.
            subsidy_expiration=(account or budget.subsidy).expires_at if budget else None,
            late_redemption_allowed_until=budget.late_redemption_allowed_until if budget else None,
            content=contents.get(row.pk),
        )
        try:
            verdicts[row.pk] = expiration(case, now=now)
        except (ValueError, OverflowError, TypeError):
            log.exception("An assignment cannot be judged. assignment=%s", row.pk)
    return verdicts


def _expire(due: dict[UUID, Expiration], now: datetime) -> int:
    """Expire rows, those of one reason together; where one stands against it, each alone."""
    done = 0
    for reason in sorted({verdict.reason for verdict in due.values()}):
        uuids = [uuid for uuid, verdict in due.items() if verdict.reason is reason]
        done += _expire_together(uuids, reason, now)
    return done


def _expire_together(uuids: Sequence[UUID], reason: ExpirationReason, now: datetime) -> int:
    try:
        return len(transitions.expire(uuids, reason=reason, now=now))
    except Exception as error:
        if is_lost(error):
            raise
        if len(uuids) == 1:
            log.warning("An assignment waits with expiring. assignment=%s error=%s", uuids[0], type(error).__name__)
            return 0
    return sum(_expire_together([uuid], reason, now) for uuid in uuids)


@retry_deadlocks
def _note_dates(rows: Sequence[Assignment], verdicts: dict[UUID, Expiration], now: datetime) -> None:
    """Store dates that have changed: a run was moved, say. No history is written for that."""
    by_date: dict[tuple[datetime, str], list[UUID]] = {}
    for row in rows:
        verdict = verdicts.get(row.pk)
        if verdict is not None and (verdict.date, verdict.reason.value) != (row.expires_at, row.expires_because):
            by_date.setdefault((verdict.date, verdict.reason.value), []).append(row.pk)
    for (date, reason), uuids in by_date.items():
        wanted = Assignment.objects.filter(pk__in=uuids, state=AssignmentState.ALLOCATED.value)
        wanted.update(expires_at=date, expires_because=reason, modified=now)
