"""`manage.py retire_learner`: take a person out of every table."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandParser

from enterprise_access.apps.default_enrollments.services.operations.pruning import retire_learner


class Command(BaseCommand):
    """Remove a learner, histories included."""

    help = "Delete a learner from every table, including histories. The LMS is not changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lms_user_id", type=int, help="The learner.")

    def handle(self, *args: Any, **options: Any) -> None:
        gone = retire_learner(lms_user_id=options["lms_user_id"])
        _, deleted = get_user_model().objects.filter(lms_user_id=options["lms_user_id"]).delete()
        gone["user"] = deleted.get("core.User", 0)
        gone["role assignments"] = deleted.get("core.AccessRoleAssignment", 0)
        for table, rows in gone.items():
            self.stdout.write(f"{table}: {rows}")
