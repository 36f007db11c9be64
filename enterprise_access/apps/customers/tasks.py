"""Background work about customers and their learners."""

import logging
from datetime import timedelta

from celery import shared_task

from enterprise_access.apps.customers import services
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError

log = logging.getLogger(__name__)

# Longer than an event may be under way.
SIGHTINGS_KEPT = timedelta(days=7)


@shared_task(name="customers.check_neighbours")
def check_neighbours(**_sent_by_newer_code: object) -> None:
    """Look whether our account still has the rights that the work needs, and the neighbours still answer."""
    services.check_neighbours()


@shared_task(name=services.READ_JOB)
def read_wanted_enrollments(**_sent_by_newer_code: object) -> None:
    """Read the platform enrollments that pages would like to be fresher. What fails is asked for by the next page."""
    try:
        services.read_wanted_enrollments()
    except UpstreamError as error:
        log.warning("Enrollments could not be read. service=%s reason=%s", error.service, error.reason)


@shared_task(name="customers.check_neighbours_again")
def check_neighbours_again(**_sent_by_newer_code: object) -> None:
    """Check again where the last check found a problem."""
    services.check_neighbours_again()


@shared_task(name="customers.prune_sightings")
def prune_sightings(**_sent_by_newer_code: object) -> None:
    """Forget learners who were seen and settled some time ago."""
    services.prune_sightings(before=clock.now() - SIGHTINGS_KEPT)
