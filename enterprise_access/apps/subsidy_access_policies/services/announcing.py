"""The events that budgets send. docs/reference/events.rst describes them for consumers.

They name learners by their LMS user id, and nothing else about a person. A field may be added, with a default, under a
new minor version; whatever else changes needs a new event type (`.v2`).
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import attr
from openedx_events.tooling import OpenEdxPublicSignal

from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy, SubsidyTransaction
from enterprise_access.events.sending import sends
from enterprise_access.events.services import Announcement, learner_key

_PREFIX: Final = "org.openedx.enterprise.subsidy_access_policy"


@attr.s(frozen=True, kw_only=True)
class PolicyData:
    """A budget was added or changed."""

    policy_uuid = attr.ib(type=UUID)
    enterprise_customer_uuid = attr.ib(type=UUID)
    subsidy_uuid = attr.ib(type=UUID)
    catalog_uuid = attr.ib(type=UUID)
    policy_type = attr.ib(type=str)
    access_method = attr.ib(type=str)
    active = attr.ib(type=bool)
    retired = attr.ib(type=bool)
    changed_at = attr.ib(type=datetime)


@attr.s(frozen=True, kw_only=True)
class CreditData:
    """Credit of a budget was spent on a run, or given back. `amount` is in cents."""

    transaction_uuid = attr.ib(type=UUID)
    policy_uuid = attr.ib(type=UUID)
    subsidy_uuid = attr.ib(type=UUID)
    lms_user_id = attr.ib(type=int)
    content_key = attr.ib(type=str)
    amount = attr.ib(type=int)
    recorded_at = attr.ib(type=datetime)


class Change(StrEnum):
    """What happened to a budget."""

    CREATED = "created"
    UPDATED = "updated"
    DEACTIVATED = "deactivated"


POLICY_SIGNALS: Final[Mapping[Change, OpenEdxPublicSignal]] = {
    change: sends(f"{_PREFIX}.{change}.v1", key="policy_uuid", policy=PolicyData) for change in Change
}
REDEEMED: Final = sends(f"{_PREFIX}.redeemed.v1", redemption=CreditData)
REVERSED: Final = sends(f"{_PREFIX}.reversed.v1", redemption=CreditData)


def policy_event(signal: OpenEdxPublicSignal, policy: SubsidyAccessPolicy, *, now: datetime) -> Announcement:
    """Return the event that tells of a budget as it is now."""
    data = PolicyData(
        policy_uuid=policy.pk,
        enterprise_customer_uuid=policy.customer_uuid,
        subsidy_uuid=policy.subsidy_id,
        catalog_uuid=policy.catalog_uuid,
        policy_type=policy.policy_type,
        access_method=policy.access_method,
        active=policy.active,
        retired=policy.retired,
        changed_at=now,
    )
    return Announcement(signal=signal, data=data, key=f"policy:{policy.pk}", occurred_at=now)


def credit_event(copy: SubsidyTransaction, *, now: datetime) -> Announcement | None:
    """Return the event that tells of spent or returned credit; None where no learner or budget is known."""
    if copy.policy_uuid is None or copy.lms_user_id is None:
        return None
    data = CreditData(
        transaction_uuid=copy.pk,
        policy_uuid=copy.policy_uuid,
        subsidy_uuid=copy.subsidy_id,
        lms_user_id=copy.lms_user_id,
        content_key=copy.content_key,
        amount=-copy.quantity,
        recorded_at=now,
    )
    signal = REVERSED if copy.is_reversed else REDEEMED
    return Announcement(signal=signal, data=data, key=learner_key(copy.lms_user_id), occurred_at=now)
