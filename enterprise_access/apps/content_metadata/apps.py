from django.apps import AppConfig


class ContentMetadataConfig(AppConfig):
    name = "enterprise_access.apps.content_metadata"
    verbose_name = "Content"
