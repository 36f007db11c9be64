"""course-discovery: types of courses and runs, and what courses have. Optional: an installation may have none.

The types are no resource of its API. They come with the description of what may be put into a course (OPTIONS), only
for who may change that course, and without those that are restricted to organizations unless the caller is staff.
"""

from collections.abc import Sequence
from typing import Final

from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.apart import read_apart
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.discovery.types import CourseRecord, TypeOption, key_of_course, read_type_options
from enterprise_access.upstream.paging import all_rows, in_pieces, joined, numbered_pages, page_of
from enterprise_access.upstream.rights import need_staff

_COURSES: Final = "/api/v1/courses/"
_PAGE_SIZE: Final = ("page_size", "100")
# Drafts as well: a course that is being written has a type, too.
_EDITABLE: Final = ("editable", "1")
_READ_COURSES: Final = page_of(CourseRecord, key=key_of_course)


class DiscoveryClient(ServiceClient):
    """Asks course-discovery as our worker account.

    Every method raises UpstreamUnavailable (time-out, 5xx: later), UpstreamRefused (4xx, or malformed input that was
    not sent: never again) or UpstreamChanged (unknown shape: alert).
    """

    def list_type_options(self, *, course_key: str) -> tuple[TypeOption, ...]:
        """Return the types that a course may be given: every one that is neither empty nor retired.

        `course_key` is any course. Raises UpstreamRefused (`forbidden`) when our account may not change it, or is not
        staff: then types that are restricted to organizations would be missing without a word.
        """
        answer = self.transport.options("/api/v1/courses/{}/", self._checked.content_key(course_key))
        options = answer.read(read_type_options)
        if options is None:
            service, why = self.transport.service, "our account may not change the course, whose types it is not told"
            raise UpstreamRefused(f"{service}: {why}", service=service, reason=UpstreamReason.FORBIDDEN)
        # Types that are restricted to organizations are left out without a word.
        need_staff(self.transport)
        return options

    def list_courses(self, *, course_keys: Sequence[str] = ()) -> Rows[CourseRecord]:
        """Return courses with their runs: those with these keys (unknown ones are absent), or all without any."""

        def read(keys: Sequence[str]) -> Rows[CourseRecord]:
            # The keys are one value, with commas between them.
            named = [("keys", ",".join(keys))] if keys else []
            return all_rows(numbered_pages(self._ask(_COURSES), [*named, _EDITABLE, _PAGE_SIZE], _READ_COURSES))

        keys = self._checked.content_keys(course_keys)
        pieces = in_pieces(keys) if keys else ((),)
        answer = joined(read_apart(piece, read, call=f"GET {_COURSES}") for piece in pieces)
        return Rows({record.key: record for record in answer}.values(), answer.unreadable)
