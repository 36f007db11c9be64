from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "enterprise_access.lib.work"
    label = "work"
    verbose_name = "Pending work"

    def ready(self) -> None:
        """Report how far the clocks of process and database are apart, and how the queues stand."""
        from enterprise_access.lib import clock, health, state
        from enterprise_access.lib.work import watching  # needs the models

        health.register("clock", clock.look_at_clock)
        health.register("work", watching.look_at_work, needs_database=True)
        state.register("queues", watching.read_states)
