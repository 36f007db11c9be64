"""Course types and run types, and what they are made of."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from enterprise_access.apps.course_types.domain import values
from enterprise_access.apps.course_types.domain.problems import run_type_problems
from enterprise_access.apps.course_types.models.kinds import TypeModel, immutable, refuse_broken
from enterprise_access.apps.course_types.models.tracks import SeatType, Track

if TYPE_CHECKING:
    from collections.abc import Iterable


class CourseRunType(TypeModel):
    """What a run is for: its tracks."""

    is_marketable = models.BooleanField(default=True, help_text="Runs may have a page on the marketing site.")
    tracks = models.ManyToManyField(Track, through="CourseRunTypeTrack", related_name="run_types")

    history = HistoricalRecords()
    used_through = ("typed_runs",)

    class Meta(TypeModel.Meta):
        verbose_name = "course run type"
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug=values.EMPTY) | Q(is_marketable=False), name="empty_run_type_is_not_marketable"
            ),
        ]

    def problems(self) -> "Iterable[str]":
        tracks = self.links.select_related("track__mode", "track__seat_type") if self.pk else ()
        yield from run_type_problems(self.as_value(link.track.as_value() for link in tracks))

    def as_value(self, tracks: "Iterable[values.Track]") -> values.RunType:
        """Return the row, with these tracks, as the rules know it."""
        return values.RunType(
            slug=self.slug,
            name=self.name,
            tracks=tuple(tracks),
            is_marketable=self.is_marketable,
            is_retired=self.is_retired,
        )


class CourseRunTypeTrack(models.Model):
    """A track of a run type, and its place among them."""

    run_type = models.ForeignKey(CourseRunType, on_delete=models.CASCADE, related_name="links")
    track = models.ForeignKey(Track, on_delete=models.PROTECT, related_name="links")
    place = models.PositiveSmallIntegerField(default=0)

    history = HistoricalRecords()

    class Meta:
        ordering = ["run_type_id", "place", "pk"]
        constraints = [models.UniqueConstraint(fields=["run_type", "track"], name="a_track_once_per_run_type")]
        verbose_name = "track of a run type"
        verbose_name_plural = "tracks of a run type"

    def __str__(self) -> str:
        return f"{self.run_type}: {self.track}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises BrokenTypes, and ImmutableType for "not known yet"."""
        if self.run_type.is_empty:
            raise immutable(self.run_type)
        others = self.run_type.links.exclude(pk=self.pk).select_related("track__mode", "track__seat_type")
        tracks = [track.as_value() for track in (*(link.track for link in others), self.track)]
        refuse_broken(run_type_problems(self.run_type.as_value(tracks)))
        super().save(*args, **kwargs)


class CourseType(TypeModel):
    """What a course is for: its entitlement, if any, and the run types that its runs may have.

    A course can hold one entitlement, hence one column.
    """

    entitlement_type = models.ForeignKey(
        SeatType, on_delete=models.PROTECT, null=True, blank=True, related_name="course_types"
    )
    run_types = models.ManyToManyField(CourseRunType, through="CourseTypeRunType", related_name="course_types")
    org_allow_list = models.JSONField(
        default=list, blank=True, help_text="Organizations whose courses may have it. Empty: every organization."
    )
    rank = models.PositiveIntegerField(default=0, help_text="The place in which it is tried when courses are matched.")

    history = HistoricalRecords()
    used_through = ("typed_courses",)

    class Meta(TypeModel.Meta):
        ordering = ["rank", "pk"]
        verbose_name = "course type"
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug=values.EMPTY) | Q(entitlement_type=None), name="empty_course_type_sells_nothing"
            ),
        ]

    def problems(self) -> "Iterable[str]":
        allowed = self.org_allow_list
        if not isinstance(allowed, list) or not all(isinstance(org, str) and org for org in allowed):
            yield "The organizations are a list of their short names."

    def as_value(self, run_types: "Iterable[str]") -> values.CourseType:
        """Return the row, with the slugs of these run types, as the rules know it."""
        return values.CourseType(
            slug=self.slug,
            name=self.name,
            entitlement_types=(self.entitlement_type.slug,) if self.entitlement_type else (),
            run_types=tuple(run_types),
            org_allow_list=tuple(self.org_allow_list),
            rank=self.rank,
            is_retired=self.is_retired,
        )


class CourseTypeRunType(models.Model):
    """A run type that the runs of a course of some type may have, and its place among them."""

    course_type = models.ForeignKey(CourseType, on_delete=models.CASCADE, related_name="links")
    run_type = models.ForeignKey(CourseRunType, on_delete=models.PROTECT, related_name="links_of_courses")
    place = models.PositiveSmallIntegerField(default=0)

    history = HistoricalRecords()

    class Meta:
        ordering = ["course_type_id", "place", "pk"]
        constraints = [models.UniqueConstraint(fields=["course_type", "run_type"], name="a_run_type_once_per_type")]
        verbose_name = "run type of a course type"
        verbose_name_plural = "run types of a course type"

    def __str__(self) -> str:
        return f"{self.course_type}: {self.run_type}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises ImmutableType for "not known yet"."""
        if self.course_type.is_empty:
            raise immutable(self.course_type)
        super().save(*args, **kwargs)
