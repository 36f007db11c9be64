"""Looking at all intentions regularly: which can be honoured, since when not, and who should know."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from attrs import frozen
from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q
from django.template.loader import render_to_string

from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import DigestDelivery, Intention, IntentionHealth
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.lib import metrics
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)


# What the digest calls new: a little more than the day between two of them.
NEWS: Final = timedelta(hours=25)
# No one is mailed more often. A little less than a day, so that an hourly task mails at the same hour every day.
BETWEEN_MAILS: Final = timedelta(hours=23, minutes=30)


class CheckedState(StrEnum):
    """How an intention stands."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class CheckedIntention:
    """How an intention stands as last checked: `reason` since `since`. Never checked: "" and None, unknown."""

    intention: Intention
    reason: str = ""
    is_healthy: bool = False
    since: datetime | None = None
    checked_at: datetime | None = None

    @property
    def state(self) -> CheckedState:
        """Say whether a newcomer would be enrolled. Where an upstream service did not answer, that is not known."""
        if not self.reason or is_waiting(self.reason):
            return CheckedState.UNKNOWN
        return CheckedState.HEALTHY if self.is_healthy else CheckedState.UNHEALTHY

    @property
    def text(self) -> str:
        return explain(self.reason).text if self.reason else "It has not been checked yet."

    @property
    def what_would_change_it(self) -> str:
        return explain(self.reason).what_would_change_it if self.reason else "The next check, which comes by itself."


@frozen(kw_only=True)
class Validation:
    """The outcome of validating one customer's intentions. `problem`: why upstream services could not be asked ("")."""

    customer_uuid: UUID
    standings: tuple[CheckedIntention, ...]
    changed: int = 0
    problem: str = ""

    def has(self, state: CheckedState) -> bool:
        return any(standing.state is state for standing in self.standings)

    @property
    def is_complete(self) -> bool:
        """Whether every verdict is known."""
        return not self.problem and not self.has(CheckedState.UNKNOWN)


def validate_intentions(*, customer_uuid: UUID, delay: timedelta, now: datetime) -> Validation:
    """Check the customer's intentions that were not checked within `delay`; say how all of them stand.

    Whoever waits for what has changed is woken, and a changed verdict is written down, counted and announced. A
    upstream service that does not answer leaves the verdicts as they were, and is told as the problem.
    """
    changed: Sequence[Intention] = ()
    problem = ""
    try:
        changed = check_intentions(customer_uuid=customer_uuid, checked_before=now - delay)
    except UpstreamError as error:
        problem = error.detail
    metrics.VALIDATIONS.labels("unavailable" if problem else "ok").inc()
    living = Intention.objects.living().of_customer(customer_uuid)
    return Validation(customer_uuid=customer_uuid, standings=_standings(living), changed=len(changed), problem=problem)


def _standings(intentions: Iterable[Intention]) -> tuple[CheckedIntention, ...]:
    intentions = list(intentions)
    known = IntentionHealth.objects.in_bulk([intention.pk for intention in intentions])
    return tuple(_standing(intention, known.get(intention.pk)) for intention in intentions)


def _standing(intention: Intention, health: IntentionHealth | None) -> CheckedIntention:
    if health is None:
        return CheckedIntention(intention=intention)
    return CheckedIntention(
        intention=intention,
        reason=health.reason,
        is_healthy=health.is_healthy,
        since=health.reason_since,
        checked_at=health.checked_at,
    )


# --- telling staff ---------------------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Digest:
    """What staff should know: what needs somebody, the newest first, and what got well since the last digest."""

    unhealthy: tuple[CheckedIntention, ...]
    recovered: tuple[CheckedIntention, ...]

    @property
    def is_worth_a_mail(self) -> bool:
        return bool(self.unhealthy or self.recovered)


def make_digest(*, now: datetime) -> Digest:
    """Collect, from what was written down, the intentions that staff should know about. Asks no one."""
    health = IntentionHealth.objects.filter(intention__deleted_at=None).select_related("intention__customer")
    unhealthy = health.filter(is_healthy=False).order_by("-reason_since", "pk")
    # An intention that was healthy from its first check on has not recovered from anything.
    news = health.filter(is_healthy=True, reason_since__gt=now - NEWS).order_by("-reason_since", "pk")
    return Digest(
        unhealthy=tuple(
            standing
            for standing in (_standing(row.intention, row) for row in unhealthy)
            if standing.state is CheckedState.UNHEALTHY
        ),
        recovered=tuple(
            _standing(row.intention, row) for row in news if row.reason_since - row.intention.created > NEWS
        ),
    )


def mail_digest(*, now: datetime) -> int:
    """Mail the digest to each recipient who was not sent one in the last day; return to how many.

    Without news or recipients there is no mail. A recipient who cannot be reached keeps it from no one else, and is
    tried again by the next task.
    """
    recipients = dict.fromkeys(address.strip() for address in settings.VALIDATION_DIGEST_RECIPIENTS)
    digest = make_digest(now=now)
    if not recipients or not digest.is_worth_a_mail:
        return 0
    subject = f"Default enrollments: {len(digest.unhealthy)} need attention, {len(digest.recovered)} recovered"
    text = render_to_string("default_enrollments/digest.txt", {"digest": digest, "now": now})
    return sum(_mail_to(address, subject, text, now=now) for address in recipients)


def _mail_to(address: str, subject: str, text: str, *, now: datetime) -> bool:
    """Mail one recipient; say whether that worked. It is written down first: a mail too few is better than two."""
    key = hashlib.sha256(address.lower().encode()).hexdigest()
    delivery = _claim_delivery(key, now)
    if delivery is None:
        return False
    try:
        # To each alone: no one needs to know who else is told.
        send_mail(subject, text, None, [address])
    except Exception as error:  # noqa: BLE001 - every mail backend has errors of its own
        _take_back(delivery, now)
        # (The error itself may name the address.)
        log.warning("The digest could not be mailed to one recipient. error=%s", type(error).__name__)
        return False
    return True


@retry_deadlocks
def _claim_delivery(key: str, now: datetime) -> DigestDelivery | None:
    """Write down that a mail is sent now, if one is due; return the row as it was."""
    delivery, _ = DigestDelivery.objects.get_or_create(pk=key)
    due = Q(sent_at=None) | Q(sent_at__lte=now - BETWEEN_MAILS)
    return delivery if DigestDelivery.objects.filter(due, pk=key).update(sent_at=now) else None


@retry_deadlocks
def _take_back(delivery: DigestDelivery, now: datetime) -> None:
    DigestDelivery.objects.filter(pk=delivery.pk, sent_at=now).update(sent_at=delivery.sent_at)
