from django.apps import AppConfig


class ContentMetadataConfig(AppConfig):
    name = "enterprise_access.apps.content_metadata"
    verbose_name = "Content"

    def ready(self) -> None:
        """Tell the app of course types, which is below, what the LMS is known to have."""
        from enterprise_access.apps.content_metadata.selectors.lms_modes import list_lms_modes  # needs the models
        from enterprise_access.apps.course_types.services.evidence import register_lms_modes

        register_lms_modes(list_lms_modes)
