"""Filling in the titles and partners of courses that the catalog could not tell when they were requested."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.creating import partners_column
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks

# A course that has no title for so long does not get one.
TRIED_FOR: Final = timedelta(days=7)
AT_ONCE: Final = 200


def fill_titles(*, now: datetime) -> int:
    """Fill in titles and partners that are missing, of the newest requests first; return of how many courses."""
    missing = Q(course_title="") | Q(course_partners__isnull=True)
    rows = SubsidyRequest.objects.filter(missing, created__gt=now - TRIED_FOR).exclude(course_id="")
    wanted: dict[UUID, set[str]] = defaultdict(set)
    for customer_uuid, course_id in rows.values_list("customer_uuid", "course_id")[:AT_ONCE]:
        wanted[customer_uuid].add(course_id)
    filled = 0
    for customer_uuid, courses in wanted.items():
        found = fetch_content(customer_uuid=customer_uuid, content_keys=courses, in_background=True)
        for course in {fold(course) for course in courses}:
            filled += _fill(customer_uuid, course, found[course])
    return filled


@retry_deadlocks
def _fill(customer_uuid: UUID, course: str, content: Content) -> bool:
    """Fill in what is known of one course; return whether a request got any of it."""
    rows = SubsidyRequest.objects.filter(customer_uuid=customer_uuid, course_id_folded=course)
    filled = 0
    if content.title:
        filled += rows.filter(course_title="").update(course_title=content.title[:255])
    if content.partners is not None:
        partners = partners_column(content.partners)
        filled += rows.filter(course_partners__isnull=True).update(course_partners=partners)
    return filled > 0
