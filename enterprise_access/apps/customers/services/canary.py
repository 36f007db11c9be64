"""Whether the LMS shows us everybody: by one learner of whom we know that it does."""

from django.conf import settings

from enterprise_access.lib import shared_cache
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.upstream import lms

CANARY_KEY = "customers.canary_seen"


def check_canary() -> None:
    """Make sure that "not in the list" means "not linked", by one learner of whom we know that the LMS lists them.

    A worker account that is not staff gets short lists instead of refusals. Raises UpstreamRefused then. The finding
    is believed for a while; without LMS_CANARY_USER_ID there is no one to ask for, and lists are believed as they are.
    """
    canary = settings.LMS_CANARY_USER_ID
    if canary is None or shared_cache.get_many([CANARY_KEY]):
        return
    if not lms.from_settings().is_learner_visible(lms_user_id=canary):
        raise UpstreamRefused(
            "The LMS does not show the learner named by LMS_CANARY_USER_ID: is our worker account staff?",
            service="lms",
            reason=UpstreamReason.FORBIDDEN,
        )
    shared_cache.set_many({CANARY_KEY: True}, seconds=settings.CANARY_BELIEVED_SECONDS)
