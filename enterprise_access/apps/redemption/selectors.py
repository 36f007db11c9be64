"""Reads of attempts: what operators see of them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from attrs import frozen
from django.db.models import Count, Min
from django.utils.translation import gettext as _

from enterprise_access.apps.content_assignments.selectors.timeline import Assignment, TimelineEntry
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.subsidy_access_policies.selectors.learners import LearnerTransaction, find_transaction
from enterprise_access.lib.health import HealthLevel, Part
from enterprise_access.lib.state import State, age, by_label
from enterprise_access.lib.timeline import Explained


@frozen(kw_only=True)
class FoundRedemption:
    """What has a uuid: an attempt, or a transaction that another tool made. Nothing at all: everything is None."""

    attempt: RedemptionAttempt | None = None
    transaction: LearnerTransaction | None = None
    customer_uuid: UUID | None = None

    @property
    def lms_user_id(self) -> int | None:
        found = self.attempt or self.transaction
        return None if found is None else found.lms_user_id


def find_redemption(uuid: UUID) -> FoundRedemption:
    """Return the attempt of this uuid or of this transaction; else our copy of the transaction."""
    attempt = RedemptionAttempt.objects.filter(pk=uuid).first()
    attempt = attempt or RedemptionAttempt.objects.filter(transaction_uuid=uuid).order_by("-created").first()
    if attempt is not None:
        return FoundRedemption(attempt=attempt, customer_uuid=attempt.customer_uuid)
    transaction = find_transaction(transaction_uuid=uuid)
    if transaction is None:
        return FoundRedemption()
    return FoundRedemption(transaction=transaction, customer_uuid=transaction.customer_uuid)


def list_redeemed_runs(*, customer_uuid: UUID, lms_user_id: int) -> frozenset[str]:
    """Return the runs, folded, that credit of the customer has paid for: one statement."""
    paid = RedemptionAttempt.objects.filter(
        customer_uuid=customer_uuid, lms_user_id=lms_user_id, state=AttemptState.COMMITTED
    )
    return frozenset(paid.values_list("content_key_folded", flat=True))


def list_of_assignment(row: Assignment) -> list[TimelineEntry]:
    """Return the tries to redeem an assignment, for its timeline: one statement."""
    if row.lms_user_id is None:
        return []
    tries = RedemptionAttempt.objects.filter(lms_user_id=row.lms_user_id, assignment_uuid=row.pk)
    return [
        TimelineEntry(at=attempt.created, what=f"redemption: {attempt.content_key}", outcome=_outcome_of(attempt))
        for attempt in tries.order_by("created", "pk")
    ]


def list_past_events(customer_uuid: UUID, lms_user_id: int, limit: int) -> list[Explained]:
    """Return the newest tries of a learner to redeem credit of a customer (lib/timeline.py): one statement."""
    tries = RedemptionAttempt.objects.filter(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    return [
        Explained(
            at=attempt.created,
            kind=f"redemption_{attempt.state}",
            text=_("Redemption of %(run)s: %(outcome)s.")
            % {"run": attempt.content_key, "outcome": _outcome_of(attempt)},
            reason=attempt.reason or attempt.last_code,
            about=_about(attempt),
        )
        for attempt in tries.order_by("-created", "uuid")[:limit]
    ]


def _outcome_of(attempt: RedemptionAttempt) -> str:
    """Return where a try stands, with the reason if there is one."""
    return " ".join(filter(None, [attempt.state, attempt.reason or attempt.last_code]))


def _about(attempt: RedemptionAttempt) -> dict[str, str]:
    named = {"redemption": attempt.pk, "course_run": attempt.content_key, "assignment": attempt.assignment_uuid}
    return {name: str(value) for name, value in named.items() if value}


def read_redemptions(now: datetime) -> Iterable[State]:
    """Tell, for /metrics, how many redemptions are open, by state, and since when the oldest waits for a worker."""
    rows = RedemptionAttempt.objects.open().order_by().values_list("state").annotate(Count("pk"))
    counts = dict.fromkeys((state.value for state in AttemptState if state.is_open), 0) | dict(rows)
    waiting = RedemptionAttempt.objects.open().exclude(state=AttemptState.DEAD.value)
    oldest = waiting.aggregate(since=Min("created"))["since"]
    return [
        by_label("redemptions_open", "Redemptions for which money is held, by state.", "state", counts),
        age(
            "oldest_open_redemption_seconds",
            "Age of the oldest open redemption; those that need attention are left out.",
            oldest,
            now=now,
        ),
    ]


def look_at_redemptions() -> Part:
    """Say, for readiness, whether redemptions need attention. That stops nothing else: degraded."""
    dead = RedemptionAttempt.objects.filter(state=AttemptState.DEAD.value).count()
    if not dead:
        return Part(name="redemptions")
    return Part(name="redemptions", level=HealthLevel.DEGRADED, detail=f"{dead} need attention")
