"""What requests tell of a learner's past (lib/timeline.py)."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequestAction
from enterprise_access.lib.timeline import Explained

_GRANTED: Final = frozenset({ActionType.APPROVED.value, ActionType.FULFILLED.value})


def list_past_events(customer_uuid: UUID, lms_user_id: int, limit: int) -> Iterable[Explained]:
    """Return the newest actions on a learner's requests of a customer: one statement."""
    mine = SubsidyRequestAction.objects.filter(request__customer_uuid=customer_uuid, request__lms_user_id=lms_user_id)
    return [_told(row) for row in mine.select_related("request").order_by("-created", "uuid")[:limit]]


def _told(row: SubsidyRequestAction) -> Explained:
    course = row.request.course_id or _("no course")
    words = {"kind": row.request.subsidy_type, "course": course, "action": row.type}
    text = _("Request (%(kind)s, %(course)s): %(action)s.") % words
    if row.type in _GRANTED:
        text = f"{text} {_('An approval enrolls no one: the learner chooses the course run and enrolls.')}"
    return Explained(
        at=row.created,
        kind=f"request_{row.type}",
        text=text,
        reason=row.error_reason,
        about={"request": str(row.request_id)},
    )
