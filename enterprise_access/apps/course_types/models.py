"""The types of courses and runs, what they are made of, and which course and run has which.

Rows hold the facts; what follows from them is said by `domain`, of the same facts as one value (`selectors.get_graph`).
A change that makes them impossible is refused when a row is saved, and where the database can tell, by the database.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.course_types.domain import graph
from enterprise_access.apps.course_types.domain.keys import fold_course_key, fold_run_key
from enterprise_access.apps.course_types.errors import BrokenTypes, ImmutableType, SlugInUse

if TYPE_CHECKING:
    from collections.abc import Iterable


class Origin(models.TextChoices):
    """Where a row of the types comes from."""

    UPSTREAM = "upstream", "course-discovery's own"
    OPERATOR = "operator", "ours, as operators add it"
    STAFF = "staff", "added here"
    IMPORTED = "imported"


class Source(models.TextChoices):
    """Who says that a course or run has its type."""

    ASSIGNED = "assigned"
    IMPORTED = "imported"
    MATCHED = "matched", "matched from its seats"


class _Kept(models.Model):
    """A row of the types. Its slug is what others know it by: it stays as it is as soon as something has the row."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=255)
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.STAFF, editable=False)

    # Relations by which others have the row, so that its slug may not change.
    used_through: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.slug

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises BrokenTypes, ImmutableType for "not known yet", and SlugInUse."""
        _refuse_broken(self.problems())
        stored = type(self)._default_manager.filter(pk=self.pk).first() if self.pk else None
        if stored is not None:
            self.refuse_change_of(stored)
        super().save(*args, **kwargs)

    @property
    def is_used(self) -> bool:
        """Whether something has it."""
        return any(getattr(self, name).exists() for name in self.used_through) if self.pk else False

    def problems(self) -> "Iterable[str]":
        """Say, a sentence each, what cannot be as it is."""
        return ()

    def clean(self) -> None:
        super().clean()
        if found := list(self.problems()):
            raise ValidationError(found)

    def refuse_change_of(self, stored: Self) -> None:
        """Raise SlugInUse when the slug would change although something has the row as it is `stored`."""
        if stored.slug != self.slug and stored.is_used:
            raise SlugInUse(f"The slug {stored.slug!r} is in use: others know the {_kind(self)} by it.")


class _Type(_Kept):
    """A course type or run type."""

    uuid = models.UUIDField(unique=True, default=uuid4, editable=False)
    is_retired = models.BooleanField(default=False, help_text="Nothing may newly have it.")
    discovery_uuid = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        help_text="Its uuid in course-discovery, where uuids differ by installation.",
    )

    class Meta(_Kept.Meta):
        abstract = True

    @property
    def is_empty(self) -> bool:
        """Whether it means "not known yet"."""
        return self.slug == graph.EMPTY

    def refuse_change_of(self, stored: Self) -> None:
        """Raise ImmutableType when the stored row means "not known yet" and anything of it would change."""
        fields = [field.attname for field in self._meta.concrete_fields]
        if stored.is_empty and any(getattr(self, name) != getattr(stored, name) for name in fields):
            raise _immutable(stored)
        super().refuse_change_of(stored)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete it, if nothing has it. Raises ImmutableType for "not known yet"."""
        if self.is_empty:
            raise _immutable(self)
        return super().delete(*args, **kwargs)


class Mode(_Kept):
    """An LMS enrollment mode, and what it means to us."""

    is_id_verified = models.BooleanField("ID verified", default=False)
    is_credit_eligible = models.BooleanField(default=False)
    certificate_type = models.CharField(
        max_length=100,
        blank=True,
        choices=[(value, value) for value in sorted(graph.CERTIFICATE_TYPES) if value],
        help_text="Empty: no certificate. A seat of such a mode is an audit seat to ecommerce.",
    )
    payee = models.CharField(
        max_length=20, blank=True, choices=[(value, value) for value in sorted(graph.PAYEES) if value]
    )
    is_audit = models.BooleanField(default=False, help_text="Who is in it has not been given what a subsidy pays for.")
    enroll_rank = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        unique=True,
        help_text="Which mode a learner should get, lowest first. Empty: never enrolled in automatically.",
    )
    has_upgrade_deadline = models.BooleanField(default=False)

    history = HistoricalRecords()
    used_through = ("tracks",)

    class Meta(_Kept.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(payee__in=sorted(graph.PAYEES)), name="mode_pays_somebody_known"),
            models.CheckConstraint(
                condition=Q(certificate_type__in=sorted(graph.CERTIFICATE_TYPES)), name="mode_has_a_known_certificate"
            ),
        ]

    def problems(self) -> "Iterable[str]":
        mode = self.as_value()
        yield from graph.mode_problems(mode)
        if self.pk and self.tracks.exclude(seat_type=None).exists():
            yield from graph.track_problems(graph.Track(mode=mode, seat_type=graph.SeatType(slug=self.slug)))

    def as_value(self) -> graph.Mode:
        """Return the row as the rules know it."""
        return graph.Mode(
            slug=self.slug,
            name=self.name,
            is_id_verified=self.is_id_verified,
            is_credit_eligible=self.is_credit_eligible,
            certificate_type=self.certificate_type,
            payee=self.payee,
            is_audit=self.is_audit,
            enroll_rank=self.enroll_rank,
            has_upgrade_deadline=self.has_upgrade_deadline,
        )


class SeatType(_Kept):
    """What ecommerce sells."""

    history = HistoricalRecords()
    used_through = ("tracks", "course_types")

    class Meta(_Kept.Meta):
        pass


class Track(models.Model):
    """A mode, and the seat type that sells it, if any."""

    mode = models.ForeignKey(Mode, on_delete=models.PROTECT, related_name="tracks")
    seat_type = models.ForeignKey(
        SeatType,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tracks",
        help_text="Empty: a mode without a product, put into the LMS at price 0.",
    )
    # No database has one "nothing" only in a unique constraint: null is never equal to null.
    seat_key = models.PositiveBigIntegerField(default=0, editable=False)

    history = HistoricalRecords()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["mode", "seat_key"], name="one_track_per_mode_and_seat_type"),
            models.CheckConstraint(
                condition=Q(seat_type=None, seat_key=0) | Q(seat_type__isnull=False, seat_key=F("seat_type")),
                name="seat_key_is_that_of_the_seat_type",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} = {self.seat_type or 'no product'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises BrokenTypes."""
        self.seat_key = self.seat_type_id or 0
        _refuse_broken(graph.track_problems(self.as_value()))
        super().save(*args, **kwargs)

    @property
    def paid_to_platform(self) -> bool:
        """Whether the platform is paid for it, as the mode says."""
        return self.mode.payee == graph.PLATFORM

    @property
    def paid_to_partner(self) -> bool:
        """Whether the partner organization is paid for it, as the mode says."""
        return self.mode.payee == graph.ORGANIZATION

    def as_value(self) -> graph.Track:
        """Return the row as the rules know it."""
        return graph.Track(
            mode=self.mode.as_value(),
            seat_type=None
            if self.seat_type is None
            else graph.SeatType(slug=self.seat_type.slug, name=self.seat_type.name),
        )

    def clean(self) -> None:
        super().clean()
        self.seat_key = self.seat_type_id or 0
        if self.mode_id and (found := list(graph.track_problems(self.as_value()))):
            raise ValidationError(found)


class CourseRunType(_Type):
    """What a run is for: its tracks."""

    is_marketable = models.BooleanField(default=True, help_text="Runs may have a page on the marketing site.")
    tracks = models.ManyToManyField(Track, through="CourseRunTypeTrack", related_name="run_types")

    history = HistoricalRecords()
    used_through = ("typed_runs",)

    class Meta(_Type.Meta):
        verbose_name = "course run type"
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug=graph.EMPTY) | Q(is_marketable=False), name="empty_run_type_is_not_marketable"
            ),
        ]

    def problems(self) -> "Iterable[str]":
        tracks = self.links.select_related("track__mode", "track__seat_type") if self.pk else ()
        yield from graph.run_type_problems(self.as_value(link.track for link in tracks))

    def as_value(self, tracks: "Iterable[Track]") -> graph.RunType:
        """Return the row, with these tracks, as the rules know it."""
        return graph.RunType(
            slug=self.slug,
            name=self.name,
            tracks=tuple(track.as_value() for track in tracks),
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
            raise _immutable(self.run_type)
        others = self.run_type.links.exclude(pk=self.pk).select_related("track__mode", "track__seat_type")
        tracks = [*(link.track for link in others), self.track]
        _refuse_broken(graph.run_type_problems(self.run_type.as_value(tracks)))
        super().save(*args, **kwargs)


class CourseType(_Type):
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

    class Meta(_Type.Meta):
        ordering = ["rank", "pk"]
        verbose_name = "course type"
        constraints = [
            models.CheckConstraint(
                condition=~Q(slug=graph.EMPTY) | Q(entitlement_type=None), name="empty_course_type_sells_nothing"
            ),
        ]

    def problems(self) -> "Iterable[str]":
        allowed = self.org_allow_list
        if not isinstance(allowed, list) or not all(isinstance(org, str) and org for org in allowed):
            yield "The organizations are a list of their short names."

    def as_value(self, run_types: "Iterable[str]") -> graph.CourseType:
        """Return the row, with the slugs of these run types, as the rules know it."""
        return graph.CourseType(
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
            raise _immutable(self.course_type)
        super().save(*args, **kwargs)


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


def _refuse_broken(problems: "Iterable[str]") -> None:
    if found := list(problems):
        raise BrokenTypes(" ".join(found), extra={"problems": found})


def _immutable(row: _Kept) -> ImmutableType:
    return ImmutableType(f"The {_kind(row)} {row.slug!r} means that nothing is known, and stays as it is.")


def _kind(row: _Kept) -> str:
    return str(row._meta.verbose_name)
