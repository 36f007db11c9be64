"""Columns that an app adds to a list of an app below it, which does not know that app."""

from collections.abc import Callable
from typing import Any

from attrs import frozen
from django.contrib import admin


@frozen(kw_only=True)
class Column:
    """A column of a list that another app adds: `value` is computed with the rows, in the same statement, as `name`.

    `permission`: who lacks it does not see the column.
    """

    name: str
    title: str
    value: Any
    permission: str

    def display(self) -> Callable[[Any], Any]:
        """Return what Django's lists take as a column that can be sorted."""

        @admin.display(description=self.title, ordering=self.name)
        def show(row: Any) -> Any:
            return getattr(row, self.name)

        show.__name__ = self.name
        return show
