"""Assignments in the admin."""

from enterprise_access.apps.content_assignments.admin.assignments import AssignmentAdmin, LinkRequestAdmin

__all__ = ["AssignmentAdmin", "LinkRequestAdmin"]
