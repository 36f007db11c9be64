"""What learners are told of their requests: one mail per decision. Of approved credit its assignment tells them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest


class MailKind(StrEnum):
    """The mails about a request."""

    GRANTED = "request_granted"
    DECLINED = "request_declined"


_STATES: Final[Mapping[MailKind, frozenset[str]]] = {
    MailKind.GRANTED: frozenset({RequestState.APPROVED.value, RequestState.FULFILLED.value}),
    MailKind.DECLINED: frozenset({RequestState.DECLINED.value}),
}
_TITLES: Final = {MailKind.GRANTED: _("A request was approved"), MailKind.DECLINED: _("A request was declined")}
_SAMPLE: Final = {"content_title": "Data Science 101", "decline_reason": "The budget of this quarter is used up."}


def ask_for_mails(kind: MailKind, rows: Iterable[SubsidyRequest], *, now: datetime) -> None:
    """Ask for one mail about each decision, in the caller's transaction. Asking again changes nothing."""
    notifications.ask_all(
        [
            notifications.Wanted(
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
    for kind in MailKind:
        notifications.register(
            notifications.Kind(name=kind.value, title=_TITLES[kind], read=_reader_of(kind), sample=_SAMPLE)
        )


def _reader_of(kind: MailKind) -> Any:
    def read(facts: Sequence[notifications.Fact]) -> Mapping[notifications.Fact, notifications.Letter]:
        rows = SubsidyRequest.objects.in_bulk({fact.subject for fact in facts})
        return {fact: _letter(rows[fact.subject]) for fact in facts if _is_needed(kind, rows.get(fact.subject), fact)}

    return read


def _is_needed(kind: MailKind, row: SubsidyRequest | None, fact: notifications.Fact) -> bool:
    """Say whether what a mail would say is still true."""
    return row is not None and bool(row.email) and row.state in _STATES[kind] and fact.occurrence == _decision_of(row)


def _letter(row: SubsidyRequest) -> notifications.Letter:
    title = row.course_title or row.course_id or str(_("your course"))
    return notifications.Letter(email=row.email, context={"content_title": title, "decline_reason": row.decline_reason})
