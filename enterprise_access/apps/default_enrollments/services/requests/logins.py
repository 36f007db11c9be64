"""Learners who logged in or registered: evaluate them where that may change something."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from enterprise_access.apps.customers.domain import SeenBy
from enterprise_access.apps.default_enrollments.models import Trigger
from enterprise_access.apps.default_enrollments.selectors.owed import list_learners_to_look_at
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization


def request_for_seen(
    *, customer_uuid: UUID, lms_user_ids: Collection[int], seen_by: SeenBy, at: datetime, **_signal: object
) -> None:
    """Request the evaluation of learners who logged in (receives `learner_seen`). A page asks by itself, and waits."""
    if seen_by is not SeenBy.LOGIN:
        return
    needed = list_learners_to_look_at(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids, now=at)
    request_realization(customer_uuid=customer_uuid, lms_user_ids=needed, trigger=Trigger.LOGIN, now=at)
