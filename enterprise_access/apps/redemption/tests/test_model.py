"""Random days of learners, staff, other tools, outages and crashes: what always holds for money and enrollments, holds.

`MODEL_STEPS` makes the run longer (`make test-model`), `CREDIT_MODEL_SEED` repeats one.
"""

import os
from typing import Any

import pytest
import requests

from enterprise_access.apps.redemption.services.signals import attempt_ended
from enterprise_access.apps.redemption.tests.credit_day import Day, Sending
from enterprise_access.apps.redemption.tests.credit_promises import check_always, check_settled

STEPS = int(os.environ.get("MODEL_STEPS", "80"))
# So many steps come to every state that there is.
LONG = 10_000
SEEDS = [int(os.environ.get("CREDIT_MODEL_SEED", "1"))]


@pytest.fixture
def sending(monkeypatch: pytest.MonkeyPatch) -> Sending:
    """Let the day hear of every request that was answered, where the bytes come in."""
    wire, send = Sending(), requests.adapters.HTTPAdapter.send

    def heard(adapter: Any, request: Any, **options: Any) -> Any:
        answer = send(adapter, request, **options)
        wire.after(request)
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", heard)
    return wire


# A process that is killed leaves nothing of a transaction behind: that takes real transactions.
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_days_end_with_every_cent_and_every_enrollment_accounted_for(simulator, sending, tally, settings, seed):
    # Days are short here, so that assignments expire.
    settings.ASSIGNMENT_DAYS = 1
    day = Day(simulator, sending, seed)
    try:
        for number in range(STEPS):
            done = day.step()
            day.seen.look()
            try:
                check_always(day)
            except AssertionError as error:
                raise AssertionError(f"step {number} ({done}) of seed {seed}: {error}") from error
        day.settle()
        check_settled(day)
    finally:
        attempt_ended.disconnect(day._recording)
    day.seen.look()
    tally.of("test-model with credit").add(steps=STEPS, **day.seen.totals())
    print(f"steps={STEPS} seed={seed} seen={day.seen.words()}")  # noqa: T201 (shown with -s, for long runs)
    assert day.seen.counts["attempt: committed"] > 0
    assert STEPS < LONG or not day.seen.missing, f"the run never came to {day.seen.missing}"
