"""Keeping copies of the LMS's customers.

Every function here asks the LMS and raises `UpstreamError` when it gives no usable answer; the copies are then left
as they were. No lock and no transaction is held while the LMS is asked.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services.canary import check_canary
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import Customer


def fetch_customer(*, customer_uuid: UUID) -> EnterpriseCustomer:
    """Ask the LMS for a customer and keep a copy. Raises CustomerUnknown; a copy we had is then marked inactive."""
    started_at = clock.now()
    answer = lms.from_settings().get_customer(customer_uuid=customer_uuid)
    if answer is None:
        # The LMS gives one answer for "unknown", "switched off" and "not for you"; the last is ruled out here.
        check_canary()
        _overwrite_customer(customer_uuid, started_at, is_active=False)
        raise CustomerUnknown(f"The LMS knows no active enterprise customer {customer_uuid}.")
    return _store_customer(answer, started_at)


def refresh_customer(*, customer_uuid: UUID) -> EnterpriseCustomer:
    """Return the customer, after asking the LMS when the copy is too old to tell whether the customer is still active.

    Raises CustomerUnknown for a customer that we never met.
    """
    copy = get_customer(customer_uuid=customer_uuid)
    if copy is not None and copy.fetched_at >= clock.now() - timedelta(seconds=settings.LINKS_FRESH_SECONDS):
        return copy
    try:
        return fetch_customer(customer_uuid=customer_uuid)
    except CustomerUnknown:
        if copy is None:
            raise
        copy.refresh_from_db()
        return copy


def fetch_customer_by_slug(*, slug: str) -> EnterpriseCustomer:
    """Ask the LMS for the customer with this slug and keep a copy. Raises CustomerUnknown."""
    started_at = clock.now()
    answer = lms.from_settings().find_customer(slug=slug)
    if answer is None:
        check_canary()
        raise CustomerUnknown(f"The LMS knows no active enterprise customer with the slug {slug!r}.")
    return _store_customer(answer, started_at)


@retry_deadlocks
def _store_customer(answer: Customer, started_at: datetime) -> EnterpriseCustomer:
    """Keep what was read, except where another read that started later was quicker."""
    read = {
        "slug": answer.slug,
        "name": answer.name,
        "is_active": answer.active,
        "primary_color": answer.primary_color,
        "language": answer.language,
    }
    customer, is_new = EnterpriseCustomer.objects.get_or_create(
        uuid=answer.uuid, defaults={**read, "fetched_at": started_at}
    )
    if not is_new:
        _overwrite_customer(answer.uuid, started_at, **read)
        customer.refresh_from_db()
    return customer


@retry_deadlocks
def _overwrite_customer(customer_uuid: UUID, started_at: datetime, **read: object) -> None:
    """Change the copy of a customer, unless it comes from a read that started later."""
    EnterpriseCustomer.objects.filter(pk=customer_uuid, fetched_at__lte=started_at).update(
        **read, fetched_at=started_at
    )


def get_customer_named(*, slug_or_uuid: str) -> EnterpriseCustomer:
    """Return the customer that people name by uuid (our copy, or else the LMS's answer), or by slug.

    A slug is always looked up in the LMS, which may have given it to another customer since we kept a copy. Raises
    CustomerUnknown, and UpstreamError when the LMS has to be asked and does not answer.
    """
    try:
        known = get_customer(customer_uuid=UUID(slug_or_uuid))
    except ValueError:
        return fetch_customer_by_slug(slug=slug_or_uuid)
    return known or find_customer(slug_or_uuid=slug_or_uuid)


def find_customer(*, slug_or_uuid: str) -> EnterpriseCustomer:
    """Ask the LMS for the customer that people name by slug or by uuid, and keep a copy. Raises CustomerUnknown."""
    try:
        customer_uuid = UUID(slug_or_uuid)
    except ValueError:
        return fetch_customer_by_slug(slug=slug_or_uuid)
    return fetch_customer(customer_uuid=customer_uuid)
