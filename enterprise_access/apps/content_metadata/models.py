"""What is kept of content: the enrollment modes of runs. (Courses and runs themselves live in the cache.)"""

from django.db import models


class RunModes(models.Model):
    """The LMS's modes of one run, kept because the LMS allows only few reads a minute."""

    course_run_key = models.CharField(max_length=255, unique=True)
    modes = models.JSONField(help_text="Slug to expiry (ISO 8601) or null. Empty: the LMS knows none.")
    is_invitation_only = models.BooleanField(default=False)
    is_unknown = models.BooleanField(default=False, db_default=False, help_text="The LMS says that it has no such run.")
    enrollment_start = models.DateTimeField(null=True)
    enrollment_end = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ["course_run_key"]
        verbose_name_plural = "run modes"

    def __str__(self) -> str:
        return self.course_run_key
