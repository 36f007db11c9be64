"""What tables know of a learner's customers, for when the LMS does not answer and the cache is lost as well."""

from datetime import timedelta
from typing import Any, Final

import attrs
from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.bff.selectors.portal import completed
from enterprise_access.apps.bff.selectors.remembered import RememberedLinks
from enterprise_access.apps.customers.selectors import StoredLink, list_links_of
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.lms.portal_types import PortalCustomer, PortalLink, PortalLinks

# Whether the customer uses the portal is not stored; the learner is here, so it is taken to.
_ON: Final = {"enable_learner_portal"}


def stored_links(*, lms_user_id: int) -> RememberedLinks | None:
    """Return the learner's customers by name only, with other switches off; None: nothing young enough is stored."""
    since = timezone.now() - timedelta(seconds=settings.STALE_LIMIT_SECONDS)
    rows = list_links_of(lms_user_id=lms_user_id, fetched_since=since)
    if not rows:
        return None
    links = Rows(
        PortalLink(
            enterprise_customer_user_id=row.enterprise_customer_user_id,
            lms_user_id=lms_user_id,
            is_active_link=row.is_active_link,
            customer=_customer(row),
        )
        for row in rows
    )
    return RememberedLinks(links=PortalLinks(links=links, features={}), fetched_at=min(row.fetched_at for row in rows))


def _customer(row: StoredLink) -> PortalCustomer:
    """Return what is known, and the most harmless value for everything else."""
    harmless: dict[str, Any] = {name: _harmless(name, kind) for name, kind in _KINDS.items()}
    known: dict[str, Any] = {
        "uuid": row.customer_uuid,
        "slug": row.slug,
        "name": row.name,
        "active": row.is_customer_active,
        "modified": row.fetched_at,
        "enforce_data_sharing_consent": "at_enrollment",
    }
    return completed(PortalCustomer(**harmless | known))


_KINDS: Final = {field.name: str(field.type) for field in attrs.fields(PortalCustomer)}


def _harmless(name: str, kind: str) -> object:
    if kind == str(bool):
        return name in _ON
    return () if kind.startswith("tuple") else None
