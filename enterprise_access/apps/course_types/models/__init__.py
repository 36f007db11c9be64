"""The types of courses and runs, what they are made of, and which course and run has which.

Rows hold the facts; what follows from them is said by `domain`, of the same facts as one value (`selectors.get_graph`).
A change that makes them impossible is refused when a row is saved, and where the database can tell, by the database.
"""

from enterprise_access.apps.course_types.models.courses import Source, TypedCourse, TypedCourseRun
from enterprise_access.apps.course_types.models.kinds import TypeOrigin
from enterprise_access.apps.course_types.models.tracks import Mode, SeatType, Track
from enterprise_access.apps.course_types.models.types import (
    CourseRunType,
    CourseRunTypeTrack,
    CourseType,
    CourseTypeRunType,
)

__all__ = [
    "CourseRunType",
    "CourseRunTypeTrack",
    "CourseType",
    "CourseTypeRunType",
    "Mode",
    "SeatType",
    "Source",
    "Track",
    "TypeOrigin",
    "TypedCourse",
    "TypedCourseRun",
]
