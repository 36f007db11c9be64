from django.apps import AppConfig


class BffConfig(AppConfig):
    name = "enterprise_access.apps.bff"
    verbose_name = "Learner portal"
