"""Which failed reads are repeated, and after which pause."""

import random

import tenacity

from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable


def is_worth_repeating(error: BaseException) -> bool:
    """Say whether a read that failed with this error may be sent again."""
    if not isinstance(error, UpstreamUnavailable):
        return False
    if error.reason is UpstreamReason.SERVER_ERROR:
        return error.status in {502, 503, 504}
    # Not after a time-out: the upstream service is busy enough, and the caller has waited enough.
    return error.reason in {UpstreamReason.CONNECTION, UpstreamReason.THROTTLED}


def pause_seconds(state: tenacity.RetryCallState) -> float:
    """Return the pause before the next attempt: what the service asked for, plus a little to spread the callers."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_seconds if isinstance(error, UpstreamUnavailable) else None
    if asked is None and isinstance(error, UpstreamUnavailable) and error.reason is UpstreamReason.THROTTLED:
        asked = 1.0
    spread: float = random.uniform(0.05, 0.2) * 2 ** (state.attempt_number - 1)  # noqa: S311 (it spreads load)
    return (asked or 0.0) + spread
