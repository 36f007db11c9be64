"""What staff do by hand: look at a learner now, revive what was given up, stop everything and let it go on."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

import waffle
from attrs import frozen
from django.db import transaction
from waffle.models import Switch

from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.requests import (
    PAUSE_SWITCH,
    QUEUE,
    request_realization,
)
from enterprise_access.lib.work import asking
from enterprise_access.lib.work.models import URGENT


@frozen(kw_only=True)
class Asked:
    """What came of asking: how many learners are looked at now, and how many stay given up until they are revived."""

    now: int
    dead: int


def realize_now(*, customer_uuid: UUID, lms_user_ids: Collection[int], now: datetime) -> Asked:
    """Owe these learners of a known customer a look at once, because staff say so. One given up is not revived."""
    request_realization(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, trigger=Trigger.STAFF, now=now)
    dead = RealizationRequest.objects.filter(
        customer_id=customer_uuid, lms_user_id__in=lms_user_ids, failed_at__isnull=False
    ).count()
    return Asked(now=len(set(lms_user_ids)) - dead, dead=dead)


def realize_all_now(*, learners: Iterable[tuple[UUID, int]], now: datetime) -> Asked:
    """Do the same for pairs of customer and learner."""
    by_customer: dict[UUID, set[int]] = defaultdict(set)
    for customer_uuid, lms_user_id in learners:
        by_customer[customer_uuid].add(lms_user_id)
    asked = [realize_now(customer_uuid=uuid, lms_user_ids=ids, now=now) for uuid, ids in sorted(by_customer.items())]
    return Asked(now=sum(each.now for each in asked), dead=sum(each.dead for each in asked))


def revive(*, request_ids: Collection[int], now: datetime) -> int:  # noqa: ARG001 - as all actions
    """Let learners who failed start again, now; return how many. Others are left as they are."""
    return asking.retry(QUEUE, sorted(request_ids), trigger=Trigger.STAFF, priority=URGENT, settled_at=None)


def is_everything_paused() -> bool:
    """Say whether staff have stopped enrolling for all customers."""
    return bool(waffle.switch_is_active(PAUSE_SWITCH))


def pause_everything(*, by: str, because: str) -> Switch:
    """Stop enrolling, for all customers. What is owed stays owed; calls that are under way end as they do."""
    return _switch(is_active=True, note=f"Paused by {by}: {because}".strip())


def resume_everything(*, by: str) -> Switch:
    """Let enrolling go on where it stopped. The next sweep finds what came due meanwhile."""
    return _switch(is_active=False, note=f"Resumed by {by}.")


def _switch(*, is_active: bool, note: str) -> Switch:
    # (One row, saved and not updated in place: saving tells the switch's cache.)
    with transaction.atomic():
        switch, _ = Switch.objects.select_for_update().get_or_create(name=PAUSE_SWITCH)
        switch.active, switch.note = is_active, note
        switch.save()
    return switch
