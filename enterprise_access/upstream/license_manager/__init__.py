"""license-manager: who has which license, and what it is worth."""

from django.conf import settings

from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.license_manager.client import LicenseManagerClient


def from_settings(*, optional: str = "") -> LicenseManagerClient:
    """Return a client of the license-manager of this installation. `optional`: see `connections.transport`."""
    return LicenseManagerClient(
        transport(service="license-manager", base_url=settings.LICENSE_MANAGER_BASE_URL, optional=optional)
    )
