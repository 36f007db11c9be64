"""Assignments as the learner portal shows them: with what the catalog says of their content."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.content_assignments.selectors import describe_for_portal
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.lib.keys import fold


def show_assignments(rows: Sequence[LearnerContentAssignment]) -> list[dict[str, Any]]:
    """Return assignments as the portal reads them; the content is requested once for all of a customer.

    `content_metadata` is null where nothing is known of the course, also because the catalog cannot be asked.
    """
    keys: dict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        keys[row.customer_uuid].add(row.content_key)
    contents = {uuid: fetch_content(customer_uuid=uuid, content_keys=wanted) for uuid, wanted in keys.items()}
    return [
        {**described, "content_metadata": _metadata_of(contents[row.customer_uuid][fold(row.content_key)])}
        for row, described in zip(rows, describe_for_portal(rows), strict=True)
    ]


def _metadata_of(content: Content) -> dict[str, Any] | None:
    """Return what is known of the assigned run, or of the advertised run of an assigned course."""
    course, run = content.resolution.course, content.run
    if course is None:
        return None
    metadata = course.metadata_of(run.key) if run else None
    return {
        "start_date": metadata.start_date if metadata else run and run.starts_at,
        "end_date": metadata.end_date if metadata else run and run.ends_at,
        "enroll_by_date": metadata.enroll_by_date if metadata else run and run.enrollment_ends_at,
        # The catalog says 0 also where it does not know.
        "content_price": (metadata and metadata.content_price) or None,
        "course_type": course.course_type,
        "partners": [{"name": one.name, "logo_image_url": one.logo_image_url} for one in course.partners or ()],
    }
