"""Makes Django's admin ask for a permission on every page."""

from django.contrib.admin.apps import AdminConfig


class GuardedAdminConfig(AdminConfig):
    """The admin with a site of our own."""

    default_site = "enterprise_access.lib.admin_site.GuardedAdminSite"
