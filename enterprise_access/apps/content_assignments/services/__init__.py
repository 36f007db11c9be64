"""Use cases of assignments."""

from enterprise_access.apps.content_assignments.services.allocating import allocate_for_request
from enterprise_access.apps.content_assignments.services.people import forget_learner, see_learner

__all__ = ["allocate_for_request", "forget_learner", "see_learner"]
