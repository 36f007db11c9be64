"""Digests for admins: how many requests of a customer need a decision. One mail for each admin and digest.

Who the admins are, and their addresses, is read from the LMS when a digest is requested and again when it is sent.
Neither is stored.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen
from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_requests.domain.digests import NotificationCadence, digested_before
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import Configuration, SubsidyRequest
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import lms

log = logging.getLogger(__name__)


KIND: Final = "requests_digest"
# Customers whose digests are requested in one run. The next run takes others.
AT_ONCE: Final = 500
_REQUESTED, _ERROR = RequestState.REQUESTED.value, RequestState.ERROR.value
# All types are named, so that the index by customer, type and state finds the few among very many requests.
_NEEDS_DECISION: Final = Q(subsidy_type__in=[kind.value for kind in SubsidyType], state__in=[_REQUESTED, _ERROR])
_SAMPLE: Final = {
    "requested": 3,
    "failed": 1,
    "oldest": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    "admin_portal_url": "https://admin.example.com/alpha",
}


@frozen(kw_only=True)
class WaitingRequests:
    """The requests of a customer that need a decision: undecided since `oldest`, or failed after an approval."""

    requested: int = 0
    failed: int = 0
    oldest: datetime | None = None


@frozen(kw_only=True)
class DueDigest:
    """A digest that is due. `mails`: how many were requested; None: none, because the admins are not known."""

    customer_uuid: UUID
    waiting: WaitingRequests
    mails: int | None = None


def connect() -> None:
    """Register the kind of mail."""
    notifications.register(
        notifications.MailKind(name=KIND, title=_("Digest of requests for admins"), read=_read, sample=_SAMPLE)
    )


def ask_for_digests(*, now: datetime, is_dry_run: bool = False) -> list[DueDigest]:
    """Ask for the digests that are due, of some customers. Doing it again, even simultaneously, asks for none twice.

    A customer whose admins the LMS does not tell now is due again in the next run. Customers come in no fixed order, so
    that those hold up no one else. A dry run asks the LMS for nothing.
    """
    rows = list(_due(now).order_by("?")[:AT_ONCE])
    waiting = count_waiting([row.pk for row in rows])
    done = []
    for row in rows:
        if is_stopping():
            break
        mails = None if is_dry_run else _ask_for_one(row, now)
        done.append(DueDigest(customer_uuid=row.pk, waiting=waiting.get(row.pk, WaitingRequests()), mails=mails))
    return done


def count_waiting(customers: Collection[UUID]) -> dict[UUID, WaitingRequests]:
    """Return what needs a decision, by customer, in one statement; a customer without such requests is absent."""
    rows = SubsidyRequest.objects.filter(_NEEDS_DECISION, customer_uuid__in=customers)
    counted = (
        rows.order_by()
        .values("customer_uuid")
        .annotate(
            requested=Count("pk", filter=Q(state=_REQUESTED)),
            failed=Count("pk", filter=Q(state=_ERROR)),
            oldest=Min("latest_action_at"),
        )
    )
    return {
        customer_uuid: WaitingRequests(requested=requested, failed=failed, oldest=oldest)
        for customer_uuid, requested, failed, oldest in counted.values_list(
            "customer_uuid", "requested", "failed", "oldest"
        )
    }


def _due(now: datetime) -> QuerySet[Configuration]:
    undecided = SubsidyRequest.objects.filter(_NEEDS_DECISION, customer_uuid=OuterRef("pk"))
    due = Q()
    for cadence, before in digested_before(now).items():
        due |= Q(Q(last_remind_date=None) | Q(last_remind_date__lte=before), notification_cadence=cadence.value)
    return Configuration.objects.filter(due, Exists(undecided))


def _ask_for_one(row: Configuration, now: datetime) -> int | None:
    try:
        admins = _fetch_admins(row.pk)
    except UpstreamError as error:
        log.warning(
            "The admins of a customer could not be read from the LMS. customer=%s reason=%s", row.pk, error.reason
        )
        return None
    if not admins.addresses:
        log.warning("Requests wait, and the LMS names no admin of the customer. customer=%s", row.pk)
    return _note_asked(row, list(admins.addresses), now)


@retry_deadlocks
def _note_asked(row: Configuration, admins: Sequence[int], now: datetime) -> int:
    """Ask for the mails and note when, unless another run was quicker; return how many mails."""
    mine = Configuration.objects.filter(pk=row.pk, last_remind_date=row.last_remind_date)
    if not mine.update(last_remind_date=now):
        return 0
    notifications.ask_all(
        [
            notifications.WantedMail(
                kind=KIND,
                subject=row.pk,
                occurrence=_occurrence(now, admin),
                customer_uuid=row.pk,
                lms_user_id=admin,
                due_at=now,
            )
            for admin in admins
        ]
    )
    return len(admins)


@frozen(kw_only=True)
class _Admins:
    """The addresses of a customer's admins, by LMS user id, and where their admin portal is (empty: not known)."""

    addresses: Mapping[int, str] = field(factory=dict, repr=False)
    portal_url: str = ""


def _fetch_admins(customer_uuid: UUID) -> _Admins:
    """Ask the LMS for the admins of a customer. Raises UpstreamError."""
    customer = lms.from_settings().get_portal_customer(customer_uuid=customer_uuid)
    if customer is None or not customer.active:
        return _Admins()
    portal = settings.ADMIN_PORTAL_URL.rstrip("/")
    return _Admins(
        addresses={admin.lms_user_id: admin.email for admin in customer.admin_users if admin.email},
        portal_url=f"{portal}/{customer.slug}" if portal else "",
    )


def _occurrence(asked_at: datetime, lms_user_id: int) -> str:
    return f"{asked_at:%Y%m%dT%H%M%S.%f} {lms_user_id}"


def _read(facts: Sequence[notifications.Fact]) -> Mapping[notifications.Fact, notifications.Letter | None]:
    """Return the letters that are still needed; None for those of a customer that the LMS does not tell about now."""
    by_customer: dict[UUID, list[notifications.Fact]] = {}
    for fact in facts:
        by_customer.setdefault(fact.subject, []).append(fact)
    rows = Configuration.objects.exclude(notification_cadence=NotificationCadence.NEVER.value).in_bulk(by_customer)
    waiting = count_waiting(list(rows))
    letters: dict[notifications.Fact, notifications.Letter | None] = {}
    for customer_uuid in rows.keys() & waiting.keys():
        letters |= _letters_of(rows[customer_uuid], waiting[customer_uuid], by_customer[customer_uuid])
    return letters


def _letters_of(
    row: Configuration, waiting: WaitingRequests, facts: Sequence[notifications.Fact]
) -> dict[notifications.Fact, notifications.Letter | None]:
    """Return the letters of the latest digest of a customer: an earlier one that was held up is not needed any more."""
    try:
        admins = _fetch_admins(row.pk)
    except UpstreamError as error:
        log.warning(
            "The admins of a customer could not be read from the LMS. customer=%s reason=%s", row.pk, error.reason
        )
        return dict.fromkeys(facts)
    asked_at = row.last_remind_date
    addresses = (
        {} if asked_at is None else {_occurrence(asked_at, admin): email for admin, email in admins.addresses.items()}
    )
    context: dict[str, Any] = {
        "requested": waiting.requested,
        "failed": waiting.failed,
        "oldest": waiting.oldest,
        "admin_portal_url": admins.portal_url,
    }
    return {
        fact: notifications.Letter(email=addresses[fact.occurrence], context=context)
        for fact in facts
        if fact.occurrence in addresses
    }
