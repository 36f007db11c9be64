"""Background work: one call."""

from celery import shared_task

from enterprise_access.apps.subsidy_requests.services import auto_enrolling, digests, granting, titles, unlinking
from enterprise_access.lib import clock
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.work import waking


@shared_task(name=granting.GRANT_JOB)
def grant_due(**_sent_by_newer_code: object) -> None:
    """Grant what was approved."""
    if not is_stopping():
        granting.grant_due()


@shared_task(name=unlinking.UNLINK_JOB)
def unlink_due(**_sent_by_newer_code: object) -> None:
    """Unlink the learners of declined requests, where an admin wanted that."""
    if not is_stopping():
        unlinking.unlink_due()


@shared_task(name=auto_enrolling.ENROLL_JOB)
def enroll_due(**_sent_by_newer_code: object) -> None:
    """Enroll learners whose request was granted, where their customer wants that."""
    if not is_stopping():
        auto_enrolling.enroll_due()


@shared_task(name="subsidy_requests.sweep")
def sweep(**_sent_by_newer_code: object) -> None:
    """Find what a lost message left behind, and what is due again."""
    for queue in (granting.QUEUE, auto_enrolling.QUEUE, unlinking.QUEUE):
        if waking.is_anything_due(queue):
            waking.wake(queue)


@shared_task(name="subsidy_requests.fill_titles")
def fill_titles(**_sent_by_newer_code: object) -> None:
    """Fill in the titles of courses that the catalog could not tell."""
    titles.fill_titles(now=clock.now())


@shared_task(name="subsidy_requests.ask_for_digests")
def ask_for_digests(**_sent_by_newer_code: object) -> None:
    """Ask for the digests to admins that are due."""
    digests.ask_for_digests(now=clock.now())
