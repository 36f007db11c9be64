"""`manage.py import_course_types`: taking over the types of a course-discovery."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.course_types.management.telling import counted, with_progress
from enterprise_access.apps.course_types.services.courses import CourseFate, import_courses
from enterprise_access.apps.course_types.services.importing import DiscoveryTypes, What, fetch_told, import_types
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Read the types of course-discovery, and make ours of them: all or nothing."""

    help = (
        "Read the types of course-discovery, and add and update this service's types, all or nothing. Deletes "
        "nothing, and does not change which organizations may use a type. Without --commit it only prints what it "
        "would do. See docs/how-to/import-course-types.rst."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from-course", metavar="KEY", help="A course of course-discovery that the service account may change."
        )
        parser.add_argument("--with-courses", action="store_true", help="Also import the types of courses and runs.")
        parser.add_argument("--commit", action="store_true", help="Save the result. Without it, nothing is saved.")

    def handle(self, *args: Any, **options: Any) -> None:
        commit = options["commit"]
        try:
            told = fetch_told(course_key=options["from_course"])
            imported = import_types(told, commit=commit)
        except ServiceError as error:
            raise CommandError(f"{error.detail} Nothing was saved.") from error
        for line in imported.lines:
            self.stdout.write(f"{line.what.value}: {line.kind} {line.slug}{': ' if line.text else ''}{line.text}")
        added = imported.of(What.ADDED)
        if any(line.kind == "course run type" for line in added):
            self.stdout.write(
                "The slugs of added run types are made from their names: rename them before they are used."
            )
        refused = self.take_over_courses(told, commit=commit) if options["with_courses"] else 0
        summary = counted(line.what.value for line in imported.lines)
        self.stdout.write(
            f"{'' if commit else 'Dry run, nothing was saved. '}Types: {summary or 'nothing new'},"
            f" the same: {imported.unchanged}."
        )
        if refused:
            raise CommandError(f"{refused} courses could not be taken over; the lines above say why.")

    def take_over_courses(self, told: DiscoveryTypes, *, commit: bool) -> int:
        """Take over courses one by one, say what differs, and return how many could not be."""
        fates = []
        rows = import_courses(told.courses, commit=commit)
        for row in with_progress(rows, total=len(told.courses), out=self.stderr, what="courses"):
            fates.append(row.fate.value)
            if row.fate is not CourseFate.SAME or row.text:
                self.stdout.write(f"{row.course_key}: {row.fate.value}: {row.course_type or row.text}")
                if row.course_type and row.text:
                    self.stdout.write(f"    {row.text}")
        self.stdout.write(f"Courses: {counted(fates) or 'none'}.")
        return sum(fate == CourseFate.REFUSED for fate in fates)
