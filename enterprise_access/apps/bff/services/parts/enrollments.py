"""The learner's courses, as the LMS tells the learner. Only the dashboard shows them."""

from typing import Any

from enterprise_access.apps.bff.domain.enrollments import ShownEnrollment
from enterprise_access.apps.bff.domain.problems import ENROLLMENTS
from enterprise_access.apps.bff.selectors.portal import fetch_enrollments
from enterprise_access.apps.bff.services.load import AGAIN, CALLS, PageTarget
from enterprise_access.apps.bff.services.parts.base import Found, PagePart
from enterprise_access.lib.parallel import Deferred


class EnrollmentsPart(PagePart):
    """The active enrollments through the customer. `enrollments` absent: this page does not show them."""

    def start(self) -> None:
        self.calls = self._ask() if self.load.with_enrollments else None

    def finish(self, shown: PageTarget, found: Found) -> dict[str, Any]:
        if self.calls is None or not shown.is_linked:
            return {}
        return {"enrollments": self._answer(self.calls, CALLS)}

    def read_again(self) -> tuple[ShownEnrollment, ...] | None:
        """Read once more what an enrollment has changed. None: this page does not show them."""
        return self._answer(self._ask(), AGAIN) if self.load.with_enrollments else None

    def _ask(self) -> Deferred[tuple[ShownEnrollment, ...]]:
        token, customer_uuid = self.load.visitor.token, self.customer_uuid
        return self.load.start(lambda: fetch_enrollments(learner_token=token, customer_uuid=customer_uuid))

    def _answer(self, calls: Deferred[tuple[ShownEnrollment, ...]], share: float) -> tuple[ShownEnrollment, ...]:
        return self.load.part(ENROLLMENTS, lambda: calls.result(ends_at=self.load.at(share)), ())
