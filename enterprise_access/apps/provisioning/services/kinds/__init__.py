"""The kinds of workflows. Importing this package registers all of them."""

from enterprise_access.apps.provisioning.services.kinds import create_budget, line_item, provision_customer

__all__ = ["create_budget", "line_item", "provision_customer"]
