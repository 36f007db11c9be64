"""`manage.py course_types_table`: the changes that are possible, for docs/reference/course-types.rst."""

from typing import Any

from django.core.management.base import BaseCommand

from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.management.transitions_table import transitions_tables


class Command(BaseCommand):
    """A test compares what it prints with what the document holds."""

    help = "Print, as reStructuredText, which changes of type the rules allow after publication."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(transitions_tables(seeded_graph()))
