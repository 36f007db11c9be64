"""Carrying out what learner credit pays: the redemption service enrolls, and the platform shows the outcome."""

from collections.abc import Collection, Mapping, Sequence

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.default_enrollments.domain.paying import Carrier
from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.services.realizing.enrolling import Item, Sent
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.apps.redemption.services.quoting import DEFAULT_ENROLLMENT, Carried, pay_default_enrollment
from enterprise_access.lib import clock


def split(items: Collection[Item]) -> tuple[list[Item], list[Item]]:
    """Return what the LMS enrolls, and what a redemption pays."""
    by_redemption = [item for item in items if item.offer.carrier is Carrier.REDEMPTION]
    return [item for item in items if item not in by_redemption], by_redemption


def redeem_items(items: Sequence[Item], allowed: Collection[int]) -> dict[Item, Carried | None]:
    """Begin the redemptions of learners who may (still) be enrolled; None for the others."""
    return {
        item: pay_default_enrollment(
            policy_uuid=item.offer.uuid, lms_user_id=item.lms_user_id, run_key=item.course_run_key
        )
        if item.lms_user_id in allowed
        else None
        for item in items
    }


def sent_of(carried: Mapping[Item, Carried | None]) -> dict[Item, Sent]:
    """Say what is known of each; what was refused has a reason of its own, and is not in here."""
    return {item: _sent(outcome) for item, outcome in carried.items() if outcome is None or outcome.reason is None}


def _sent(outcome: Carried | None) -> Sent:
    if outcome is None:
        return Sent.KEPT_BACK
    if not outcome.is_settled:
        # A worker redeems; what the platform shows afterwards settles it.
        return Sent.UNKNOWN
    return Sent.SUCCESS if outcome.is_paid else Sent.FAILURE


def note_redemption(*, attempt: object, **_: object) -> None:
    """Have a learner evaluated again when a redemption for a default enrollment has ended (a receiver)."""
    lms_user_id, customer_uuid = getattr(attempt, "lms_user_id", None), getattr(attempt, "customer_uuid", None)
    if getattr(attempt, "trigger", "") != DEFAULT_ENROLLMENT or lms_user_id is None or customer_uuid is None:
        return
    try:
        request_realization(
            customer_uuid=customer_uuid, lms_user_ids=[lms_user_id], trigger=Trigger.PORTAL, now=clock.now()
        )
    except CustomerUnknown:
        # Retired meanwhile: there is no learner to evaluate.
        return
