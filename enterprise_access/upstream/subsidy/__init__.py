"""enterprise-subsidy: the accounts of learner credit. An installation may have none; then credit is off."""

from django.conf import settings

from enterprise_access.upstream.connections import transport
from enterprise_access.upstream.subsidy.client import SubsidyClient


def from_settings() -> SubsidyClient | None:
    """Return a client of this installation's enterprise-subsidy; None when it has none."""
    if settings.SUBSIDY_BASE_URL is None:
        return None
    return SubsidyClient(
        transport(service="enterprise-subsidy", base_url=settings.SUBSIDY_BASE_URL),
        redeem_read_seconds=settings.REDEEM_READ_TIMEOUT_SECONDS,
    )
