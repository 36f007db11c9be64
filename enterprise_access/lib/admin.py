"""Admin pages that show and do not change, pages that ask a neighbour before they save, and lists that stay fast."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, cast
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.csrf import csrf_protect
from simple_history.admin import SimpleHistoryAdmin

# How far the rows of a list are counted and paged through. Who wants to see more has not asked well enough.
MOST_ROWS: Final = 10_000
# How many names a filter offers while one types.
MOST_SUGGESTIONS: Final = 200
_LARGEST_ID: Final = 2**63 - 1


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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


class ReadOnlyHistoryAdmin(SimpleHistoryAdmin):
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


class AsksBeforeAddingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Adds without Django's transaction around the whole page: a neighbour is asked while the form is checked, and no
    lock may be held for so long. What is added is one row, which a service writes."""

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


class BoundedActionsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
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

    A search for a number is one for an LMS user id, and one for a uuid is looked for in `uuid_paths`: both through an
    index. Any other text is looked for in `search_fields`.
    """

    uuid_paths: ClassVar[tuple[str, ...]] = ()
    show_full_result_count = False
    # Counting what every filter would leave is looking at every row, once per choice.
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50
    search_help_text = "An LMS user id, a uuid, or a part of a course or run key."

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if term.isascii() and term.isdigit():
            return (queryset.filter(lms_user_id=int(term)) if int(term) <= _LARGEST_ID else queryset.none()), False
        try:
            uuid = UUID(term)
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(*((path, uuid) for path in self.uuid_paths), _connector=Q.OR)), False


Section = Callable[[HttpRequest, Any], str]


class SectionedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page to which the apps above may add `sections`, below what the app itself has to show.

    A section is a function that returns HTML; so an app need not know who has something to say about its rows.
    """

    change_form_template = "core/change_form_with_sections.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections: list[Section] = []

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


class FormFilter(admin.SimpleListFilter):
    """A filter with a form of its own, which keeps what the other filters say. Works without JavaScript."""

    others: list[tuple[str, str]]

    def choices(self, changelist: Any) -> Iterator[Any]:
        query = changelist.get_query_string(remove=[self.parameter_name, "p"])
        self.others = parse_qsl(query.lstrip("?"), keep_blank_values=True)
        yield from super().choices(changelist)


class SelectFilter(FormFilter):
    """A filter with more choices than a column of links should have."""

    template = "core/filter_select.html"

    def choices(self, changelist: Any) -> Iterator[Any]:
        values = ["", *(str(value) for value, _ in self.lookup_choices)]
        for value, choice in zip(values, super().choices(changelist), strict=True):
            yield {**choice, "value": value}


class RowFilter(FormFilter):
    """A filter by a row of another table that is typed in: by its uuid, one of its `names` or a part of one.

    However many rows there are, the page offers only some while one types. `path` leads from the list to that row.
    """

    template = "core/filter_text.html"
    model: ClassVar[type[Model]]
    path: ClassVar[str]
    names: ClassVar[tuple[str, ...]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    @property
    def suggestions(self) -> list[str]:
        rows = self.model._default_manager.order_by(self.names[0]).values_list(self.names[0], flat=True)
        return list(rows[:MOST_SUGGESTIONS])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        if not value:
            return queryset
        return queryset.filter(**{f"{self.path}__in": self._rows_named(value)})

    def _rows_named(self, value: str) -> list[Model]:
        """Return the row of this uuid or name; or else rows that have it in a name."""
        rows = self.model._default_manager
        try:
            return list(rows.filter(pk=UUID(value)))
        except ValueError:
            named = Q(*((f"{name}__iexact", value) for name in self.names), _connector=Q.OR)
            with_it = Q(*((f"{name}__icontains", value) for name in self.names), _connector=Q.OR)
            return list(rows.filter(named)) or list(rows.filter(with_it)[:MOST_SUGGESTIONS])
