"""The words that tests of content tell their stories with. The neighbour is the simulator, behind the real client."""

from uuid import UUID

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.lib.keys import fold
from simulator.seed import ACME
from simulator.world import World

DEMO = "edX+DemoX"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
SCALA = "EPFLx+Scala"
LIST, CONTENT, ANYWHERE = "catalog.catalogs", "catalog.catalog_content", "catalog.content_list"


def fetch(*keys: str, customer: UUID = ACME) -> dict[str, Content]:
    """Fetch, and return by the keys as they were asked for."""
    found = fetch_content(customer_uuid=customer, content_keys=keys)
    return {key: found[fold(key)] for key in keys}


def fetch_one(key: str, *, customer: UUID = ACME) -> Content:
    return fetch(key, customer=customer)[key]


def outcome(content: Content) -> str:
    """Return the run's key, or the reason why there is none."""
    resolution = content.resolution
    return resolution.run.key if isinstance(resolution, Resolved) else resolution.reason.value


def resolved(content: Content) -> Resolved:
    """Return the resolution of a key that stands for a run."""
    assert isinstance(content.resolution, Resolved)
    return content.resolution


def catalogs_of(content: Content) -> set[UUID]:
    """Return the catalogs of content that could be asked for."""
    assert content.catalogs is not None
    return set(content.catalogs)


def outcome_of(key: str, *, customer: UUID = ACME) -> str:
    return outcome(fetch_one(key, customer=customer))


def calls(world: World) -> list[str]:
    """Return the endpoints of the catalog that were called, in the order of their end."""
    return [call.endpoint for call in world.journal.calls(service="catalog")]
