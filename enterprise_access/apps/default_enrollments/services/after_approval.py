"""Enrolling after an approval, with the rules and facts of default enrollments (ADR 0044).

A license is sent to the LMS; learner credit is redeemed, which enrolls. Nothing is done for a learner who is or was
enrolled in any run of the course.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import ContentType, Course, Resolved
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.apps.content_metadata.services import refresh_modes_of
from enterprise_access.apps.customers.domain import EnrollmentCopy, Learner
from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.services import (
    forget_enrollments,
    read_enrollments,
    refresh_customer,
    refresh_learners,
)
from enterprise_access.apps.default_enrollments.domain.case_view import belongs_to_course
from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting
from enterprise_access.apps.default_enrollments.domain.only_run import choose_only_run
from enterprise_access.apps.default_enrollments.domain.values import Case, Reason, VerdictKind
from enterprise_access.apps.default_enrollments.selectors.doubts import list_doubts
from enterprise_access.apps.default_enrollments.selectors.intended import facts_of_modes
from enterprise_access.apps.default_enrollments.selectors.past import list_realizations, list_realized_elsewhere
from enterprise_access.apps.default_enrollments.services.requests.work_items import is_paused
from enterprise_access.apps.licenses.domain import License, LicenseRefusal, SomeLicenses, choose_license
from enterprise_access.apps.licenses.services import fetch_licenses
from enterprise_access.apps.redemption.services.requested import (
    APPROVED_REQUEST,
    RequestedOutcome,
    find_requested,
    redeem_requested,
)
from enterprise_access.apps.subsidy_requests.domain.enrolling import EnrollerAnswer, NextMove, WantedEnrollment, WhyNot
from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import check_again
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.keys import fold, same_key
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import EnrollItem

_ABOUT_THE_ITEM: Final = frozenset({UpstreamReason.BAD_REQUEST, UpstreamReason.REFUSED_LOCALLY})
# Of a license: what may still change without a decision of anyone.
_MAY_COME: Final = frozenset({LicenseRefusal.LICENSE_NOT_ACTIVATED, LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE})


class AfterApproval:
    """Looks and enrolls for `subsidy_requests`."""

    def look(self, wanted: WantedEnrollment) -> EnrollerAnswer:
        """Say what can be done for a learner now, from facts that are read for it."""
        try:
            return _look(wanted)
        except UpstreamError:
            return _later(Reason.LMS_UNAVAILABLE)
        except CustomerUnknown:
            return _no(Reason.CUSTOMER_INACTIVE)

    def enroll(self, wanted: WantedEnrollment) -> EnrollerAnswer:
        """Redeem, or have the LMS enroll. A request that was approved for credit holds its money already."""
        if is_paused(customer_uuid=wanted.customer_uuid):
            return _later(WhyNot.PAUSED, was_sent=False)
        if wanted.subsidy_type is SubsidyType.LEARNER_CREDIT:
            return _redeem(wanted)
        answer = _send(wanted)
        forget_enrollments(lms_user_ids={wanted.lms_user_id})
        return answer


def note_redemption(*, attempt: object, **_: object) -> None:
    """Have what waits for the end of a redemption looked at again (a receiver)."""
    lms_user_id, customer_uuid = getattr(attempt, "lms_user_id", None), getattr(attempt, "customer_uuid", None)
    is_requested = getattr(attempt, "trigger", "") == APPROVED_REQUEST
    if is_requested and lms_user_id is not None and customer_uuid is not None:
        check_again(customer_uuid=customer_uuid, lms_user_id=lms_user_id)


def _look(wanted: WantedEnrollment) -> EnrollerAnswer:
    now = clock.now()
    if wanted.sent_at is not None and wanted.subsidy_type is SubsidyType.LEARNER_CREDIT:
        found = find_requested(lms_user_id=wanted.lms_user_id, run_key=wanted.course_run_key, since=wanted.sent_at)
        if found is not None:
            return _as_answer(found)
    customer = refresh_customer(customer_uuid=wanted.customer_uuid)
    learner = _learner(wanted)
    if learner is None or (wanted.sent_at is None and not learner.is_linked):
        return _no(Reason.LEARNER_NOT_LINKED)
    rows = _enrollments(learner, asked_at=now)
    if rows is None:
        return _later(Reason.ENROLLMENT_STATE_UNKNOWN)
    if wanted.sent_at is not None and (settled := _settle(wanted, rows, wanted.sent_at, now)):
        return settled
    if is_paused(customer_uuid=wanted.customer_uuid):
        return _later(WhyNot.PAUSED)
    if not learner.is_linked:
        return _no(Reason.LEARNER_NOT_LINKED)
    content = fetch_content(customer_uuid=wanted.customer_uuid, content_keys=[wanted.course_id], in_background=True)[
        fold(wanted.course_id)
    ]
    return _decide(wanted, _Facts(learner=learner, rows=rows, content=content, is_active=customer.is_active), now)


def _learner(wanted: WantedEnrollment) -> Learner | None:
    """Return the learner as the LMS shows the link now. Raises UpstreamError, also for a link that cannot be read."""
    ids = [wanted.lms_user_id]
    return refresh_learners(customer_uuid=wanted.customer_uuid, lms_user_ids=ids).get(wanted.lms_user_id)


def _enrollments(learner: Learner, *, asked_at: datetime) -> tuple[EnrollmentCopy, ...] | None:
    """Return all enrollments of the learner on the platform, from a read that begins now; None: cannot be read."""
    read = read_enrollments(learners=[learner], names_since=asked_at, must_read={learner.lms_user_id})
    return read.enrollments.get(learner.lms_user_id)


def _settle(
    wanted: WantedEnrollment, rows: Iterable[EnrollmentCopy], sent_at: datetime, now: datetime
) -> EnrollerAnswer | None:
    """Say what became of a call whose outcome is not known; None: nothing, for certain."""
    row = next((row for row in rows if same_key(row.course_run_key, wanted.course_run_key)), None)
    if row is not None:
        return EnrollerAnswer(next=NextMove.ENROLLED) if row.is_active else _no(Reason.LEARNER_UNENROLLED)
    over_at = sent_at + timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS + settings.LMS_REQUEST_LIMIT_SECONDS)
    return _later(WhyNot.OUTCOME_UNKNOWN, at=over_at) if now < over_at else None


@frozen(kw_only=True)
class _Facts:
    learner: Learner
    rows: tuple[EnrollmentCopy, ...]
    content: Content
    is_active: bool


def _decide(wanted: WantedEnrollment, facts: _Facts, now: datetime) -> EnrollerAnswer:
    content, course = facts.content, facts.content.resolution.course
    if content.is_stale:
        return _later(Reason.CATALOG_UNAVAILABLE)
    if course is None or course.course_type is None:
        reason = getattr(content.resolution, "reason", Reason.CONTENT_NOT_READY).value
        return _later(reason) if is_waiting(reason) else _no(reason)
    if history := _history(wanted, facts, course):
        return history
    run = choose_only_run(
        course,
        content_key=wanted.course_id,
        now=now,
        starts_within=timedelta(days=settings.AUTO_ENROLLMENT_STARTS_WITHIN_DAYS),
    )
    if isinstance(run, WhyNot):
        return _no(run)
    resolved = evolve(content, resolution=Resolved(course=course, run=run))
    modes = refresh_modes_of(contents=[resolved]).get(fold(run.key))
    case = evolve(_case(resolved, course, is_active=facts.is_active), **facts_of_modes(modes))
    verdict = decide(case, now=now)
    if verdict.kind is not VerdictKind.ENROLL:
        return _later(verdict.reason) if is_waiting(verdict.reason) else _no(verdict.reason)
    if wanted.subsidy_type is SubsidyType.LICENSE and (refusal := _why_not_license(wanted, facts)):
        return _later(refusal) if refusal in _MAY_COME else _no(refusal)
    return EnrollerAnswer(next=NextMove.SEND, course_run_key=run.key, run_starts_at=run.starts_at)


def _case(content: Content, course: Course, *, is_active: bool) -> Case:
    """Return the course as the rules look at it, for a learner who has nothing of it."""
    return Case(
        is_linked=True,
        is_customer_active=is_active,
        content_type=ContentType.COURSE,
        content_key=course.key,
        resolution=content.resolution,
        catalogs=content.catalogs,
        modes=None,
    )


def _history(wanted: WantedEnrollment, facts: _Facts, course: Course) -> EnrollerAnswer | None:
    """Say why a learner who is or was in the course, whoever enrolled them, is not enrolled; None: never was."""
    case, learner = _case(facts.content, course, is_active=facts.is_active), wanted.lms_user_id
    rows = [row for row in facts.rows if belongs_to_course(case, course_key=None, course_run_key=row.course_run_key)]
    realizations = [
        *list_realizations(customer_uuid=wanted.customer_uuid, lms_user_ids=[learner]).get(learner, ()),
        *list_realized_elsewhere(customer_uuid=wanted.customer_uuid, lms_user_ids=[learner]).get(learner, ()),
    ]
    has_left = any(
        row.left_at is not None
        and belongs_to_course(
            case, course_key=row.course_key, course_run_key=row.course_run_key, course_uuid=row.course_uuid
        )
        for row in realizations
    )
    if has_left or any(not row.is_active for row in rows):
        return _no(Reason.LEARNER_UNENROLLED)
    if rows:
        return _no(Reason.ENROLLED)
    doubts = [
        doubt
        for doubt in list_doubts([learner])
        if belongs_to_course(
            case, course_key=doubt.course_key, course_run_key=doubt.course_run_key, course_uuid=doubt.course_uuid
        )
    ]
    return _later(Reason.OUTCOME_UNKNOWN) if doubts else None


def _why_not_license(wanted: WantedEnrollment, facts: _Facts) -> LicenseRefusal | None:
    """Return why the license that was granted does not pay now; None: it does."""
    email = {wanted.lms_user_id: facts.learner.email}
    licenses = fetch_licenses(customer_uuid=wanted.customer_uuid, emails=email)[wanted.lms_user_id]
    if licenses is None:
        return LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE
    own = [one for one in licenses if one.uuid == wanted.license_uuid]
    if not own and isinstance(licenses, SomeLicenses):
        return LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE
    chosen = choose_license(own, catalogs=facts.content.catalogs or ())
    return None if isinstance(chosen, License) else chosen


def _send(wanted: WantedEnrollment) -> EnrollerAnswer:
    item = EnrollItem(
        lms_user_id=wanted.lms_user_id,
        course_run_key=wanted.course_run_key,
        license_uuid=wanted.license_uuid,
        is_default_auto_enrollment=False,
    )
    try:
        answer = lms.from_settings().enroll(customer_uuid=wanted.customer_uuid, items=[item])
    except UpstreamRefused as error:
        if error.reason in _ABOUT_THE_ITEM:
            return _no(Reason.REFUSED_BY_LMS)
        return _later(Reason.LMS_UNAVAILABLE, was_sent=error.may_have_happened)
    except UpstreamError as error:
        if error.may_have_happened:
            return _later(WhyNot.OUTCOME_UNKNOWN)
        return _later(Reason.LMS_UNAVAILABLE, was_sent=False)
    if any(_is_it(row.lms_user_id, row.course_run_key, wanted) for row in answer.successes):
        return EnrollerAnswer(next=NextMove.ENROLLED)
    if wanted.lms_user_id in answer.invalid_user_ids or any(
        _is_it(row.lms_user_id, row.course_run_key, wanted) for row in answer.failures
    ):
        return _refused(wanted)
    return _later(WhyNot.OUTCOME_UNKNOWN)


def _is_it(lms_user_id: int | None, course_run_key: str, wanted: WantedEnrollment) -> bool:
    return lms_user_id == wanted.lms_user_id and same_key(course_run_key, wanted.course_run_key)


def _refused(wanted: WantedEnrollment) -> EnrollerAnswer:
    """Say what a refusal means: the platform may show the learner enrolled all the same."""
    try:
        learner = _learner(wanted)
        rows = None if learner is None else _enrollments(learner, asked_at=clock.now())
    except UpstreamError:
        rows = None
    if rows is None:
        return _later(WhyNot.OUTCOME_UNKNOWN)
    active = [row for row in rows if row.is_active and same_key(row.course_run_key, wanted.course_run_key)]
    return EnrollerAnswer(next=NextMove.ENROLLED) if active else _no(Reason.REFUSED_BY_LMS)


def _redeem(wanted: WantedEnrollment) -> EnrollerAnswer:
    policy_uuid = wanted.policy_uuid
    if policy_uuid is None:
        return _no(WhyNot.NOT_GRANTED)
    outcome = redeem_requested(policy_uuid=policy_uuid, lms_user_id=wanted.lms_user_id, run_key=wanted.course_run_key)
    return _as_answer(outcome)


def _as_answer(outcome: RequestedOutcome) -> EnrollerAnswer:
    if outcome.is_paid:
        return EnrollerAnswer(next=NextMove.ENROLLED) if outcome.is_own else _no(WhyNot.REDEEMED_BEFORE)
    if outcome.is_open:
        return _later(WhyNot.OUTCOME_UNKNOWN)
    if outcome.is_unknown:
        return _later(outcome.reason, was_sent=False)
    return _no(outcome.reason)


def _later(reason: str, *, at: datetime | None = None, was_sent: bool = True) -> EnrollerAnswer:
    return EnrollerAnswer(next=NextMove.LATER, reason=str(reason), at=at, was_sent=was_sent)


def _no(reason: str) -> EnrollerAnswer:
    return EnrollerAnswer(next=NextMove.NOT_ENROLLED, reason=str(reason))
