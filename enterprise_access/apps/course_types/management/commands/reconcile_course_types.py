"""`manage.py reconcile_course_types`: where reality differs from what is said here."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.course_types.management.telling import counted, with_progress
from enterprise_access.apps.course_types.services.importing import fetch_told
from enterprise_access.apps.course_types.services.reconciling import Difference, reconcile_courses, reconcile_types
from enterprise_access.lib.errors import ServiceError

DIFFERS = 1
NOT_ASKED = 2


class Command(BaseCommand):
    """Compare types, what courses are for, and what they have."""

    help = (
        "Compare this service's course types, and the types, products and LMS modes of courses and runs, with "
        "course-discovery, ecommerce and the LMS; list unknown types. Changes nothing. Exits with 1 if anything "
        "differs, with 2 if course-discovery did not answer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from-course", metavar="KEY", help="A course of course-discovery that the service account may change."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[Difference] = []
        try:
            told = fetch_told(course_key=options["from_course"])
            found += reconcile_types(told)
            watched = with_progress(told.courses, total=len(told.courses), out=self.stderr, what="courses")
            found += reconcile_courses(watched)
        except ServiceError as error:
            raise CommandError(error.detail, returncode=NOT_ASKED) from error
        for difference in found:
            self.stdout.write(f"{difference.about.value}: {difference.what}: {difference.text}")
        summary = counted(difference.about.value for difference in found)
        self.stdout.write(f"{len(told.courses)} courses compared. Differences: {summary or 'none'}.")
        if found:
            raise SystemExit(DIFFERS)
