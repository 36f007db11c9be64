"""A rate of calls that all processes keep together: evenly spaced, with room for a short burst.

The state is one row with one number, and taking a turn is one conditional UPDATE (the "generic cell rate algorithm"):
each turn moves the number one interval ahead, and a turn is refused while it is more than the burst ahead of the clock.
So the calls of any minute are at most `per_minute + burst`, whichever process makes them, and a cache that is away
changes nothing. A cache also could not space calls: its times to live are whole seconds.
"""

from typing import Final

from attrs import frozen
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, F, Q, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Greatest

from enterprise_access.apps.customers.models import CallPace
from enterprise_access.lib import clock, metrics
from enterprise_access.lib.transactions import retry_deadlocks

_MINUTE_MS: Final = 60_000
# No pause is longer. A number further ahead was written by a process whose clock is wrong, and is not believed.
_LONGEST_PAUSE_MS: Final = 15 * _MINUTE_MS


@frozen(kw_only=True)
class Pace:
    """About `per_minute` turns a minute (0: no limit), of which up to `burst` may follow each other at once."""

    name: str
    per_minute: int
    burst: int

    def take(self, *, leave: int = 0) -> bool:
        """Take a turn if there is one; never waits. `leave`: how many turns of the burst to leave to others."""
        if self.per_minute == 0 or self._take(leave):
            return True
        metrics.RATE_USED_UP.labels(self.name).inc()
        return False

    @retry_deadlocks
    def _take(self, leave: int) -> bool:
        now, interval = _now_ms(), _MINUTE_MS // self.per_minute
        latest = now + max(self.burst - 1 - leave, 0) * interval
        mine = CallPace.objects.filter(name=self.name)
        free = mine.filter(Q(used_until_ms__lte=latest) | Q(used_until_ms__gt=now + _LONGEST_PAUSE_MS + _MINUTE_MS))
        return bool(free.update(used_until_ms=_after(now, interval))) or (
            not mine.exists() and self._begin(now + interval)
        )

    @retry_deadlocks
    def charge(self, *, turns: int) -> None:
        """Count calls that were made beside the turn that was taken, such as further pages of an answer."""
        if self.per_minute and turns > 0:
            mine = CallPace.objects.filter(name=self.name)
            mine.update(used_until_ms=F("used_until_ms") + turns * (_MINUTE_MS // self.per_minute))

    def pause(self, *, seconds: float) -> None:
        """Refuse turns for so long: the service has asked for it."""
        if self.per_minute:
            self._pause(seconds)

    @retry_deadlocks
    def _pause(self, seconds: float) -> None:
        now, interval = _now_ms(), _MINUTE_MS // self.per_minute
        # A full burst ahead of the end of the pause: afterwards turns come one by one.
        until = now + min(int(seconds * 1000), _LONGEST_PAUSE_MS) + self.burst * interval
        mine = CallPace.objects.filter(name=self.name)
        if not mine.exists() and self._begin(until):
            return
        mine.filter(used_until_ms__lt=until).update(used_until_ms=until)

    def _begin(self, used_until_ms: int) -> bool:
        """Write the row that is missing; False when another process was faster."""
        try:
            with transaction.atomic():
                CallPace.objects.create(name=self.name, used_until_ms=used_until_ms)
        except IntegrityError:
            return False
        return True


def _after(now: int, interval: int) -> CombinedExpression:
    """Return one interval after what is used up, or after now if that is later or the number is not believed."""
    begin = Value(now, output_field=BigIntegerField())
    unbelieved = When(used_until_ms__gt=now + _LONGEST_PAUSE_MS + _MINUTE_MS, then=begin)
    return Case(unbelieved, default=Greatest(F("used_until_ms"), begin)) + interval


def _now_ms() -> int:
    return int(clock.now().timestamp() * 1000)
