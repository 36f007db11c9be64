"""What staff do by hand: evaluate a learner now, retry what failed, pause everything and resume it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

import waffle
from attrs import frozen
from django.db import transaction
from waffle.models import Switch

from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.requests.work_items import (
    PAUSE_SWITCH,
    QUEUE,
    request_realization,
)
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work import asking
from enterprise_access.lib.work.models import URGENT


@frozen(kw_only=True)
class RequeueResult:
    """What came of asking: how many learners are looked at now, and how many stay given up until they are revived."""

    now: int
    dead: int


def realize_now(*, customer_uuid: UUID, lms_user_ids: Collection[int], now: datetime) -> RequeueResult:
    """Owe these learners of a known customer a look at once, because staff say so. One given up is not revived."""
    request_realization(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, trigger=Trigger.STAFF, now=now)
    dead = RealizationRequest.objects.filter(
        customer_id=customer_uuid, lms_user_id__in=lms_user_ids, failed_at__isnull=False
    ).count()
    return RequeueResult(now=len(set(lms_user_ids)) - dead, dead=dead)


def realize_all_now(*, learners: Iterable[tuple[UUID, int]], now: datetime) -> RequeueResult:
    """Do the same for pairs of customer and learner."""
    by_customer: dict[UUID, set[int]] = defaultdict(set)
    for customer_uuid, lms_user_id in learners:
        by_customer[customer_uuid].add(lms_user_id)
    asked = [realize_now(customer_uuid=uuid, lms_user_ids=ids, now=now) for uuid, ids in sorted(by_customer.items())]
    return RequeueResult(now=sum(each.now for each in asked), dead=sum(each.dead for each in asked))


def revive(*, request_ids: Collection[int], now: datetime) -> int:  # noqa: ARG001 - as all actions
    """Let learners who failed start again, now; return how many. Others are left as they are."""
    return asking.retry(QUEUE, sorted(request_ids), trigger=Trigger.STAFF, priority=URGENT, settled_at=None)


def is_everything_paused() -> bool:
    """Say whether staff have stopped enrolling for all customers."""
    return bool(waffle.switch_is_active(PAUSE_SWITCH))


def pause_everything(*, by: str, because: str) -> bool:
    """Stop enrolling for all customers; say whether that changed anything. Calls that are under way end as they do.

    What is paused already stays paused, and keeps its first reason.
    """
    return _switch(is_active=True, note=f"Paused by {by}: {because}".strip())


def resume_everything(*, by: str, shown: datetime | None = None) -> bool:
    """Let enrolling continue where it stopped; say whether that changed anything. The next sweep finds what is due.

    `shown`: end only the pause that began then. A newer one stays: whoever resumes has not seen its reason.
    """
    return _switch(is_active=False, note=f"Resumed by {by}.", shown=shown)


@retry_deadlocks
def _switch(*, is_active: bool, note: str, shown: datetime | None = None) -> bool:
    # (The row is saved, and not updated in place: saving tells the switch's cache.)
    with transaction.atomic():
        # Made before it is locked: MariaDB locks a missing row's whole neighborhood.
        Switch.objects.get_or_create(name=PAUSE_SWITCH)
        switch = Switch.objects.select_for_update().get(name=PAUSE_SWITCH)
        if switch.active is is_active or (shown is not None and switch.modified != shown):
            return False
        switch.active, switch.note = is_active, note
        switch.save()
    return True
