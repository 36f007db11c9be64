from django.apps import AppConfig


class DefaultEnrollmentsConfig(AppConfig):
    name = "enterprise_access.apps.default_enrollments"
    verbose_name = "Default enrollments"

    def ready(self) -> None:
        """Say what /metrics tells about our rows. What takes a look at many of them is looked at less often."""
        from enterprise_access.apps.default_enrollments.selectors import state  # needs the models
        from enterprise_access.lib.state import register

        register("work", state.read_work)
        register("intentions", state.read_intentions)
        register("realizations", state.read_realizations, seconds=60)
