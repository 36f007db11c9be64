"""The types in the admin. What cannot be is an error at the form; a slug that is in use is shown, and not changed."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.course_types.domain.problems import run_type_problems
from enterprise_access.apps.course_types.models import (
    CourseRunType,
    CourseRunTypeTrack,
    CourseType,
    CourseTypeRunType,
    Mode,
    SeatType,
    Track,
)
from enterprise_access.lib.admin import ReadOnlyHistoryAdmin


class RowAdmin(ReadOnlyHistoryAdmin):
    """A row of the types. Its slug cannot be changed as soon as something has it."""

    list_display = ["slug", "name", "origin"]
    list_filter = ["origin"]
    search_fields = ["slug", "name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = [str(field) for field in self.readonly_fields]
        return [*fields, "slug"] if obj is not None and obj.is_used else fields

    def get_actions(self, request: HttpRequest) -> Any:
        # Deleting many at once goes around what a row says about being deleted.
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}


class TypeAdmin(RowAdmin):
    """A course type or run type. "Not known yet" is shown, and stays as it is."""

    list_display = ["slug", "name", "is_retired", "discovery_uuid", "origin"]
    list_filter = ["origin", "is_retired"]
    readonly_fields = ["uuid", "origin"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj is not None and obj.is_empty) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj is not None and obj.is_empty) and super().has_delete_permission(request, obj)


@admin.register(Mode)
class ModeAdmin(RowAdmin):
    """LMS modes, and what they mean to us."""

    list_display = ["slug", "name", "certificate_type", "payee", "is_audit", "enroll_rank", "origin"]


@admin.register(SeatType)
class SeatTypeAdmin(RowAdmin):
    """What ecommerce sells."""


@admin.register(Track)
class TrackAdmin(ReadOnlyHistoryAdmin):
    """Modes, and what sells them."""

    list_display = ["__str__", "mode", "seat_type", "paid_to_platform", "paid_to_partner"]
    list_select_related = ["mode", "seat_type"]
    search_fields = ["mode__slug", "seat_type__slug"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Another mode or seat type is another track.
        return obj is None and super().has_change_permission(request, obj)

    @admin.display(boolean=True, description="paid to platform")
    def paid_to_platform(self, track: Track) -> bool:
        return track.paid_to_platform

    @admin.display(boolean=True, description="paid to partner")
    def paid_to_partner(self, track: Track) -> bool:
        return track.paid_to_partner


class TracksFormSet(forms.BaseInlineFormSet):
    """The tracks of a run type, which have to be possible together."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        run_type: Any = self.instance
        tracks = list(self._tracks())
        problems = [
            *run_type_problems(run_type.as_value(track.as_value() for track in tracks)),
            *_vanishing(run_type, tracks),
        ]
        if problems:
            raise forms.ValidationError(problems)

    def _tracks(self) -> Iterable[Track]:
        for form in self.forms:
            if form.cleaned_data.get("track") and not form.cleaned_data.get("DELETE"):
                yield form.cleaned_data["track"]


def _vanishing(run_type: CourseRunType, tracks: Iterable[Track]) -> Iterable[str]:
    """Say which modes published runs would lose: to change their type in place is to change them."""
    if run_type.pk is None:
        return
    published = run_type.typed_runs.exclude(published_at=None).count()
    had = set(run_type.links.values_list("track__mode__slug", flat=True))
    lost = sorted(had - {track.mode.slug for track in tracks})
    if lost and published:
        yield f"{published} published runs have this type, and would lose: {', '.join(lost)}."


class TracksInline(admin.TabularInline):
    """The tracks of a run type."""

    model = CourseRunTypeTrack
    formset = TracksFormSet
    extra = 1


@admin.register(CourseRunType)
class CourseRunTypeAdmin(TypeAdmin):
    """What runs may be for."""

    inlines = [TracksInline]


class RunTypesInline(admin.TabularInline):
    """The run types of a course type."""

    model = CourseTypeRunType
    extra = 1


@admin.register(CourseType)
class CourseTypeAdmin(TypeAdmin):
    """What courses may be for."""

    list_display = ["slug", "name", "entitlement_type", "rank", "is_retired", "discovery_uuid", "origin"]
    list_select_related = ["entitlement_type"]
    inlines = [RunTypesInline]
