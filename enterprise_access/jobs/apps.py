from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "enterprise_access.jobs"
    verbose_name = "Background jobs"
    admin_order = 90

    def ready(self) -> None:
        """Show the queue of jobs in metrics and readiness."""
        from enterprise_access.jobs.services import QUEUE  # needs the models
        from enterprise_access.lib.work.watching import watch

        watch(QUEUE)
