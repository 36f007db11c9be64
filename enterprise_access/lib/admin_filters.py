"""Filters of the lists in the admin: choices in words, and texts to type where there are too many to choose from."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl
from uuid import UUID

from django.contrib import admin
from django.db.models import CharField, Model, Q, QuerySet
from django.http import HttpRequest

from enterprise_access.lib.wording import in_words

# How many names a filter offers while one types.
MOST_SUGGESTIONS: Final = 200


class ReadableChoicesFilter(admin.ChoicesFieldListFilter):
    """A filter by a field with choices, which it offers in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": in_words(str(choice["display"]))}


class ReadableValuesFilter(admin.AllValuesFieldListFilter):
    """A filter by the values that a column has: codes in words, anything else as it is."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            text = str(choice["display"])
            yield {**choice, "display": text if _NOT_A_CODE.search(text) else in_words(text) or "None"}


class ReadableRowsFilter(admin.RelatedFieldListFilter):
    """A filter by rows of another table, which it offers by their names."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = field.remote_field.model._default_manager.order_by(
            *self.field_admin_ordering(field, request, model_admin)
        )
        return [(row.pk, in_words(str(getattr(row, "name", row)))) for row in rows]


_NOT_A_CODE: Final = re.compile(r"[^A-Za-z0-9_ ]")
admin.FieldListFilter.register(
    lambda field: isinstance(field, CharField) and not field.flatchoices, ReadableValuesFilter, take_priority=True
)
admin.FieldListFilter.register(lambda field: bool(field.many_to_one), ReadableRowsFilter, take_priority=True)
admin.FieldListFilter.register(
    lambda field: bool(getattr(field, "flatchoices", None)), ReadableChoicesFilter, take_priority=True
)


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
