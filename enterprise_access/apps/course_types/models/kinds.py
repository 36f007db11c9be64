"""What modes, seat types, course types and run types have in common: a slug that others know them by, and an origin.

===========  ====================================  ========================================================
State        Columns                               What comes next
===========  ====================================  ========================================================
not used     nothing refers to the row             its slug may change, and it may be deleted
in use       something refers to the row           its slug stays; a course type or run type may be retired
retired      `is_retired` (course and run types)   stays where it is; nothing new gets it
===========  ====================================  ========================================================

The course type and the run type "not known yet" (the slug `empty`) never change.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models

from enterprise_access.apps.course_types.domain import values
from enterprise_access.apps.course_types.errors import BrokenTypes, ImmutableType, SlugInUse

if TYPE_CHECKING:
    from collections.abc import Iterable


class TypeOrigin(models.TextChoices):
    """Where a row of the types comes from."""

    UPSTREAM = "upstream", "course-discovery's own"
    OPERATOR = "operator", "ours, as operators add it"
    STAFF = "staff", "added here"
    IMPORTED = "imported"


class KeptModel(models.Model):
    """A row of the types. Its slug is what others know it by: it stays as it is as soon as something has the row."""

    slug = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=255)
    origin = models.CharField(max_length=20, choices=TypeOrigin.choices, default=TypeOrigin.STAFF, editable=False)

    # Relations by which others have the row, so that its slug may not change.
    used_through: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.slug

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises BrokenTypes, ImmutableType for "not known yet", and SlugInUse."""
        refuse_broken(self.problems())
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


class TypeModel(KeptModel):
    """A course type or run type."""

    uuid = models.UUIDField(unique=True, default=uuid4, editable=False)
    is_retired = models.BooleanField(default=False, help_text="Nothing may newly have it.")
    discovery_uuid = models.UUIDField(
        null=True,
        blank=True,
        unique=True,
        help_text="Its uuid in course-discovery, where uuids differ by installation.",
    )

    class Meta(KeptModel.Meta):
        abstract = True

    @property
    def is_empty(self) -> bool:
        """Whether it means "not known yet"."""
        return self.slug == values.EMPTY

    def refuse_change_of(self, stored: Self) -> None:
        """Raise ImmutableType when the stored row means "not known yet" and anything of it would change."""
        fields = [field.attname for field in self._meta.concrete_fields]
        if stored.is_empty and any(getattr(self, name) != getattr(stored, name) for name in fields):
            raise immutable(stored)
        super().refuse_change_of(stored)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete it, if nothing has it. Raises ImmutableType for "not known yet"."""
        if self.is_empty:
            raise immutable(self)
        return super().delete(*args, **kwargs)


def refuse_broken(problems: "Iterable[str]") -> None:
    if found := list(problems):
        raise BrokenTypes(" ".join(found), extra={"problems": found})


def immutable(row: KeptModel) -> ImmutableType:
    return ImmutableType(f"The {_kind(row)} {row.slug!r} means that nothing is known, and stays as it is.")


def _kind(row: KeptModel) -> str:
    return str(row._meta.verbose_name)
