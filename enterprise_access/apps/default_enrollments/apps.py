from django.apps import AppConfig


class DefaultEnrollmentsConfig(AppConfig):
    name = "enterprise_access.apps.default_enrollments"
    verbose_name = "Default enrollments"

    def ready(self) -> None:
        """Register what this app sends as events and reports as metrics. Costly metrics are read less often."""
        from enterprise_access.apps.default_enrollments.selectors import state  # needs the models
        from enterprise_access.apps.default_enrollments.services import event_schemas  # noqa: F401 (registers)
        from enterprise_access.lib.state import register

        register("work", state.read_work)
        register("intentions", state.read_intentions)
        register("realizations", state.read_realizations, seconds=60)
