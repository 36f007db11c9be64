"""One attempt in a worker's hands: the call to the ledger, and looks at what came of it.

What may have reached the ledger is never repeated blindly: `domain.settling` decides by what the ledger and the
platform show, and every call of an attempt carries the same key.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from attrs import define, field
from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from enterprise_access.apps.redemption.domain.settling import (
    MAX_CALLS,
    Asked,
    LedgerCall,
    Look,
    Next,
    RedemptionStep,
    is_success,
    redeem_next,
)
from enterprise_access.apps.redemption.domain.transactions import Transaction
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.ledger import Called, call_ledger, list_run, transaction_of
from enterprise_access.apps.redemption.services.platform import read_enrolled
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.lib import clock
from enterprise_access.lib.parallel import BackgroundCalls, Deferred
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import leases
from enterprise_access.lib.work.leases import Lease, LeaseLost
from enterprise_access.upstream.subsidy.types import LedgerTransaction

log = logging.getLogger(__name__)

# The ledger wrote nothing: such a call uses no try up.
_FREE_STATUSES: Final = frozenset({401, 403, 404, 429})
_LOCKED: Final = 429
# How often something else is done while a call takes its time.
_MEANWHILE_SECONDS: Final = 1.0


@define
class AttemptTurn:
    """One attempt in one worker's hands: the last call, and what a look showed since.

    `background` makes the call, so that the worker can do something else. `calling`: a call that has begun already.
    """

    lease: Lease[RedemptionAttempt]
    attempt: RedemptionAttempt
    background: BackgroundCalls
    calling: Deferred[Called] | None = None
    called: Called | None = None
    look: Look | None = None
    listed: list[LedgerTransaction] = field(factory=list)
    has_called: bool = False

    @property
    def asked(self) -> Asked:
        return Asked(
            lms_user_id=self.attempt.lms_user_id or 0,
            run_key=self.attempt.content_key,
            idempotency_key=str(self.attempt.uuid),
        )

    @classmethod
    def passed_on(cls, earlier: "AttemptTurn", *, to: RedemptionAttempt) -> "AttemptTurn | None":
        """Begin the call of an attempt that was never called, in the place of one whose call has ended.

        None: the attempt, or the account, is not free for it any more.
        """
        lease = leases.pass_on(earlier.lease, to=to, **_marks_of_call(clock.now()))
        if lease is None:
            return None
        (attempt,) = lease.items
        calling = earlier.background.start(partial(call_ledger, attempt))
        return cls(lease=lease, attempt=attempt, background=earlier.background, calling=calling)

    @property
    def is_paid_by_call(self) -> bool:
        """Whether the ledger answered that it paid, so that nothing else has to be asked."""
        return self.called is not None and is_success(asked=self.asked, call=self.called.call)

    def run(self, *, meanwhile: Callable[[], None]) -> RedemptionStep:
        """Return what is to be written down: at most one call, and at most one look before it and one after it.

        `meanwhile` is done when the ledger was called, and now and then until it answers. Raises LeaseLost.
        """
        if self.calling is None and self.attempt.first_called_at is not None:
            # What a worker before this one knew; without an answer, a look tells.
            status, code = self.attempt.last_status, self.attempt.last_code or None
            self.called = Called(call=LedgerCall(status=status, code=code))
        while True:
            step = self._next()
            if step.next is Next.LOOK:
                self._look()
            elif step.next is Next.SAME_KEY and not self.has_called:
                self._call(meanwhile)
            else:
                return step

    def _next(self) -> RedemptionStep:
        if self.called is None:
            return RedemptionStep(next=Next.SAME_KEY)
        left = MAX_CALLS - self.attempt.calls
        return redeem_next(asked=self.asked, call=self.called.call, look=self.look, calls_left=left)

    def _call(self, meanwhile: Callable[[], None]) -> None:
        """Write down that a call is made, make it, and write down what was answered."""
        calling = self.calling or self._begin_call()
        meanwhile()
        while not calling.is_there(within=_MEANWHILE_SECONDS):
            meanwhile()
        self.called, self.look, self.has_called = calling.future.result(), None, True
        if self.is_paid_by_call:
            # Recorded with the money, in one transaction.
            return
        self._note_answer(self.called.call)

    def _begin_call(self) -> Deferred[Called]:
        now = clock.now()
        self._update(**_marks_of_call(now), leased_until=now + timedelta(seconds=QUEUE.lease_seconds))
        return self.background.start(partial(call_ledger, self.attempt))

    def _note_answer(self, call: LedgerCall) -> None:
        is_free = call.status in _FREE_STATUSES
        if is_free and call.status != _LOCKED:
            log.warning(
                "enterprise-subsidy could not be called, or did not let us in. attempt=%s status=%s",
                self.attempt.uuid,
                call.status,
            )
        self._update(calls=F("calls") - int(is_free), last_status=call.status, last_code=(call.code or "")[:100])
        self.attempt.refresh_from_db()

    def _look(self) -> None:
        if not self.lease.renew():
            raise LeaseLost
        rows = list_run(self.attempt)
        self.listed = rows or []
        called_at = self.attempt.last_called_at or clock.now()
        self.look = Look(
            transactions=None if rows is None else [found for row in rows if (found := transaction_of(row))],
            enrolled=read_enrolled(self.attempt),
            is_running_past_lms_limit=(clock.now() - called_at).total_seconds() > settings.REDEEM_RUNNING_LIMIT_SECONDS,
        )

    @retry_deadlocks
    def _update(self, **columns: object) -> None:
        held = RedemptionAttempt.objects.filter(pk=self.attempt.pk, lease_token=self.lease.token)
        if not held.update(**columns):
            raise LeaseLost

    def paying_row(self, reservation: ReservationState) -> LedgerTransaction:
        """Return the transaction that a committed attempt is recorded with."""
        candidates = [*([self.called.row] if self.called and self.called.row else []), *self.listed]
        ours = [row for row in candidates if row.idempotency_key == str(self.attempt.uuid)]
        others = [row for row in candidates if row.idempotency_key != str(self.attempt.uuid)]
        preferred = ours if reservation is ReservationState.SPENT else [*_committed(ours), *others]
        return _committed(preferred)[0]


def _marks_of_call(now: datetime) -> dict[str, Any]:
    """Return the columns that say that a call is made."""
    return {
        "calls": F("calls") + 1,
        "first_called_at": Coalesce("first_called_at", Value(now)),
        "last_called_at": now,
        "last_status": None,
        "last_code": "",
    }


def _committed(rows: list[LedgerTransaction]) -> list[LedgerTransaction]:
    def is_committed(found: Transaction | None) -> bool:
        return found is not None and (found.is_success or found.is_reversed)

    # What still pays comes before what was given back.
    found = [row for row in rows if is_committed(transaction_of(row))]
    return sorted(found, key=lambda row: row.reversal is not None)
