from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "enterprise_access.apps.provisioning"
    verbose_name = "Provisioning"
    admin_order = 70

    def ready(self) -> None:
        """Register the kinds of workflows, their mails, their metrics and their part of a customer's activity."""
        from enterprise_access.apps.provisioning.selectors import list_requested, read_workflows  # need the models
        from enterprise_access.apps.provisioning.services import kinds  # noqa: F401 (registers)
        from enterprise_access.apps.provisioning.services.kinds import admin_mails
        from enterprise_access.apps.provisioning.services.workflows.engine import QUEUE
        from enterprise_access.lib import activity
        from enterprise_access.lib.state import register
        from enterprise_access.lib.work.watching import watch

        admin_mails.connect()
        watch(QUEUE)
        register("workflows", read_workflows)
        activity.register("provisioning", list_requested, permission="provisioning.view_workflow")
