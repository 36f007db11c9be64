"""Use cases: who is a member of which group."""

from enterprise_access.apps.groups.services.members import get_customer_of
from enterprise_access.apps.groups.services.memberships import (
    forget_group,
    forget_learner,
    memberships_of,
    prune_memberships,
)

__all__ = ["forget_group", "forget_learner", "get_customer_of", "memberships_of", "prune_memberships"]
