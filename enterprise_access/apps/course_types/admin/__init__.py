"""Course types in the admin: the types themselves, and what courses and runs are for."""

from enterprise_access.apps.course_types.admin import assigning, types  # noqa: F401 (registers the pages)
