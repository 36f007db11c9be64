"""Rate limits: sliding windows, off unless the world's quirk is switched on. Each service names its own rates."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime

from attrs import frozen


@frozen(kw_only=True)
class Rate:
    calls: int
    seconds: int


class Throttles:
    """Who called when. A refused call does not count."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], deque[float]] = {}

    def seconds_to_wait(self, *, scope: str, who: str, rates: tuple[Rate, ...], now: datetime) -> int | None:
        """Count one call, and return None; or the seconds to wait, where a rate is used up."""
        at, calls = now.timestamp(), self._calls.setdefault((scope, who), deque(maxlen=1000))
        waits = [_wait(calls, rate, at) for rate in rates]
        if any(waits):
            return max(1, math.ceil(max(waits)))
        calls.append(at)
        return None


def _wait(calls: deque[float], rate: Rate, at: float) -> float:
    """Return how long until the window of the rate has room again; 0 if it has."""
    recent = [call for call in calls if at - call < rate.seconds]
    return recent[-rate.calls] + rate.seconds - at if len(recent) >= rate.calls else 0.0
