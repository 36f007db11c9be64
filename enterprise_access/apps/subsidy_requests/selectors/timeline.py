"""What requests tell of a learner's past (lib/timeline.py): actions, enrollments that followed, and mails."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprise_access.apps.content_assignments.selectors.timeline import outcome_of_mail
from enterprise_access.apps.notifications.selectors import Notification, list_of_subjects
from enterprise_access.apps.subsidy_requests.domain.enrolling import EnrollmentState, WhyNot
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment, SubsidyRequest, SubsidyRequestAction
from enterprise_access.lib.timeline import Explained

_GRANTED: Final = frozenset({ActionType.APPROVED.value, ActionType.FULFILLED.value})

WHY_NOT: Final = {
    WhyNot.ONE_COURSE_PER_APPROVAL: gettext_lazy("An approval enrolls in one course only, that of the oldest request"),
    WhyNot.COUPON_CODE: gettext_lazy("The learner redeems a coupon code themselves"),
    WhyNot.NO_COURSE: gettext_lazy("The request names no course"),
    WhyNot.SWITCHED_OFF: gettext_lazy("Enrolling after approvals was switched off"),
    WhyNot.NOT_GRANTED: gettext_lazy("The request is not approved any more"),
    WhyNot.NO_OPEN_RUN: gettext_lazy("No run of the course is open for enrollment"),
    WhyNot.SEVERAL_OPEN_RUNS: gettext_lazy("Several runs of the course are open, and the learner has to choose"),
    WhyNot.RUN_STARTS_TOO_LATE: gettext_lazy("The only open run starts too late"),
    WhyNot.RUN_DATES_UNKNOWN: gettext_lazy("The catalog does not tell the dates of a run"),
    WhyNot.REDEEMED_BEFORE: gettext_lazy("The learner has redeemed the credit before"),
    WhyNot.LICENSE_NOT_ACTIVATED: gettext_lazy("The learner has not accepted the license yet"),
    WhyNot.PAUSED: gettext_lazy("Enrolling is paused"),
    WhyNot.OUTCOME_UNKNOWN: gettext_lazy("The outcome of the call is not known"),
    "learner_unenrolled": gettext_lazy("The learner has left the course before, and is not enrolled again"),
    "enrolled": gettext_lazy("The learner was enrolled in the course already"),
}


def list_past_events(customer_uuid: UUID, lms_user_id: int, limit: int) -> Iterable[Explained]:
    """Return what happened to a learner's newest requests of a customer: three statements."""
    mine = SubsidyRequestAction.objects.filter(request__customer_uuid=customer_uuid, request__lms_user_id=lms_user_id)
    tried = AutoEnrollment.objects.filter(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    enrollments = list(tried.select_related("request").order_by("-created", "pk")[:limit])
    with_enrollment = {row.pk for row in enrollments}
    newest = list(mine.select_related("request").order_by("-created", "uuid")[:limit])
    return [
        *(_told(row, has_enrollment=row.request_id in with_enrollment) for row in newest),
        *(_of_enrollment(row) for row in enrollments if row.granted_at or row.ended_at),
        *_of_mails({row.request_id: row.request for row in newest}),
    ]


def _told(row: SubsidyRequestAction, *, has_enrollment: bool) -> Explained:
    course = row.request.course_id or _("no course")
    words = {"kind": row.request.subsidy_type, "course": course, "action": row.type}
    text = _("Request (%(kind)s, %(course)s): %(action)s.") % words
    if row.type in _GRANTED and not has_enrollment:
        text = f"{text} {_('An approval enrolls no one: the learner chooses the course run and enrolls.')}"
    return Explained(
        at=row.created,
        kind=f"request_{row.type}",
        text=text,
        reason=row.error_reason,
        about={"request": str(row.request_id)},
    )


def _of_enrollment(row: AutoEnrollment) -> Explained:
    about = {"request": str(row.pk)}
    if row.course_run_key:
        about["course_run"] = row.course_run_key
    return Explained(
        at=row.ended_at or row.sent_at or row.granted_at or row.created,
        kind=f"auto_enrollment_{row.state}",
        text=tell_enrollment(row),
        reason=row.reason or row.waiting_for,
        about=about,
    )


def tell_enrollment(row: AutoEnrollment) -> str:
    """Return what became of the enrollment after an approval, as a sentence for support agents."""
    words = {"course": row.request.course_id or _("no course"), "run": row.course_run_key}
    code = row.reason or row.waiting_for
    words["why"] = str(WHY_NOT.get(code, code))
    if row.state == EnrollmentState.ENROLLED.value:
        return _("Enrolled in %(run)s after the approval of the request for %(course)s.") % words
    if row.state == EnrollmentState.NOT_ENROLLED.value:
        return _("Not enrolled after the approval of the request for %(course)s: %(why)s.") % words
    if code:
        return _("To be enrolled after the approval of the request for %(course)s, not yet: %(why)s.") % words
    return _("To be enrolled after the approval of the request for %(course)s.") % words


def _of_mails(requests: dict[UUID, SubsidyRequest]) -> Iterable[Explained]:
    mails = list_of_subjects(list(requests))
    return [_of_mail(requests[subject], mail) for subject, sent in mails.items() for mail in sent]


def _of_mail(row: SubsidyRequest, mail: Notification) -> Explained:
    words = {"course": row.course_id or _("no course"), "mail": mail.kind, "outcome": outcome_of_mail(mail)}
    return Explained(
        at=mail.settled_at or mail.created,
        kind="mail",
        text=_("Mail about the request for %(course)s (%(mail)s): %(outcome)s.") % words,
        reason=mail.error or mail.waiting_for,
        about={"request": str(row.pk), "notification": str(mail.pk)},
    )


# So many of a learner's newest enrollments after approvals are explained.
MOST_EXPLAINED: Final = 20


def list_enrollments(*, customer_uuid: UUID, lms_user_id: int) -> list[Explained]:
    """Return what became of the enrollments after approvals of a learner, newest first: one statement."""
    rows = AutoEnrollment.objects.filter(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    newest = rows.select_related("request").order_by("-created", "pk")[:MOST_EXPLAINED]
    return [_of_enrollment(row) for row in newest if row.granted_at or row.ended_at]


def list_consequences(row: SubsidyRequest) -> list[Explained]:
    """Return what followed from the decision on a request: an enrollment, and mails; two statements."""
    enrollments = AutoEnrollment.objects.filter(pk=row.pk).select_related("request")
    return [*(_of_enrollment(one) for one in enrollments if one.granted_at or one.ended_at), *_of_mails({row.pk: row})]
