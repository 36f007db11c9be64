"""The queue of open attempts (lib/work): one call at a time for each account, in order."""

from datetime import timedelta
from typing import Final

from django.conf import settings

from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.lib.work.queues import BackOff, Exclusive, Queue

REDEEM_JOB: Final = "redemption.redeem_due"

# A lease lasts for one call, and a little for what is written after it: a worker that dies holds its account no longer.
_RECORDING_SECONDS: Final = 15

# The ledger refuses a second call for an account while one runs, so an account has one lease.
QUEUE = Queue(
    name="redemption.attempts",
    model=RedemptionAttempt,
    job=REDEEM_JOB,
    group="subsidy_uuid",
    lease_seconds=int(settings.REDEEM_READ_TIMEOUT_SECONDS) + _RECORDING_SECONDS,
    back_off=BackOff(first=timedelta(seconds=1), last=timedelta(minutes=5)),
    exclusive=Exclusive(column="leased_subsidy_uuid", key="subsidy_uuid"),
)
