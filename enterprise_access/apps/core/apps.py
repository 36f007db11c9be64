from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "enterprise_access.apps.core"
    verbose_name = "Users and access"

    def ready(self) -> None:
        from enterprise_access.lib import openapi  # noqa: F401 - registers itself; needs the settings
