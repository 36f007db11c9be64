from django.apps import AppConfig


class DefaultEnrollmentsConfig(AppConfig):
    name = "enterprise_access.apps.default_enrollments"
    verbose_name = "Default enrollments"

    def ready(self) -> None:
        """Register this app's jobs, events, queues and metrics. Costly metrics are read less often."""
        from enterprise_access.apps.customers.services import SIGHTINGS
        from enterprise_access.apps.default_enrollments.selectors import state  # needs the models
        from enterprise_access.apps.default_enrollments.services import (
            event_schemas,  # noqa: F401 (registers)
            importing,
            sweeping,
        )
        from enterprise_access.apps.default_enrollments.services.requests import QUEUE
        from enterprise_access.events.services import QUEUE as OUTBOX
        from enterprise_access.jobs import kinds
        from enterprise_access.lib.state import register
        from enterprise_access.lib.work.watching import read_states

        register("work", state.read_work)
        register("queues", lambda now: read_states([QUEUE, SIGHTINGS, OUTBOX], now))
        register("intentions", state.read_intentions)
        register("realizations", state.read_realizations, seconds=60)
        for kind in (importing.IMPORT_CSV, importing.IMPORT_LMS, sweeping.CHECK_ALL, sweeping.BACKFILL):
            kinds.register(kind)
