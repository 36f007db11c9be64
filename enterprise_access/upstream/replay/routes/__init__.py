"""Which method of which client sends a recorded request, and with which arguments."""

from typing import Final

from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.routes import catalog, license_manager, lms, subsidy
from enterprise_access.upstream.replay.routes.shared import Arguments, Endpoint

__all__ = ["ROUTES", "Arguments", "Endpoint", "route_of"]

ROUTES: Final = (*lms.ROUTES, *catalog.ROUTES, *license_manager.ROUTES, *subsidy.ROUTES)


def route_of(recording: Recording) -> Endpoint | None:
    """Return the endpoint in use that the recording is about; None when we do not use it."""
    return next((route for route in ROUTES if route.matches(recording)), None)
