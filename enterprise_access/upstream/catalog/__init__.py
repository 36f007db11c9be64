"""enterprise-catalog: courses and runs, and which catalogs hold them."""

from django.conf import settings

from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.catalog.types import ContentRecord
from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.identifiers import is_content_key

__all__ = ["CatalogClient", "ContentRecord", "from_settings", "is_content_key"]


def from_settings() -> CatalogClient:
    """Return a client of the enterprise-catalog of this installation."""
    return CatalogClient(transport(service="enterprise-catalog", base_url=settings.CATALOG_BASE_URL))
