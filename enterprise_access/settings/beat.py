"""How beat sends tasks."""

from typing import Any, Final

from celery.schedules import schedule

from enterprise_access.settings.reading import Environment

env = Environment()

# What beat sends is dropped by a worker after so long. Clocks of machines differ, so this is never short.
BEAT_EXPIRES_SECONDS: Final = 60 * 60
# --- Beat ---------------------------------------------------------------------------------------------------------

# How often beat looks for due work that no worker has taken, for example because a message was lost.
SWEEP_SECONDS = env.int("SWEEP_SECONDS", default=30)


def every(seconds: int, task: str, *, expires: int | None = BEAT_EXPIRES_SECONDS) -> dict[str, Any]:
    """Return beat's entry of a task that is sent every so many seconds. `expires` None: it is never dropped."""
    entry: dict[str, Any] = {"task": task, "schedule": schedule(run_every=seconds)}
    return entry if expires is None else {**entry, "options": {"expires": expires}}
