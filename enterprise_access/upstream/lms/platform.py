"""The platform's enrollment API: all enrollments, and the modes of runs. Contract: recordings/edx-platform."""

from collections.abc import Sequence
from typing import Final

from enterprise_access.lib.rows import Rows, UnreadableRow
from enterprise_access.lib.structure import reader
from enterprise_access.upstream.absence import is_absence
from enterprise_access.upstream.apart import read_apart
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.lms.types import PlatformEnrollmentRecord, RunModesRecord, key_of_enrollment
from enterprise_access.upstream.paging import all_rows, cursor_pages, in_pieces, joined, page_of

_ENROLLMENT: Final = "/api/enrollment/v1"


class PlatformClient(ServiceClient):
    """Asks the platform as our worker account. Raises what LmsClient raises."""

    def list_platform_enrollments(self, *, usernames: Sequence[str]) -> Rows[PlatformEnrollmentRecord]:
        """Return all enrollments of these learners, active or not, whoever made them.

        A learner without enrollments and a username that no one has look the same: no rows. The key of an unreadable
        enrollment is the username; that of a name that cannot be sent, too.
        """
        asked = dict.fromkeys(usernames)
        names = [name for name in asked if self._checked.is_username(name)]
        unsendable = [UnreadableRow(problem="cannot be sent", key=name) for name in asked.keys() - set(names)]
        path = f"{_ENROLLMENT}/enrollments"

        read_page = page_of(PlatformEnrollmentRecord, key=key_of_enrollment)

        def read(piece: Sequence[str]) -> Rows[PlatformEnrollmentRecord]:
            return all_rows(cursor_pages(self._ask(path), [("username", ",".join(piece))], read_page))

        answer = joined(read_apart(piece, read, call=f"GET {path}") for piece in in_pieces(names))
        return Rows(answer, [*answer.unreadable, *unsendable])

    def get_run_modes(self, *, course_run_key: str) -> RunModesRecord | None:
        """Return modes and window of a run; None when the platform does not know it."""
        answer = self.transport.get(
            f"{_ENROLLMENT}/course/{{}}",
            self._checked.run_key(course_run_key),
            params=[("include_expired", "1")],
            expect=(200, 400),
        )
        if is_absence(answer, status=400, key="message", starts_with="No course found"):
            return None
        return answer.read(reader(RunModesRecord))
