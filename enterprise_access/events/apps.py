from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class EventsConfig(AppConfig):
    name = "enterprise_access.events"
    verbose_name = "Event bus"

    def ready(self) -> None:
        """Let every app say, in its `handlers`, what it does with which events."""
        autodiscover_modules("handlers")
