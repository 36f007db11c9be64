"""What default_enrollments does with events: enrollments that changed are taken over, and leavers noticed."""

from collections.abc import Sequence

from openedx_events.learning.signals import COURSE_ENROLLMENT_CHANGED, COURSE_UNENROLLMENT_COMPLETED

from enterprise_access.apps.customers.domain import EnrollmentChange
from enterprise_access.apps.default_enrollments.services.intentions.changes import take_over_changes
from enterprise_access.events.handling import Event, handles


@handles(COURSE_ENROLLMENT_CHANGED, COURSE_UNENROLLMENT_COMPLETED)
def take_over(events: Sequence[Event]) -> None:
    """Take over what became of enrollments. Of all that the event says about the learner, only the id is used."""
    take_over_changes(changes=[_change_of(event) for event in events])


def _change_of(event: Event) -> EnrollmentChange:
    enrollment = event.data["enrollment"]
    has_left = event.type == COURSE_UNENROLLMENT_COMPLETED.event_type
    return EnrollmentChange(
        lms_user_id=enrollment.user.id,
        course_run_key=str(enrollment.course.course_key),
        mode=enrollment.mode,
        is_active=enrollment.is_active and not has_left,
        at=event.at,
    )
