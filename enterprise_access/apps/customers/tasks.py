"""Background work about customers and their learners."""

import logging
from datetime import timedelta

from celery import shared_task

from enterprise_access.apps.customers import services
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.work import waking

log = logging.getLogger(__name__)

# Longer than an event may be under way.
SIGHTINGS_KEPT = timedelta(days=7)
# The LMS is asked about so many learners in one call.
LOGINS_PER_CALL = 100
# Not for long, however many wait: the learners that a round has found are enrolled by the next message.
RESOLVE_SECONDS = 1


@shared_task(name="customers.check_neighbours")
def check_neighbours(**_sent_by_newer_code: object) -> None:
    """Look whether our account still has the rights that the work needs, and the upstream services still answer."""
    services.check_neighbours()


@shared_task(name=services.READ_JOB)
def read_wanted_enrollments(**_sent_by_newer_code: object) -> None:
    """Read the platform enrollments that pages would like to be fresher. What fails is requested by the next page."""
    try:
        services.read_wanted_enrollments()
    except UpstreamError as error:
        log.warning("Enrollments could not be read. service=%s reason=%s", error.service, error.reason)


@shared_task(name=services.RESOLVE_LOGINS_JOB)
def resolve_logins(**_sent_by_newer_code: object) -> None:
    """Find the customers of learners who were just seen, for a while or until none is left."""
    waking.work(
        services.SIGHTINGS,
        lambda _, limit: services.resolve_logins(limit=limit, now=clock.now()),
        limit=LOGINS_PER_CALL,
        seconds=RESOLVE_SECONDS,
    )


@shared_task(name="default_enrollments.resolve_sightings")
def resolve_sightings(**_sent_by_newer_code: object) -> None:
    """Do the same under the name that the release before this one sends."""
    resolve_logins()


@shared_task(name="customers.check_neighbours_again")
def check_neighbours_again(**_sent_by_newer_code: object) -> None:
    """Check again where the last check found a problem."""
    services.check_neighbours_again()


@shared_task(name="customers.prune_sightings")
def prune_sightings(**_sent_by_newer_code: object) -> None:
    """Forget learners who were seen and settled some time ago."""
    services.prune_sightings(before=clock.now() - SIGHTINGS_KEPT)
