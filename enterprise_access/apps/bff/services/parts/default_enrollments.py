"""Default enrollments: how they stand for the learner, asking for what is missing, and waiting for it a little."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.bff.domain.enrollments import ShownEnrollment
from enterprise_access.apps.bff.domain.problems import REALIZATION, STATUS
from enterprise_access.apps.bff.selectors.remembered import note_in_vain, was_in_vain
from enterprise_access.apps.bff.services.load import AGAIN, CALLS, OWN, WAIT, PageTarget
from enterprise_access.apps.bff.services.parts.base import Found, PagePart, Parts
from enterprise_access.apps.bff.services.parts.enrollments import EnrollmentsPart
from enterprise_access.apps.content_metadata.selectors import fetch_content
from enterprise_access.apps.default_enrollments.domain.looking_again import RecheckEvent, is_woken_by
from enterprise_access.apps.default_enrollments.domain.shown import OwnEnrollment
from enterprise_access.apps.default_enrollments.domain.values import Bucket, Reason
from enterprise_access.apps.default_enrollments.selectors.past import list_intentions
from enterprise_access.apps.default_enrollments.services.learners.status import LearnerStatus, get_page_status
from enterprise_access.apps.default_enrollments.services.requests.asking import (
    AskedResult,
    EnrollmentStatus,
    Outcome,
    ask_for_realization,
)
from enterprise_access.apps.licenses.domain import OwnLicenses
from enterprise_access.lib.http.deadline import deadline
from enterprise_access.lib.parallel import Deferred, resolved


class DefaultEnrollmentsPart(PagePart):
    """The members `status` and `realizations`, and `enrollments` again after one was made. Only for linked learners."""

    def start(self) -> None:
        self._status: Deferred[LearnerStatus] | None = None

    def meanwhile(self) -> None:
        """Let the catalog be asked, while the LMS is, for what the status will need."""
        keys = [intention.content_key for intention in list_intentions(customer_uuid=self.customer_uuid)]
        fetch_content(customer_uuid=self.customer_uuid, content_keys=keys)

    def prepare(self, shown: PageTarget, parts: Parts) -> None:
        self._enrollments = enrollments = cast(EnrollmentsPart, parts[EnrollmentsPart])
        if shown.is_linked:
            own = self._own_enrollments(enrollments)
            self._status = resolved(lambda: self._get_status(own))

    @property
    def waits_for_others(self) -> bool:
        """Whether an enrollment may come, so that it is worth knowing first whether there is a license for it.

        Otherwise there is nothing to wait for: the status is told while the services are still answering.
        """
        status = None if self._status is None else self._status.peek()
        return status is not None and bool(status.in_bucket(Bucket.ENROLLABLE))

    def finish(self, shown: PageTarget, found: Found) -> dict[str, Any]:
        load, pending = self.load, self._status
        if pending is None:
            return {}
        status = load.part(STATUS, lambda: pending.result(ends_at=load.at(CALLS)), None)
        if status is not None and not status.intentions:
            return {"status": status}
        licenses = found.get("licenses")
        is_worth_waiting = self._is_worth_waiting(status, licenses)
        has_news = status is not None and _has_news(status, licenses)
        nothing: tuple[AskedResult, ...] = ()
        with deadline(load.at(WAIT)):
            results = load.part(REALIZATION, lambda: self._ask(is_worth_waiting, has_news), nothing)
        if status is None or not _newly_enrolled(status, results):
            return {"status": status, "realizations": results}
        return {"realizations": results, **self._read_again(status)}

    def _own_enrollments(self, enrollments: EnrollmentsPart) -> tuple[ShownEnrollment, ...] | None:
        """Return what the LMS tells the learner, if it does soon; the catalog is asked meanwhile."""
        if enrollments.calls is None:
            return None
        if not enrollments.calls.is_done:
            self.meanwhile()
        try:
            return enrollments.calls.result(ends_at=self.load.at(OWN))
        except Exception:  # noqa: BLE001 (told where the enrollments themselves are shown)
            return None

    def _get_status(self, own: tuple[ShownEnrollment, ...] | None) -> LearnerStatus:
        return get_page_status(
            customer_uuid=self.customer_uuid,
            lms_user_id=self.load.visitor.lms_user_id,
            own=None if own is None else _as_own(own),
        )

    def _is_worth_waiting(self, status: LearnerStatus | None, licenses: OwnLicenses | None) -> bool:
        """Say whether an enrollment may come within moments: something can be had, a license can pay, workers work."""
        if status is None or not status.in_bucket(Bucket.ENROLLABLE):
            return False
        if licenses is not None and not _can_pay(licenses):
            return False
        return not was_in_vain(lms_user_id=self.load.visitor.lms_user_id, customer_uuid=self.customer_uuid)

    def _ask(self, is_worth_waiting: bool, has_news: bool) -> tuple[AskedResult, ...]:
        lms_user_id = self.load.visitor.lms_user_id
        asked = ask_for_realization(
            customer_uuid=self.customer_uuid,
            lms_user_id=lms_user_id,
            wait_until=self.load.at(WAIT) if is_worth_waiting else None,
            has_news=has_news,
            evaluated_since=timezone.now() - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS),
        )
        if is_worth_waiting and not asked.was_evaluated:
            note_in_vain(lms_user_id=lms_user_id, customer_uuid=self.customer_uuid)
        return asked.results

    def _read_again(self, status: LearnerStatus) -> dict[str, Any]:
        """Read once more what an enrollment has changed; what cannot be read stays as it was."""
        with deadline(self.load.at(AGAIN)):
            enrollments = self._enrollments.read_again()
            again = self.load.part(STATUS, lambda: self._get_status(enrollments or None), status)
        return {"status": again} if enrollments is None else {"status": again, "enrollments": enrollments}


def _newly_enrolled(status: LearnerStatus, results: Iterable[AskedResult]) -> bool:
    """Say whether something was enrolled since the status was found out."""
    wanted = {item.intended.intention.pk for item in status.in_bucket(Bucket.ENROLLABLE)}
    return any(it.enrollment_status is EnrollmentStatus.ENROLLED and it.intention_uuid in wanted for it in results)


def _as_own(enrollments: Iterable[ShownEnrollment]) -> tuple[OwnEnrollment, ...]:
    return tuple(OwnEnrollment(course_run_key=row.course_run_id, mode=row.mode) for row in enrollments)


def _can_pay(licenses: OwnLicenses) -> bool:
    return any(it.is_activated and it.plan.is_open for it in licenses.licenses)


def _has_news(status: LearnerStatus, licenses: OwnLicenses | None) -> bool:
    """Say whether the page knows something that the last evaluation did not: what stood in the way is gone."""
    gone = {Reason.NO_LICENSE.value, Reason.LICENSE_NOT_ACTIVATED.value, Reason.LICENSE_PLAN_NOT_CURRENT.value}
    can_pay = licenses is not None and _can_pay(licenses)
    return any(
        it.last_look is not None
        and (
            it.last_look.outcome == Outcome.NOT_NEEDED
            # Enrolled, moved to audit since, and there is a license again.
            or (it.last_look.outcome == Outcome.REALIZED and can_pay)
            or (it.last_look.outcome == Outcome.BLOCKED and it.last_look.reason in gone and can_pay)
            or (
                it.last_look.outcome == Outcome.BLOCKED
                and is_woken_by(it.last_look.reason, RecheckEvent.CONTENT_CHANGE)
                and it.last_look.reason != Reason.REFUSED_BY_LMS
            )
        )
        for it in status.in_bucket(Bucket.ENROLLABLE)
    )
