"""Taking open attempts one step on: call, look, record (learner-credit, part 6). For workers only.

The ledger serves one call for an account at a time, so it must not wait for us: the next attempt is called at once, and
what the last call brought is recorded meanwhile.
"""

import logging
import time
from datetime import timedelta
from typing import Final
from uuid import UUID

from attrs import define
from django.conf import settings

from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.redemption.domain.settling import Next, RedemptionStep
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services import recording
from enterprise_access.apps.redemption.services.ledger import news_of
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.redemption.services.turns import AttemptTurn
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.lib import clock, jobs
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.http import deadline
from enterprise_access.lib.parallel import BackgroundCalls
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.work import leases, waking
from enterprise_access.lib.work.leases import LeaseLost, Settlement
from enterprise_access.lib.work.pace import ROUND_SECONDS

log = logging.getLogger(__name__)

# An attempt that is open for so long after its first call is left to staff.
GIVE_TO_STAFF_AFTER: Final = timedelta(hours=24)


def work_on_attempts() -> int:
    """Take due attempts on for a while, accounts in turn; return how many."""
    return waking.work(QUEUE, _one_round, limit=1)


def _one_round(subsidy_uuid: UUID, limit: int) -> int:
    rows = QUEUE.rows().filter(subsidy_uuid=subsidy_uuid)
    lease = leases.take(QUEUE, limit=limit, rows=rows)
    if not lease.items:
        return 0
    if waking.list_due_groups(QUEUE):
        # Other accounts need not wait for this one's call.
        waking.wake(QUEUE)
    with BackgroundCalls(limit=1, name="ledger") as background:
        serving = _Serving(subsidy_uuid=subsidy_uuid, ends_at=time.monotonic() + ROUND_SECONDS)
        return serving.run(AttemptTurn(lease=lease, attempt=lease.items[0], background=background))


@define
class _Serving:
    """One worker's round on one account. `candidate`: the attempt to be called next. `following`: it was called."""

    subsidy_uuid: UUID
    ends_at: float
    candidate: RedemptionAttempt | None = None
    following: AttemptTurn | None = None

    def run(self, turn: AttemptTurn | None) -> int:
        """Take attempts on, one after the other, until the round is over; return how many."""
        done = 0
        failed: Exception | None = None
        while turn is not None:
            self.following = None
            try:
                with leases.holding(turn.lease):
                    self._advance(turn)
            except Exception as error:
                if self.following is None:
                    raise
                # The call that has begun meanwhile is not cut off, and is the last one.
                failed, self.ends_at = error, time.monotonic()
            turn, done = self.following, done + 1
        if failed is not None:
            raise failed
        return done

    def _advance(self, turn: AttemptTurn) -> None:
        """Call or look, as far as it takes, and write down what follows. A lost lease ends it, and records nothing."""
        self.candidate = None
        try:
            step = turn.run(meanwhile=self._choose)
        except LeaseLost:
            return
        if turn.is_paid_by_call and turn.look is None and self.candidate is not None and self._may_go_on():
            self.following = AttemptTurn.passed_on(turn, to=self.candidate)
        _record(turn, step)

    def _may_go_on(self) -> bool:
        return time.monotonic() < self.ends_at and not is_stopping()

    def _choose(self) -> None:
        """Choose the attempt that is called next, unless another account has to have its turn."""
        self.candidate = None
        found = leases.first_in_line(QUEUE.rows().filter(subsidy_uuid=self.subsidy_uuid))
        if found is None or found.first_called_at is not None:
            # One that was called before is looked at first.
            return
        if waking.is_other_due(QUEUE, self.subsidy_uuid, priority=found.priority):
            waking.wake(QUEUE)
        else:
            self.candidate = found


def _record(turn: AttemptTurn, step: RedemptionStep) -> None:
    attempt, token = turn.attempt, turn.lease.token
    if step.next is Next.COMMITTED:
        row = turn.paying_row(step.reservation)
        recording.commit(attempt_uuid=attempt.uuid, news=news_of(row, attempt), reservation=step.reservation)
    elif step.next is Next.REFUSED:
        if step.reason is CreditReason.PRICE_CHANGED:
            log.error("The ledger refused the price that was held. attempt=%s", attempt.uuid)
            _read_price_again(attempt)
        recording.refuse(
            attempt_uuid=attempt.uuid, reason=step.reason or CreditReason.ENROLLMENT_FAILED, lease_token=token
        )
    elif step.next is Next.DEAD or _is_too_old(attempt):
        recording.mark_dead(attempt_uuid=attempt.uuid, lease_token=token)
    else:
        _try_later(turn, step)


def _read_price_again(attempt: RedemptionAttempt) -> None:
    """Ask the catalog for the run, so that whoever sees the refusal is shown, and asks for, the price of today."""
    keys = filter(None, (attempt.content_key, attempt.course_key))
    try:
        with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS):
            refresh_content(customer_uuid=attempt.customer_uuid, content_keys=keys)
    except UpstreamError:
        # Logged where it failed. The copy ages, and the next attempt is refused like this one until then.
        return


def _is_too_old(attempt: RedemptionAttempt) -> bool:
    return clock.now() - (attempt.first_called_at or attempt.created) > GIVE_TO_STAFF_AFTER


def _try_later(turn: AttemptTurn, step: RedemptionStep) -> None:
    attempt = turn.attempt
    failures = attempt.failures + 1
    pause = QUEUE.back_off.pause(failures)
    state = AttemptState.IN_DOUBT if attempt.calls else AttemptState.SENDING
    settlement = Settlement(
        item=attempt,
        due_at=clock.now() + pause,
        waiting_for=step.next.value,
        failures=failures,
        columns={"state": state.value},
    )
    leases.settle(turn.lease, [settlement])
    if pause.total_seconds() < settings.SWEEP_SECONDS:
        # A learner may wait for it, and the sweep would be later.
        jobs.send(QUEUE.job, countdown=pause.total_seconds())
