"""license-manager: plans, licenses, activation and auto-apply."""

from collections.abc import Mapping
from typing import Any

from ..services import Limit, Service
from ..throttles import Rate
from . import creating as creating
from .views import license_manager

SIGNED_IN = (Rate(calls=18, seconds=1), Rate(calls=360, seconds=60))
ANONYMOUS = (Rate(calls=60, seconds=60),)


def _limit_of(endpoint: str, claims: Mapping[str, Any]) -> Limit | None:  # noqa: ARG001
    return Limit(scope="license_manager", rates=SIGNED_IN if claims else ANONYMOUS)


SERVICE = Service(name="license_manager", blueprints=(license_manager,), limit_of=_limit_of)
