from django.apps import AppConfig


class LicensesConfig(AppConfig):
    name = "enterprise_access.apps.licenses"
    verbose_name = "Licenses"
