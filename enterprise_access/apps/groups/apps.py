from django.apps import AppConfig


class GroupsConfig(AppConfig):
    name = "enterprise_access.apps.groups"
    verbose_name = "Groups"
