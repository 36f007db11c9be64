"""Whom a learner may contact at the customer: asked at the LMS, kept for some minutes in the cache, never stored."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from enterprise_access.lib import shared_cache
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.upstream import lms

KEPT_SECONDS: Final = 600


def fetch_administrators(*, customer_uuid: UUID) -> list[Mapping[str, Any]]:
    """Return contacts as `{email, lms_user_id}`: the customer's address if there is one, else its admins.

    Empty when the LMS cannot be asked: a contact is a help, and no answer waits for it twice.
    """
    address = shared_cache.address_of(kind="administrators", version=1, customer=str(customer_uuid))
    known = shared_cache.get_many([address]).get(address)
    if known is not None:
        return list(known)
    try:
        customer = lms.from_settings(optional="contacts").get_portal_customer(customer_uuid=customer_uuid)
    except UpstreamError:
        return []
    contacts: list[Mapping[str, Any]] = []
    if customer is not None and customer.contact_email:
        contacts = [{"email": customer.contact_email, "lms_user_id": None}]
    elif customer is not None:
        contacts = [{"email": admin.email, "lms_user_id": admin.lms_user_id} for admin in customer.admin_users]
    shared_cache.set_many({address: contacts}, seconds=KEPT_SECONDS)
    return contacts
