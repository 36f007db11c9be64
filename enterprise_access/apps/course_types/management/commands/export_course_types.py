"""`manage.py export_course_types`: the types in one table."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.course_types.selectors import get_graph
from enterprise_access.apps.course_types.services.exporting import as_csv, flat_rows
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Write a row for each course type, run type and track."""

    help = "Write the types to standard output: one row for each course type, run type and track."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["csv", "json"], default="csv", help="csv (the default) or json.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rows = list(flat_rows(get_graph()))
        except ServiceError as error:
            raise CommandError(error.detail) from error
        text = as_csv(rows) if options["format"] == "csv" else json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
        self.stdout.write(text, ending="")
