from django.apps import AppConfig


class DefaultEnrollmentsConfig(AppConfig):
    name = "enterprise_access.apps.default_enrollments"
    verbose_name = "Default enrollments"
