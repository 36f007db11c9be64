"""What courses and runs are for, in the admin: a person sees what a change brings before anything is saved."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse

from enterprise_access.apps.course_types.models import CourseRunType, CourseType, TypedCourse, TypedCourseRun
from enterprise_access.apps.course_types.services.assigning import (
    Checked,
    assign_course_type,
    assign_run_type,
    check_course_type,
    check_run_type,
)
from enterprise_access.lib.admin import BoundedPaginator, ReadOnlyHistoryAdmin
from enterprise_access.lib.errors import ServiceError

KEY_WIDGET = forms.TextInput(attrs={"size": 60, "autocomplete": "off", "spellcheck": "false"})
PUBLISHED = "Learners may be in it. From then on only safe changes of its type are allowed. This cannot be undone."
# What the verdict is shown with, in the order in which it is read.
EFFECTS: Mapping[str, str] = {
    "modes_added": "Modes that would be added in the LMS",
    "products_added": "Products that would be added",
    "modes_vanishing": "Modes that would be removed",
    "products_vanishing": "Products that would be removed",
}


class AssigningForm(forms.Form):
    """What something is to be for, sent twice: first to be told what comes of it, and then to save that.

    `shown` is what the last page showed: what was changed since is shown first.
    """

    shown = forms.CharField(required=False, widget=forms.HiddenInput)
    checked: Checked | None = None

    def check_it(self, cleaned: Mapping[str, Any]) -> Checked:
        raise NotImplementedError

    def save_it(self) -> Any:
        """Save it, and return the row. Raises ServiceError."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Ask the rules; what is wrong with what was typed is an error."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.checked = self.check_it(cleaned)
            except ServiceError as error:
                self.add_error(None, forms.ValidationError(error.detail, code=error.code))
        return cleaned

    @property
    def address(self) -> str:
        """What is being shown, in one line."""
        return "|".join(str(self.cleaned_data.get(name)) for name in self.fields if name != "shown")

    @property
    def is_confirmed(self) -> bool:
        """Whether the very thing was shown before, and nothing speaks against it."""
        is_same = self.cleaned_data["shown"] == self.address
        return is_same and self.checked is not None and self.checked.transition.is_allowed

    @property
    def effects(self) -> list[tuple[str, str]]:
        """What the change would bring, as rows of a table."""
        if self.checked is None:
            return []
        found = self.checked.transition.effects
        return [
            (text, ", ".join(sorted(getattr(found, name)))) for name, text in EFFECTS.items() if getattr(found, name)
        ]


class CourseForm(AssigningForm):
    """What a course is to be for."""

    course_key = forms.CharField(max_length=255, widget=KEY_WIDGET, help_text="edX+DemoX")
    course_type = forms.ModelChoiceField(CourseType.objects.all())
    is_published = forms.BooleanField(required=False, label="Published", help_text=PUBLISHED)

    def check_it(self, cleaned: Mapping[str, Any]) -> Checked:
        return check_course_type(course_key=cleaned["course_key"], course_type=cleaned["course_type"].slug)

    def save_it(self) -> TypedCourse:
        cleaned = self.cleaned_data
        return assign_course_type(
            course_key=cleaned["course_key"],
            course_type=cleaned["course_type"].slug,
            publish=cleaned["is_published"] or None,
        )


class RunForm(AssigningForm):
    """What a run is to be for."""

    course_key = forms.CharField(max_length=255, widget=KEY_WIDGET, help_text="edX+DemoX")
    run_key = forms.CharField(max_length=255, widget=KEY_WIDGET, help_text="course-v1:edX+DemoX+2026_T1")
    run_type = forms.ModelChoiceField(CourseRunType.objects.all())
    is_published = forms.BooleanField(required=False, label="Published", help_text=PUBLISHED)

    def check_it(self, cleaned: Mapping[str, Any]) -> Checked:
        return check_run_type(
            course_key=cleaned["course_key"], run_key=cleaned["run_key"], run_type=cleaned["run_type"].slug
        )

    def save_it(self) -> TypedCourseRun:
        cleaned = self.cleaned_data
        return assign_run_type(
            course_key=cleaned["course_key"],
            run_key=cleaned["run_key"],
            run_type=cleaned["run_type"].slug,
            publish=cleaned["is_published"] or None,
        )


class AssigningAdmin(ReadOnlyHistoryAdmin):
    """A page that shows first what a change would bring. Works without JavaScript."""

    form_class: ClassVar[type[AssigningForm]]
    text: ClassVar[str]
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50

    def initial_of(self, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was published would be free again.
        return (obj is None or obj.published_at is None) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> Any:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self._view(request, None, request.GET.dict())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = get_object_or_404(self.model, pk=object_id) if object_id.isdigit() else None
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        return self._view(request, row, self.initial_of(row))

    def _view(self, request: HttpRequest, row: Any, initial: dict[str, Any]) -> HttpResponse:
        may_save = row is None or self.has_change_permission(request, row)
        if request.method == "POST" and not may_save:
            raise PermissionDenied
        form = self.form_class(request.POST or None, initial=initial)
        if row is not None:
            self._fix(form, initial)
        if not may_save:
            for field in form.fields.values():
                field.disabled = True
        if request.method == "POST" and form.is_valid() and form.is_confirmed:
            answer = self._save(request, form, is_new=row is None)
            if answer is not None:
                return answer
        context = {
            **self.admin_site.each_context(request),
            "title": f"{'Change' if row is not None else 'Set'} the type",
            "opts": self.opts,
            "text": self.text,
            "form": form,
            "original": row,
            "may_save": may_save,
            "may_delete": row is not None and self.has_delete_permission(request, row),
        }
        return TemplateResponse(request, "course_types/assign.html", context)

    @staticmethod
    def _fix(form: AssigningForm, initial: Mapping[str, Any]) -> None:
        """Keep what says which row it is; another key is another row. And what was published stays so."""
        for name in ("course_key", "run_key"):
            if name in form.fields:
                form.fields[name].disabled = True
        form.fields["is_published"].disabled = bool(initial["is_published"])

    def _save(self, request: HttpRequest, form: AssigningForm, *, is_new: bool) -> HttpResponse | None:
        try:
            row = form.save_it()
        except ServiceError as error:
            # Somebody else was faster.
            form.add_error(None, forms.ValidationError(error.detail, code=error.code))
            return None
        if is_new:
            self.log_addition(request, row, [{"added": {}}])
        else:
            self.log_change(request, row, "Changed the type.")
        messages.success(request, f"The type of {row} was saved.")
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))


@admin.register(TypedCourse)
class TypedCourseAdmin(AssigningAdmin):
    """What courses are for."""

    form_class = CourseForm
    text = "The type of a course says which run types its runs may have, and which entitlement is sold for it."
    list_display = ["course_key", "course_type", "published_at", "source", "modified"]
    list_filter = ["source", "course_type"]
    list_select_related = ["course_type"]
    search_fields = ["course_key_folded"]

    def initial_of(self, row: TypedCourse) -> dict[str, Any]:
        return {
            "course_key": row.course_key,
            "course_type": row.course_type_id,
            "is_published": row.published_at is not None,
        }


@admin.register(TypedCourseRun)
class TypedCourseRunAdmin(AssigningAdmin):
    """What runs are for."""

    form_class = RunForm
    text = "The type of a run says which modes it has in the LMS, and which seats are sold for it."
    list_display = ["run_key", "run_type", "course", "published_at", "source", "modified"]
    list_filter = ["source", "run_type"]
    list_select_related = ["run_type", "course"]
    search_fields = ["run_key_folded", "course__course_key_folded"]

    def initial_of(self, row: TypedCourseRun) -> dict[str, Any]:
        return {
            "course_key": row.course.course_key,
            "run_key": row.run_key,
            "run_type": row.run_type_id,
            "is_published": row.published_at is not None,
        }
