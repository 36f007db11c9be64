"""Modes and seat types, and the tracks that are made of them."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from enterprise_access.apps.course_types.domain import values
from enterprise_access.apps.course_types.domain.problems import mode_problems, track_problems
from enterprise_access.apps.course_types.models.kinds import KeptModel, refuse_broken

if TYPE_CHECKING:
    from collections.abc import Iterable


class Mode(KeptModel):
    """An LMS enrollment mode, and what it means to us."""

    is_id_verified = models.BooleanField("ID verified", default=False)
    is_credit_eligible = models.BooleanField(default=False)
    certificate_type = models.CharField(
        max_length=100,
        blank=True,
        choices=[(value, value) for value in sorted(values.CERTIFICATE_TYPES) if value],
        help_text="Empty: no certificate. A seat of such a mode is an audit seat to ecommerce.",
    )
    payee = models.CharField(
        max_length=20, blank=True, choices=[(value, value) for value in sorted(values.PAYEES) if value]
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

    class Meta(KeptModel.Meta):
        constraints = [
            models.CheckConstraint(condition=Q(payee__in=sorted(values.PAYEES)), name="mode_pays_somebody_known"),
            models.CheckConstraint(
                condition=Q(certificate_type__in=sorted(values.CERTIFICATE_TYPES)), name="mode_has_a_known_certificate"
            ),
        ]

    def problems(self) -> "Iterable[str]":
        mode = self.as_value()
        yield from mode_problems(mode)
        if self.pk and self.tracks.exclude(seat_type=None).exists():
            yield from track_problems(values.Track(mode=mode, seat_type=values.SeatType(slug=self.slug)))

    def as_value(self) -> values.Mode:
        """Return the row as the rules know it."""
        return values.Mode(
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


class SeatType(KeptModel):
    """What ecommerce sells."""

    history = HistoricalRecords()
    used_through = ("tracks", "course_types")

    class Meta(KeptModel.Meta):
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
        refuse_broken(track_problems(self.as_value()))
        super().save(*args, **kwargs)

    @property
    def paid_to_platform(self) -> bool:
        """Whether the platform is paid for it, as the mode says."""
        return self.mode.payee == values.PLATFORM

    @property
    def paid_to_partner(self) -> bool:
        """Whether the partner organization is paid for it, as the mode says."""
        return self.mode.payee == values.ORGANIZATION

    def as_value(self) -> values.Track:
        """Return the row as the rules know it."""
        return values.Track(
            mode=self.mode.as_value(),
            seat_type=None
            if self.seat_type is None
            else values.SeatType(slug=self.seat_type.slug, name=self.seat_type.name),
        )

    def clean(self) -> None:
        super().clean()
        self.seat_key = self.seat_type_id or 0
        if self.mode_id and (found := list(track_problems(self.as_value()))):
            raise ValidationError(found)
