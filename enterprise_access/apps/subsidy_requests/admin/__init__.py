"""Requests in the admin."""

from enterprise_access.apps.subsidy_requests.admin.configurations import ConfigurationAdmin
from enterprise_access.apps.subsidy_requests.admin.requests import SubsidyRequestAdmin
from enterprise_access.apps.subsidy_requests.admin.work import AutoEnrollmentAdmin, UnlinkRequestAdmin

__all__ = ["AutoEnrollmentAdmin", "ConfigurationAdmin", "SubsidyRequestAdmin", "UnlinkRequestAdmin"]
