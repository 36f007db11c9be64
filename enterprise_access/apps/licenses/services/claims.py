"""One page load at a time sees to a learner's licenses, whatever processes and machines the others run on.

The database says who, so that a lost cache changes nothing. It is claimed, then license-manager is called, then it is
written down how that ended: three short statements, and no transaction across the network.
"""

import time
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.licenses.models import LicenseClaim
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks

# The pauses between looks for whether another page load is done.
FIRST_PAUSE_SECONDS: Final = 0.05
LAST_PAUSE_SECONDS: Final = 0.2
# How far the clocks of two machines of ours may be apart.
CLOCKS_DIFFER: Final = timedelta(seconds=10)


@frozen(kw_only=True)
class Claim:
    """The right to call license-manager for a learner. `previous_ended_at` None: no one had it before."""

    pk: int
    token: UUID
    is_taken_over: bool
    previous_ended_at: datetime | None

    def still_holds(self, read_at: datetime) -> bool:
        """Say whether what was read at that time cannot have been changed by another page load since."""
        if self.is_taken_over:
            return False
        return self.previous_ended_at is None or self.previous_ended_at < read_at - CLOCKS_DIFFER


@frozen(kw_only=True)
class Held:
    """Nobody else may try now. `problem` empty: another page load is at it; else what went wrong a moment ago."""

    problem: str


@retry_deadlocks
def take_claim(*, customer_uuid: UUID, lms_user_id: int, now: datetime) -> Claim | Held:
    """Claim the learner, unless somebody else has."""
    row, _ = LicenseClaim.objects.get_or_create(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    if row.held_until is not None and row.held_until >= now:
        return Held(problem=row.problem)
    token = uuid4()
    # Exactly the row that was seen: of two who see it free, one finds it changed.
    as_seen = LicenseClaim.objects.filter(pk=row.pk, token=row.token, held_until=row.held_until, ended_at=row.ended_at)
    until = now + timedelta(seconds=settings.LICENSE_CLAIM_SECONDS)
    if not as_seen.update(token=token, held_until=until, problem=""):
        return Held(problem="")
    return Claim(pk=row.pk, token=token, is_taken_over=row.token is not None, previous_ended_at=row.ended_at)


@retry_deadlocks
def end_claim(claim: Claim, *, problem: str) -> None:
    """Give the claim back, if it is still ours. After a problem no one tries again for a while."""
    now = clock.now()
    pause = timedelta(seconds=settings.LICENSE_RETRY_SECONDS)
    LicenseClaim.objects.filter(pk=claim.pk, token=claim.token).update(
        token=None, held_until=now + pause if problem else None, problem=problem, ended_at=now
    )


def wait_until_done(*, customer_uuid: UUID, lms_user_id: int, ends_at: float) -> bool:
    """Wait for who is at work for the learner; say whether they are done before time.monotonic() is `ends_at`."""
    pause = FIRST_PAUSE_SECONDS
    mine = LicenseClaim.objects.of(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    while mine.at_work(clock.now()).exists():
        if time.monotonic() + pause >= ends_at:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_PAUSE_SECONDS)
    return True


@retry_deadlocks
def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Delete the claims of a learner; return how many rows went, by table."""
    return {str(LicenseClaim._meta.verbose_name): LicenseClaim.objects.filter(lms_user_id=lms_user_id).delete()[0]}
