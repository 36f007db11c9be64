from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "enterprise_access.apps.customers"
    verbose_name = "Customers and their learners"
