"""course-discovery: types of courses and runs. An installation may have none."""

from django.conf import settings

from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.discovery.client import DiscoveryClient
from enterprise_access.upstream.discovery.types import CourseRecord, RunTypeOption, TrackOption, TypeOption

__all__ = ["CourseRecord", "DiscoveryClient", "RunTypeOption", "TrackOption", "TypeOption", "from_settings"]


def from_settings() -> DiscoveryClient | None:
    """Return a client of this installation's course-discovery; None when it has none."""
    if settings.DISCOVERY_BASE_URL is None:
        return None
    return DiscoveryClient(transport(service="course-discovery", base_url=settings.DISCOVERY_BASE_URL))
