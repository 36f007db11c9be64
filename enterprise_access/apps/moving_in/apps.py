from django.apps import AppConfig


class MovingInConfig(AppConfig):
    name = "enterprise_access.apps.moving_in"
    verbose_name = "Moving in"
