from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "enterprise_access.lib.work"
    label = "work"
    verbose_name = "Pending work"

    def ready(self) -> None:
        """Report, in readiness, how far the clocks of process and database are apart."""
        from enterprise_access.lib import clock, health

        health.register("clock", clock.look_at_clock)
