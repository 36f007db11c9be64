"""How the portal shows a learner's enrollments."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from attrs import field, frozen

_RUN_KEY_PREFIX: Final = "course-v1:"


class CourseProgress(StrEnum):
    """The groups of the dashboard, by the LMS's names. A progress that is new to us is shown in no group."""

    IN_PROGRESS = "in_progress"
    UPCOMING = "upcoming"
    COMPLETED = "completed"
    SAVED_FOR_LATER = "saved_for_later"


@frozen(kw_only=True)
class Due:
    """Something that is due in a course. The date is as the LMS wrote it."""

    name: str
    date: str
    url: str | None


@frozen(kw_only=True)
class ShownEnrollment:
    """One enrollment, by the portal's names. An address that is None or empty leads nowhere.

    The portal's own schema wants a text where the type here is one: what the LMS does not tell is empty.
    """

    course_run_id: str
    course_run_status: str
    course_key: str
    course_type: str
    title: str
    org_name: str
    mode: str
    pacing: str
    product_source: str
    micromasters_title: str | None
    created: datetime
    start_date: datetime | None
    end_date: datetime | None
    enroll_by: datetime | None
    is_enrollment_active: bool
    is_revoked: bool
    has_emails_enabled: bool
    notifications: tuple[Due, ...]
    resume_course_run_url: str | None
    link_to_course: str
    # Whoever has the address of a certificate may see it, so it is never written into a log.
    link_to_certificate: str | None = field(repr=False)

    @property
    def can_unenroll(self) -> bool:
        """Whether the portal offers to leave the course: not once there is a certificate to show for it."""
        return self.course_run_status in set(CourseProgress) and self.link_to_certificate is None


def group_by_progress(enrollments: Iterable[ShownEnrollment]) -> Mapping[str, list[ShownEnrollment]]:
    """Return the enrollments of each group, in their order; every group is there, an empty one too."""
    groups: dict[str, list[ShownEnrollment]] = {progress.value: [] for progress in CourseProgress}
    for enrollment in enrollments:
        if enrollment.course_run_status in groups:
            groups[enrollment.course_run_status].append(enrollment)
    return groups


def course_key_of(course_run_key: str) -> str:
    """Return the course key that a run key spells out (`course-v1:edX+DemoX+2026` is a run of `edX+DemoX`)."""
    return course_run_key.removeprefix(_RUN_KEY_PREFIX).rpartition("+")[0] or course_run_key
