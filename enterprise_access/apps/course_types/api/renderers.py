"""Flat rows as CSV, for who asks for it with `Accept: text/csv`."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer

from enterprise_access.apps.course_types.services.exporting import as_csv


class CsvRenderer(BaseRenderer):
    """Renders rows with the columns of `services.exporting`; errors stay JSON, in a view that says so."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        return as_csv(data)
