"""Reads of assignments."""

from enterprise_access.apps.content_assignments.selectors.describing import describe, describe_for_portal
from enterprise_access.apps.content_assignments.selectors.lists import (
    Filters,
    count_learner_states,
    find_assignments,
    get_assignment,
    list_actions,
    list_for_learner,
)

__all__ = [
    "Filters",
    "count_learner_states",
    "describe",
    "describe_for_portal",
    "find_assignments",
    "get_assignment",
    "list_actions",
    "list_for_learner",
]
