"""Admin pages that show and do not change, pages that ask a neighbour before they save, and lists that stay fast."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, AdminForm
from django.contrib.admin.utils import display_for_field, flatten_fieldsets, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.csrf import csrf_protect
from simple_history.admin import SimpleHistoryAdmin

from enterprise_access.lib import admin_filters  # noqa: F401 (lists offer choices in words)
from enterprise_access.lib.admin_columns import Column
from enterprise_access.lib.wording import in_words, named

# How far the rows of a list are counted and paged through. Who wants to see more has not asked well enough.
MOST_ROWS: Final = 10_000
_LARGEST_ID: Final = 2**63 - 1


class ReadableAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists and pages that say choices in words, and write acronyms in capitals.

    Only what is shown changes. The labels that models declare are those of the API's codes, and are in migrations.
    """

    def get_list_display(self, request: HttpRequest) -> Any:
        return [self._readable(name) for name in super().get_list_display(request)]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and field.label:
            field.label = named(str(field.label))
            field.help_text = named(str(field.help_text))
        return field

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown: AdminForm = context["adminform"]
        fieldsets: Any = [
            (
                title,
                {**options, "fields": [self._readable_in(shown.readonly_fields, each) for each in options["fields"]]},
            )
            for title, options in shown.fieldsets
        ]
        also = [each for each in flatten_fieldsets(fieldsets) if callable(each)]
        readonly = [*shown.readonly_fields, *also]
        context["adminform"] = AdminForm(
            shown.form, fieldsets, self.get_prepopulated_fields(request, kwargs.get("obj")), readonly, model_admin=self
        )
        return super().render_change_form(request, context, *args, **kwargs)

    def _readable_in(self, readonly: Any, each: Any) -> Any:
        if isinstance(each, list | tuple):
            return [self._readable_in(readonly, name) for name in each]
        return self._readable(each) if each in readonly else each

    def _readable(self, name: Any) -> Any:
        """Return what shows a column of the table in words, where Django would not; or what was given."""
        if not isinstance(name, str) or hasattr(type(self), name):
            return name
        try:
            field: Any = self.opts.get_field(name)
        except FieldDoesNotExist:
            return name
        if field.is_relation:
            return name
        label = named(str(field.verbose_name))
        has_choices = bool(getattr(field, "flatchoices", None))
        if not has_choices and label == field.verbose_name:
            return name

        def column(row: Any) -> Any:
            value = getattr(row, field.attname)
            text = display_for_field(value, field, self.get_empty_value_display())
            return in_words(text) if has_choices and isinstance(text, str) else text

        column.__name__ = name
        return admin.display(column, description=label, ordering=name)


class ReadOnlyAdmin(ReadableAdmin):
    """A list and pages to look at. What may be done has an action, which calls a service.

    `first_fields` are what a page shows at once; the rest is folded below them.
    """

    first_fields: Sequence[str] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.first_fields:
            return super().get_fieldsets(request, obj)
        rest = [name for name in self.get_fields(request, obj) if name not in self.first_fields]
        folded = ("All columns", {"fields": rest, "classes": ["collapse"]})
        return [(None, {"fields": list(self.first_fields)}), folded]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyHistoryAdmin(ReadableAdmin, SimpleHistoryAdmin):
    """Shows earlier states. None can be brought back by a button, which would go around every rule (and which the
    library offers to everybody who may look)."""

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._refuse_no_key(unquote(object_id))
        answer: HttpResponse = super().history_view(request, object_id, extra_context)
        return answer

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            raise PermissionDenied
        self._refuse_no_key(object_id)
        if not (version_id.isascii() and version_id.isdigit() and len(version_id) < len(str(_LARGEST_ID))):
            raise Http404
        answer: HttpResponse = super().history_form_view(request, object_id, version_id, extra_context)
        return answer

    def _refuse_no_key(self, object_id: str) -> None:
        """Answer that there is nothing where an address has no key at all; the library would crash."""
        try:
            self.opts.pk.to_python(object_id)
        except ValidationError:
            raise Http404 from None


class AsksBeforeAddingAdmin(ReadableAdmin):
    """Adds without Django's transaction around the whole page: a neighbour may be asked while the form is checked, and
    no lock may be held for so long. What is added is one row, which a service writes."""

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        page = super().changeform_view if object_id else self._changeform_view  # type: ignore[attr-defined]
        return page(request, object_id, form_url, extra_context)


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than MOST_ROWS: a database would look at every row to count all of them."""

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by().values("pk")[:MOST_ROWS].count()


class BoundedActionsAdmin(ReadableAdmin):
    """Actions that touch what the page says, and no more.

    A list counts its rows no further than MOST_ROWS, so "Select all" may stand for more rows than it says: then the
    action is refused. So is one on more rows than `most_at_once`. Either is found out without loading the rows.
    """

    most_at_once = 1000

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *more: Any) -> HttpResponse | None:
        if request.POST.get("select_across") not in (None, "", "0"):
            count = queryset.order_by().values("pk")[: self.most_at_once + 1].count()
            if count > self.most_at_once:
                messages.error(
                    request,
                    f"An action is for at most {self.most_at_once} rows, and the list has more. Nothing was changed. "
                    "Filter the list, or select the rows of one page.",
                )
                return HttpResponseRedirect(request.get_full_path())
        if not all(map(self._may_be_key, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            messages.error(request, "What was selected is no row of this list. Nothing was changed.")
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *more)

    def _may_be_key(self, text: str) -> bool:
        """Say whether a row can have this key: a database is not asked for what it cannot hold."""
        key: Any = self.opts.pk
        try:
            key.run_validators(key.to_python(text))
        except ValidationError:
            return False
        return "\x00" not in text


class LearnerRowsAdmin(BoundedActionsAdmin, ReadOnlyAdmin):
    """A read-only list with a row per learner and something, which may be long.

    In a search, a number is an LMS user id, and a uuid is looked for in `uuid_paths`: both through an index. Any other
    word is looked for in `search_fields`. Words have to be found together, each in some column.
    """

    uuid_paths: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False
    # Counting what every filter would leave is looking at every row, once per choice.
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50
    search_help_text = "An LMS user id, a UUID, or a part of a course or run key."

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        words = []
        for word in search_term.split():
            if word.isascii() and word.isdigit():
                queryset = queryset.filter(lms_user_id=int(word)) if int(word) <= _LARGEST_ID else queryset.none()
            elif (uuid := _uuid_in(word)) is not None:
                queryset = queryset.filter(Q(*((path, uuid) for path in self.uuid_paths), _connector=Q.OR))
            else:
                words.append(word)
        return super().get_search_results(request, queryset, " ".join(words)) if words else (queryset, False)


def _uuid_in(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


Section = Callable[[HttpRequest, Any], str]


class SectionedAdmin(ReadableAdmin):
    """A page to which the apps above may add `sections`, and a list to which they may add `columns`.

    A section is a function that returns HTML; so an app need not know who has something to say about its rows.
    """

    change_form_template = "core/change_form_with_sections.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections: list[Section] = []
        self.columns: list[Column] = []

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), *(column.display() for column in self._columns_for(request))]

    def get_queryset(self, request: HttpRequest) -> Any:
        values = {column.name: column.value for column in self._columns_for(request)}
        return super().get_queryset(request).annotate(**values)

    def _columns_for(self, request: HttpRequest) -> list[Column]:
        return [column for column in self.columns if request.user.has_perm(column.permission)]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        context["sections"] = [section(request, obj) for section in self.sections] if obj is not None else []
        return super().render_change_form(request, context, add=add, change=change, form_url=form_url, obj=obj)
