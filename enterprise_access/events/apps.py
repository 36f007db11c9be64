from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    name = "enterprise_access.events"
    verbose_name = "Event bus"

    def ready(self) -> None:
        """Let every app say, in its `handlers`, what it does with which events; tell /metrics what waits."""
        autodiscover_modules("handlers")
        from enterprise_access.events import state  # needs the models
        from enterprise_access.events.models import OutboxQuerySet
        from enterprise_access.events.services import QUEUE
        from enterprise_access.lib import health
        from enterprise_access.lib.state import register
        from enterprise_access.lib.work.watching import watch

        # (What waits behind an older event of its key is not stuck by itself.)
        watch(QUEUE, workable=OutboxQuerySet.heads)
        register("outbox", state.read_tables)
        register("topics", state.read_topics)
        if settings.EVENT_BUS_REDIS_CONNECTION_URL:
            health.register_on_network("event bus", state.look_at_bus)
