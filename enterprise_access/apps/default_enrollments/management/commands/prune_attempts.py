"""`manage.py prune_attempts`: keep the table of attempts small."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from enterprise_access.apps.default_enrollments.services.operations.pruning import prune_attempts
from enterprise_access.lib import clock


class Command(BaseCommand):
    """Delete old attempts that a later one has replaced."""

    help = "Delete old attempts that a later one of the same learner and intention has replaced."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=90, help="Minimum age in days (default: 90).")

    def handle(self, *args: Any, **options: Any) -> None:
        deleted = prune_attempts(older_than=clock.now() - timedelta(days=options["days"]))
        self.stdout.write(f"{deleted} attempts deleted.")
