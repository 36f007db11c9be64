"""Before a batch is sent late: is what was decided still right?"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import evolve
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, make_cases
from enterprise_access.apps.default_enrollments.services.realizing.enrolling import Item
from enterprise_access.apps.default_enrollments.services.realizing.facts import fetch_facts
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.stopping import is_stopping

log = logging.getLogger(__name__)


def confirm(
    facts: Facts, items: Sequence[Item], *, renew: Callable[[], object] = bool
) -> tuple[Sequence[Item], datetime]:
    """Return what is still to be sent of a batch, and when the facts that say so were read.

    Finding payers and earlier batches take their time. Facts that are no longer young are read again, and an item about
    which they say something else now is left out: it is looked at again from the start.
    """
    if not _is_old(facts) or is_stopping():
        # (Nothing of it will be sent by a worker that was told to stop.)
        return items, facts.read_at
    ids = list(dict.fromkeys(item.lms_user_id for item in items))
    try:
        fresh = fetch_facts(customer_uuid=facts.customer_uuid, lms_user_ids=ids, renew=renew)
    except UpstreamError as error:
        log.warning("Facts could not be read again; %d items wait. reason=%s", len(items), error.reason)
        return (), facts.read_at
    now = clock.now()
    verdicts = {lms_user_id: decide_all(make_cases(fresh, lms_user_id=lms_user_id), now=now) for lms_user_id in ids}
    return [
        evolve(item, was_enrolled=fresh.enrollment_in(item.lms_user_id, item.course_run_key) is not None)
        for item in items
        if verdicts[item.lms_user_id].get(item.intention) == item.verdict and _is_same_run(fresh, item)
    ], fresh.read_at


def _is_old(facts: Facts) -> bool:
    """Say whether the facts might be too old before the last call of a batch; half their time is left for that."""
    return facts.read_at < clock.now() - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS / 2)


def _is_same_run(facts: Facts, item: Item) -> bool:
    resolution = facts.content_of(item.intention).resolution
    return isinstance(resolution, Resolved) and resolution.run.key == item.course_run_key
