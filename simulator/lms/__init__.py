"""The LMS: edx-enterprise and OAuth (`views`), bulk enrollment, and the platform's enrollment API (`platform`)."""

from collections.abc import Mapping
from typing import Any

from ..services import Limit, Service
from ..throttles import Rate
from . import creating as creating
from . import groups as groups
from .platform import platform
from .views import lms

PLATFORM_STAFF = (Rate(calls=120, seconds=60),)
PLATFORM_OTHERS = (Rate(calls=40, seconds=60),)
MODES_PER_ADDRESS = (Rate(calls=40, seconds=60),)


def _limit_of(endpoint: str, claims: Mapping[str, Any]) -> Limit | None:
    if endpoint == "platform.enrollments":
        return Limit(scope=endpoint, rates=PLATFORM_STAFF if claims.get("administrator") else PLATFORM_OTHERS)
    if endpoint == "platform.course":
        return Limit(scope=endpoint, rates=MODES_PER_ADDRESS, is_per_address=True)
    return None


SERVICE = Service(name="lms", blueprints=(lms, platform), limit_of=_limit_of)
