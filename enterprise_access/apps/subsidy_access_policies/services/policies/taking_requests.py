"""What keeps a budget from taking requests, as apps above know it (docs/decisions/0038)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

# Returns why no budget of this customer may take requests; empty: nothing is in the way. Uses the database only.
Obstacle = Callable[[UUID], str]

_obstacles: Final[dict[str, Obstacle]] = {}


def register(name: str, obstacle: Obstacle) -> None:
    """Have this asked before a budget begins to take requests: an app above registers in its `ready`."""
    _obstacles[name] = obstacle


def why_not_take_requests(customer_uuid: UUID) -> str:
    """Return why no budget of this customer may take requests; empty: nothing is in the way."""
    return next(filter(None, (obstacle(customer_uuid) for obstacle in _obstacles.values())), "")
