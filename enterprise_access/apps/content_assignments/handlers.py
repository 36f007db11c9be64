"""What assignments do with events: who logs in or registers gets the assignments that were made to their address."""

from collections.abc import Sequence

from openedx_events.learning.signals import SESSION_LOGIN_COMPLETED, STUDENT_REGISTRATION_COMPLETED

from enterprise_access.apps.content_assignments.services.people import see_learners
from enterprise_access.events.handling import Event, handles
from enterprise_access.lib import clock


@handles(SESSION_LOGIN_COMPLETED, STUDENT_REGISTRATION_COMPLETED)
def note_people(events: Sequence[Event]) -> None:
    """Compare the addresses of these learners with those of assignments without an account. No address is kept."""
    people = [event.data["user"] for event in sorted(events, key=lambda event: event.at)]
    see_learners({user.id: user.pii.email for user in people if user.pii.email}, clock.now())
