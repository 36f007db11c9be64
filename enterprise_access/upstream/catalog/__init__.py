"""enterprise-catalog: courses and runs, and which catalogs hold them."""

from typing import Final

from django.conf import settings

from enterprise_access.lib.breaker import breaker_of
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.catalog.types import ContentRecord
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.identifiers import is_content_key

__all__ = ["CatalogClient", "ContentRecord", "from_settings", "is_content_key", "is_known_to_be_away"]

_SERVICE: Final = "enterprise-catalog"


def is_known_to_be_away() -> bool:
    """Say whether to ask would be in vain: it does not answer, and it is too early to try again (ADR 0010)."""
    return breaker_of(_SERVICE).is_open


def from_settings(*, optional: str = "") -> CatalogClient:
    """Return a client of the enterprise-catalog of this installation. `optional`: see `connections.transport`."""
    return CatalogClient(transport(service=_SERVICE, base_url=settings.CATALOG_BASE_URL, optional=optional))
