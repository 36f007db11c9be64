from django.apps import AppConfig


class RedemptionConfig(AppConfig):
    name = "enterprise_access.apps.redemption"
    verbose_name = "Redemption"
