"""What learners are told of their requests: one mail per decision, and one about an enrollment that followed.

Of approved credit its assignment tells them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_requests.domain.enrolling import EnrollmentState
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment, SubsidyRequest


class RequestMailKind(StrEnum):
    """The mails about a request."""

    GRANTED = "request_granted"
    ENROLLED = "request_enrolled"
    DECLINED = "request_declined"


_STATES: Final[Mapping[RequestMailKind, frozenset[str]]] = {
    RequestMailKind.GRANTED: frozenset({RequestState.APPROVED.value, RequestState.FULFILLED.value}),
    # Also when the learner was quicker to learn in it than the mail: the credit is redeemed by the enrollment.
    RequestMailKind.ENROLLED: frozenset(
        {RequestState.APPROVED.value, RequestState.FULFILLED.value, RequestState.ACCEPTED.value}
    ),
    RequestMailKind.DECLINED: frozenset({RequestState.DECLINED.value}),
}
_TITLES: Final = {
    RequestMailKind.GRANTED: _("A request was approved"),
    RequestMailKind.ENROLLED: _("A learner was enrolled after an approval"),
    RequestMailKind.DECLINED: _("A request was declined"),
}
_SAMPLE: Final = {
    "content_title": "Data Science 101",
    "decline_reason": "The budget of this quarter is used up.",
    "is_enrolling": False,
    "starts_at": datetime(2026, 12, 7, 9, 0, tzinfo=UTC),
    "others": ["Statistics"],
}


def ask_for_mails(kind: RequestMailKind, rows: Iterable[SubsidyRequest], *, now: datetime) -> None:
    """Ask for one mail about each decision, in the caller's transaction. Asking again changes nothing."""
    notifications.ask_all(
        [
            notifications.WantedMail(
                kind=kind.value,
                subject=row.pk,
                occurrence=_decision_of(row),
                customer_uuid=row.customer_uuid,
                lms_user_id=row.lms_user_id,
                due_at=now,
            )
            for row in rows
        ]
    )


def _decision_of(row: SubsidyRequest) -> str:
    """Return what tells one decision on a request from the next one."""
    return "" if row.reviewed_at is None else f"{row.reviewed_at:%Y%m%dT%H%M%S.%f}"


def connect() -> None:
    """Register the kinds of mail."""
    for kind in RequestMailKind:
        notifications.register(
            notifications.MailKind(name=kind.value, title=_TITLES[kind], read=_reader_of(kind), sample=_SAMPLE)
        )


def _reader_of(kind: RequestMailKind) -> Any:
    def read(facts: Sequence[notifications.Fact]) -> Mapping[notifications.Fact, notifications.Letter]:
        rows = SubsidyRequest.objects.in_bulk({fact.subject for fact in facts})
        needed = {fact: rows[fact.subject] for fact in facts if _is_needed(kind, rows.get(fact.subject), fact)}
        enrollments = AutoEnrollment.objects.in_bulk([row.pk for row in needed.values()])
        if kind is RequestMailKind.GRANTED:
            # The mail about the enrollment says that the request was approved, too.
            needed = {fact: row for fact, row in needed.items() if not _is_enrolled(enrollments.get(row.pk))}
        others = _others(enrollments.values()) if kind is RequestMailKind.ENROLLED else {}
        return {fact: _letter(row, enrollments.get(row.pk), others.get(row.pk, ())) for fact, row in needed.items()}

    return read


def _is_needed(kind: RequestMailKind, row: SubsidyRequest | None, fact: notifications.Fact) -> bool:
    """Say whether what a mail would say is still true."""
    return row is not None and bool(row.email) and row.state in _STATES[kind] and fact.occurrence == _decision_of(row)


def _is_enrolled(enrollment: AutoEnrollment | None) -> bool:
    return enrollment is not None and enrollment.state == EnrollmentState.ENROLLED.value


def _others(enrollments: Iterable[AutoEnrollment]) -> dict[UUID, list[str]]:
    """Return, by request, the titles of what was approved together with it for the same learner: one statement."""
    batches = {(row.batch, row.lms_user_id): row.pk for row in enrollments}
    found: dict[UUID, list[str]] = {}
    rows = AutoEnrollment.objects.filter(
        batch__in={batch for batch, _ in batches}, request__state__in=_STATES[RequestMailKind.GRANTED]
    )
    for row in rows.exclude(pk__in=batches.values()).select_related("request").order_by("request__created", "pk"):
        first = batches.get((row.batch, row.lms_user_id))
        if first is not None:
            found.setdefault(first, []).append(_title(row.request))
    return found


def _letter(row: SubsidyRequest, enrollment: AutoEnrollment | None, others: Sequence[str]) -> notifications.Letter:
    context = {
        "content_title": _title(row),
        "decline_reason": row.decline_reason,
        "is_enrolling": enrollment is not None and not EnrollmentState(enrollment.state).is_over,
        "starts_at": enrollment.run_starts_at if enrollment else None,
        "others": list(others),
    }
    return notifications.Letter(email=row.email, context=context)


def _title(row: SubsidyRequest) -> str:
    return row.course_title or row.course_id or str(_("your course"))
