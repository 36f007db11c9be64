"""Background work of content."""

from collections.abc import Sequence
from uuid import UUID

from celery import shared_task

from enterprise_access.apps.content_metadata import services
from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.content_metadata.selectors.content import REFRESH_JOB
from enterprise_access.lib.errors import UpstreamError


@shared_task(name=REFRESH_JOB)
def refresh(*, customer_uuid: str, keys: Sequence[str], **_sent_by_newer_code: object) -> None:
    """Refresh cached content behind the back of those who read it. A failure is logged where it happens; the content
    stays as old as it is, and is requested again by the next reader."""
    try:
        refresh_content(customer_uuid=UUID(customer_uuid), content_keys=keys)
    except UpstreamError:
        return


@shared_task(name=services.REFRESH_MODES_JOB)
def refresh_modes(*, course_run_keys: Sequence[str], **_sent_by_newer_code: object) -> None:
    """Fetch the modes of runs that were just named. What is not answered is requested again by the checks."""
    services.refresh_modes(course_run_keys=course_run_keys)


@shared_task(name="content_metadata.refresh_aging_modes")
def refresh_aging_modes(**_sent_by_newer_code: object) -> None:
    """Keep the modes of runs young."""
    services.refresh_aging_modes()
