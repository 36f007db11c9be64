from django.apps import AppConfig


class CourseTypesConfig(AppConfig):
    name = "enterprise_access.apps.course_types"
    verbose_name = "Course types"
