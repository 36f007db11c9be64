"""What the catalog's facts mean for an allocation: its price, its deadline, and when it expires."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.content_assignments.domain.allocation import RequestedContent
from enterprise_access.apps.content_assignments.domain.expiring import (
    AssignedContent,
    Expiration,
    ExpirationCase,
    expiration,
)
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.services.contents import fetch_one
from enterprise_access.apps.content_assignments.services.placing import Placement
from enterprise_access.apps.subsidy_access_policies.domain.money import price_cents
from enterprise_access.apps.subsidy_access_policies.services.accounts import refresh_accounts
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.offers import Offer, fetch_offers
from enterprise_access.lib.keys import same_key

# How old a copy of the account may be when money is promised.
ACCOUNT_MAX_AGE: Final = timedelta(seconds=60)
_RUN_PREFIX: Final = "course-v1:"


@frozen(kw_only=True)
class AllocationFacts:
    """What was asked before the transaction. `has_account` False: enterprise-subsidy could not be asked."""

    content_key: str
    offer: Offer
    content: AssignedContent | None
    has_account: bool


def fetch_facts(policy: SubsidyAccessPolicy, content_key: str, *, now: datetime) -> AllocationFacts:
    """Ask what an allocation needs to know, of the catalog and of the account. Never raises."""
    offers = fetch_offers([policy], [content_key], now=now)
    accounts = refresh_accounts([policy.subsidy_id], max_age=ACCOUNT_MAX_AGE, now=now)
    offer = offers[policy.pk, content_key]
    return AllocationFacts(
        content_key=content_key,
        offer=offer,
        content=fetch_one(
            customer_uuid=policy.customer_uuid, content_key=content_key, is_run=is_run(offer, content_key), now=now
        ),
        has_account=policy.subsidy_id in accounts,
    )


def content_of(offer: Offer) -> RequestedContent:
    """Return the catalog's facts as the rules of allocating know them. No metadata: it is in no catalog."""
    is_in_catalog = offer.is_in_catalog
    if is_in_catalog and offer.has_metadata is not True:
        is_in_catalog = offer.has_metadata
    return RequestedContent(
        is_in_catalog=is_in_catalog,
        price_cents=price_cents(
            assignment_cents=None, run_dollars=offer.run_dollars, course_dollars=offer.course_dollars
        ),
        enroll_by=offer.enroll_by,
    )


def is_run(offer: Offer, content_key: str) -> bool:
    """Say whether the key is that of a run."""
    return offer.run_key is not None and same_key(offer.run_key, content_key)


def expiration_of(*, content: AssignedContent | None, policy: SubsidyAccessPolicy, now: datetime) -> Expiration:
    """Return when an assignment that is allocated now expires, as far as it is known."""
    case = ExpirationCase(
        state=AssignmentState.ALLOCATED,
        is_attempt_open=False,
        allocated_at=now,
        days=settings.ASSIGNMENT_DAYS,
        subsidy_expiration=policy.subsidy.expires_at,
        late_redemption_allowed_until=policy.late_redemption_allowed_until,
        content=content,
    )
    return expiration(case, now=now)


def _course_of(run_key: str) -> str:
    """Return the course key that a run key spells: where nothing else is known, clients need a course to link to."""
    return "+".join(run_key.removeprefix(_RUN_PREFIX).split("+")[:2])


def placement_of(
    policy: SubsidyAccessPolicy,
    *,
    content_key: str,
    offer: Offer | None,
    content: AssignedContent | None,
    price: int,
    admin_lms_user_id: int | None,
    batch_id: UUID | None,
    now: datetime,
) -> Placement:
    """Return what is allocated. `offer` None: the catalog could not be asked, and the key stands for its title."""
    of_run = content_key.startswith(_RUN_PREFIX) if offer is None else is_run(offer, content_key)
    course_key = (offer.course_key if offer else None) or _course_of(content_key)
    return Placement(
        policy_uuid=policy.pk,
        customer_uuid=policy.customer_uuid,
        configuration_uuid=policy.assignment_configuration,
        content_key=content_key,
        parent_content_key=course_key if of_run else "",
        is_assigned_course_run=of_run,
        preferred_course_run_key=(offer.run_key if offer else None) or "",
        content_title=(offer.title if offer else "")[:512],
        price_cents=price,
        expiration=expiration_of(content=content, policy=policy, now=now),
        batch_id=batch_id,
        admin_lms_user_id=admin_lms_user_id,
    )
