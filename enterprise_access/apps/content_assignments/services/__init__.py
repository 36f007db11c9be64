"""Use cases of assignments."""

from enterprise_access.apps.content_assignments.services.allocating import (
    Allocated,
    allocate_for_request,
    allocate_to_people,
)
from enterprise_access.apps.content_assignments.services.people import forget_learner, see_learner
from enterprise_access.apps.content_assignments.services.redeeming import (
    accept,
    lock_for_redemption,
    note_failed_redemption,
)

__all__ = [
    "Allocated",
    "accept",
    "allocate_for_request",
    "allocate_to_people",
    "forget_learner",
    "lock_for_redemption",
    "note_failed_redemption",
    "see_learner",
]
