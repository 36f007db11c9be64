"""What customers does with events: learners who log in or register are noted."""

from collections.abc import Sequence
from datetime import datetime

from openedx_events.learning.signals import SESSION_LOGIN_COMPLETED, STUDENT_REGISTRATION_COMPLETED

from enterprise_access.apps.customers import services
from enterprise_access.events.handling import Event, handles


@handles(SESSION_LOGIN_COMPLETED, STUDENT_REGISTRATION_COMPLETED)
def note_sightings(events: Sequence[Event]) -> None:
    """Note that these learners were seen. Of all that the event says about them, only the id is used."""
    seen: dict[int, datetime] = {}
    for event in events:
        lms_user_id = event.data["user"].id
        seen[lms_user_id] = max(event.at, seen.get(lms_user_id, event.at))
    services.note_sightings(seen=seen)
