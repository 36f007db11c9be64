"""A consumer that hangs in the middle of its transaction, after its rows are written: to be killed there.

    python -m tests.events.dying_consumer TOPIC FILE

FILE is written when it hangs. For tests only.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import django

django.setup()

from openedx_events.learning.signals import SESSION_LOGIN_COMPLETED  # noqa: E402

from enterprise_access.apps.customers.models import LearnerSighting  # noqa: E402
from enterprise_access.events.consumer import DurableRedisConsumer  # noqa: E402
from enterprise_access.events.handling import Event, handles  # noqa: E402

topic, hanging = sys.argv[1], Path(sys.argv[2])


@handles(SESSION_LOGIN_COMPLETED)
def hang(events: Sequence[Event]) -> None:
    """Say so, and hang."""
    hanging.write_text(str(LearnerSighting.objects.count()))
    time.sleep(60)


DurableRedisConsumer(topic=topic, group_id="enterprise-access", consumer_name="dying").consume_indefinitely()
