"""The admin pages of workflows, and the form that creates a budget."""

from enterprise_access.apps.provisioning.admin import workflows

__all__ = ["workflows"]
