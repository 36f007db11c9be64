"""Which course and run has which type.

===========  ======================  ==========================================================================
State        Columns                 What comes next
===========  ======================  ==========================================================================
draft        `published_at` empty    any type may follow any other; published by staff or the API
published    `published_at` set      no mode of a run may vanish, and the course keeps its entitlement; for good
===========  ======================  ==========================================================================
"""

from typing import Any

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.course_types.domain.keys import fold_course_key, fold_run_key
from enterprise_access.apps.course_types.models.types import CourseRunType, CourseType


class Source(models.TextChoices):
    """Who says that a course or run has its type."""

    ASSIGNED = "assigned"
    IMPORTED = "imported"
    MATCHED = "matched", "matched from its seats"


class TypedCourse(TimeStampedModel):
    """What a course is meant for. Changed by services only, which ask the rules whether it may be."""

    course_key = models.CharField(max_length=255)
    course_key_folded = models.CharField(max_length=255, unique=True, editable=False)
    course_type = models.ForeignKey(CourseType, on_delete=models.PROTECT, related_name="typed_courses")
    published_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when learners may be in it. From then on its type is guarded."
    )
    source = models.CharField(max_length=20, choices=Source.choices)

    history = HistoricalRecords()

    class Meta:
        ordering = ["course_key_folded"]
        verbose_name = "typed course"
        constraints = [models.CheckConstraint(condition=Q(source__in=Source.values), name="typed_course_has_a_source")]

    def __str__(self) -> str:
        return self.course_key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises MalformedKey."""
        self.course_key_folded = fold_course_key(self.course_key)
        super().save(*args, **kwargs)


class TypedCourseRun(TimeStampedModel):
    """What a run is meant for. Changed by services only, which ask the rules whether it may be."""

    course = models.ForeignKey(TypedCourse, on_delete=models.CASCADE, related_name="runs")
    run_key = models.CharField(max_length=255)
    run_key_folded = models.CharField(max_length=255, unique=True, editable=False)
    run_type = models.ForeignKey(CourseRunType, on_delete=models.PROTECT, related_name="typed_runs")
    published_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when learners may be in it. From then on its type is guarded."
    )
    source = models.CharField(max_length=20, choices=Source.choices)

    history = HistoricalRecords()

    class Meta:
        ordering = ["run_key_folded"]
        verbose_name = "typed course run"
        constraints = [models.CheckConstraint(condition=Q(source__in=Source.values), name="typed_run_has_a_source")]

    def __str__(self) -> str:
        return self.run_key

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises MalformedKey."""
        self.run_key_folded = fold_run_key(self.run_key)
        super().save(*args, **kwargs)
