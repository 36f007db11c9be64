from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "enterprise_access.apps.notifications"
    verbose_name = "Notifications"
    admin_order = 80

    def ready(self) -> None:
        """Say what /metrics and /health/ready/ tell of the mails that wait."""
        from enterprise_access.apps.notifications.services import QUEUE, watching  # needs the models
        from enterprise_access.lib import state
        from enterprise_access.lib.work.watching import watch

        watch(QUEUE)
        state.register("notifications", watching.read_mails)
