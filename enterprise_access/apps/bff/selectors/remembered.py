"""What is remembered of one learner's answers, and for how long: never longer than an answer is valid.

Whatever is stored here is stored under the LMS's id of the learner, never under an id of our own user table: the two
differ, and one learner's search key in another one's page would be a leak. `_address` is the only place that builds
such an address.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import evolve, frozen
from django.conf import settings
from django.utils import timezone

from enterprise_access.lib import shared_cache
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.catalog.types import SearchKey
from enterprise_access.upstream.lms.portal_types import PortalCustomer, PortalLink, PortalLinks

# The portal asks for a new key as soon as one has less than 60 seconds to live, so such a key must never be served; the
# margin is the time that an answer and the two clocks may take.
SHORTEST_LIFE: Final = timedelta(seconds=60)
MARGIN: Final = timedelta(seconds=30)
# So that, while no worker works, a learner who goes from page to page is held up once and not on every page.
IN_VAIN_SECONDS: Final = 30


@frozen(kw_only=True)
class RememberedLinks:
    """A learner's customers as the LMS told them at `fetched_at`."""

    links: PortalLinks
    fetched_at: datetime
    # The portal was told to select another customer, and no answer of the LMS has shown since that it did.
    is_switching: bool = False

    @property
    def is_fresh(self) -> bool:
        """Whether the LMS need not be asked again."""
        age = timezone.now() - self.fetched_at
        return not self.is_switching and age < timedelta(seconds=settings.LINKS_FRESH_SECONDS)

    @property
    def active(self) -> PortalCustomer | None:
        """The customer that is selected in the portal."""
        return next((link.customer for link in self.links.links if link.is_active_link), None)


def remembered_links(*, lms_user_id: int) -> RememberedLinks | None:
    """Return what the LMS last told of the learner's customers, if that is not too old to be shown at all."""
    fresh, old, switch = (_address(name, lms_user_id) for name in ("links", "old links", "switch"))
    found = shared_cache.get_many([fresh, old, switch])
    remembered: RememberedLinks | None = found.get(fresh) or found.get(old)
    oldest = timezone.now() - timedelta(seconds=settings.STALE_LIMIT_SECONDS)
    if remembered is None or remembered.fetched_at < oldest:
        return None
    told: _Switch | None = found.get(switch)
    return evolve(remembered, is_switching=told is not None and not told.is_done_in(remembered))


@frozen(kw_only=True)
class _Switch:
    """The portal was told at `told_at` to select this customer. It does so whenever it gets there, and says nothing."""

    customer_uuid: UUID
    told_at: datetime

    def is_done_in(self, links: RememberedLinks) -> bool:
        """Say whether an answer that was asked for afterwards shows the customer as the selected one."""
        is_shown = links.active is not None and links.active.uuid == self.customer_uuid
        return is_shown and links.fetched_at >= self.told_at


def note_switch(*, lms_user_id: int, customer_uuid: UUID) -> None:
    """Remember that the portal was told to select another customer: what is known of the selected one is over."""
    told = _Switch(customer_uuid=customer_uuid, told_at=timezone.now())
    # Longer than any answer from before may be remembered as fresh.
    shared_cache.set_many({_address("switch", lms_user_id): told}, seconds=2 * settings.LINKS_FRESH_SECONDS)


def remember_links(fresh: RememberedLinks, *, lms_user_id: int) -> None:
    """Keep what the LMS told. What is kept for longer than it is fresh holds no e-mail addresses of admins."""
    old = evolve(fresh, links=_without_people(fresh.links))
    shared_cache.set_many({_address("links", lms_user_id): fresh}, seconds=settings.LINKS_FRESH_SECONDS)
    shared_cache.set_many({_address("old links", lms_user_id): old}, seconds=settings.STALE_LIMIT_SECONDS)


def _without_people(links: PortalLinks) -> PortalLinks:
    return evolve(links, links=Rows((_without_admins(link) for link in links.links), links.unreadable))


def _without_admins(link: PortalLink) -> PortalLink:
    return evolve(link, customer=evolve(link.customer, admin_users=()))


def remembered_search_key(*, lms_user_id: int, customer_uuid: UUID) -> SearchKey | None:
    """Return the learner's search key of this customer, if it is valid for long enough to be served."""
    address = _address("search key", lms_user_id, customer_uuid)
    key: SearchKey | None = shared_cache.get_many([address]).get(address)
    return key if key is not None and may_be_served(key) else None


def remember_search_key(key: SearchKey, *, lms_user_id: int, customer_uuid: UUID) -> None:
    """Keep a search key for as long as it may be served."""
    left = key.valid_until - timezone.now() - SHORTEST_LIFE - MARGIN
    if left > timedelta():
        address = _address("search key", lms_user_id, customer_uuid)
        shared_cache.set_many({address: key}, seconds=left.total_seconds())


def may_be_served(key: SearchKey) -> bool:
    """Say whether the key is valid for long enough, so that the portal does not ask for another one at once."""
    return key.valid_until - timezone.now() >= SHORTEST_LIFE + MARGIN


def note_in_vain(*, lms_user_id: int, customer_uuid: UUID) -> None:
    """Remember for a little while that waiting for this learner's enrollments was in vain: the workers are busy."""
    shared_cache.set_many({_address("in vain", lms_user_id, customer_uuid): True}, seconds=IN_VAIN_SECONDS)


def was_in_vain(*, lms_user_id: int, customer_uuid: UUID) -> bool:
    """Say whether a page waited for this learner's enrollments a moment ago, and they did not come."""
    address = _address("in vain", lms_user_id, customer_uuid)
    return address in shared_cache.get_many([address])


def _address(name: str, lms_user_id: int, customer_uuid: UUID | None = None) -> str:
    return shared_cache.address_of(
        kind="learner portal", version=1, name=name, lms_user_id=lms_user_id, customer_uuid=str(customer_uuid)
    )
