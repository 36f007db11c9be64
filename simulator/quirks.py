"""Ways in which the real services misbehave now and then: switched on by a test, off by default."""

from __future__ import annotations

from attrs import define, field


@define(kw_only=True)
class Quirks:
    """Switches of the world. `has_throttles` turns the upstream services' rate limits on."""

    has_throttles: bool = False
    # A 500 of the bulk enrollment keeps the items handled before the crash, as a server without ATOMIC_REQUESTS does.
    keeps_work_before_crash: bool = False
    # This many of the next auto-applies by other learners are told the license that was applied last: no row lock.
    auto_apply_collisions: int = 0
    # This many of the next redemptions find their ledger locked.
    ledger_locks: int = 0
    # How the LMS answers the ledger's next calls, one each: a status such as "503", or a value of ledger.LmsAnswer.
    ledger_lms_answers: list[str] = field(factory=list)
