from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "enterprise_access.jobs"
    verbose_name = "Background jobs"
