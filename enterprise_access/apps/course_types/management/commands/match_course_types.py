"""`manage.py match_course_types`: what courses are for, told from what is sold of them."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.course_types.management.telling import counted, with_progress
from enterprise_access.apps.course_types.services.courses import CourseFate, fetch_courses, match_courses
from enterprise_access.lib.errors import ServiceError


def pair(text: str) -> tuple[str, str]:
    """Return a course type and a run type that are given as `course-type:run-type`."""
    course_type, colon, run_type = text.partition(":")
    if not (course_type and colon and run_type):
        raise ArgumentTypeError(f"{text!r} is not like course-type:run-type")
    return course_type, run_type


class Command(BaseCommand):
    """Match courses of which nothing is known with the types that have their seats."""

    help = (
        "Find types for courses and runs without one, from their products in course-discovery. Existing types are not"
        " changed. Without --commit it only prints what it would do. Exits with 1 if a course cannot be matched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--course",
            action="append",
            default=[],
            metavar="KEY",
            help="Course key; repeatable. Default: all courses.",
        )
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            type=pair,
            metavar="COURSE-TYPE:RUN-TYPE",
            help=(
                "Allow runs of this type in courses of this type, although the course type does not list it; "
                "repeatable."
            ),
        )
        parser.add_argument("--commit", action="store_true", help="Save the result. Without it, nothing is saved.")

    def handle(self, *args: Any, **options: Any) -> None:
        fates: list[CourseFate] = []
        try:
            records = fetch_courses(course_keys=options["course"])
            rows = match_courses(records, commit=options["commit"], allow=options["allow"])
            for row in with_progress(rows, total=len(records), out=self.stderr, what="courses"):
                fates.append(row.fate)
                if row.fate is not CourseFate.SAME:
                    self.stdout.write(f"{row.course_key}: {row.fate.value}: {row.course_type or row.text}")
                    for run_key, run_type in (row.run_types or {}).items():
                        self.stdout.write(f"    {run_key}: {run_type}")
        except ServiceError as error:
            raise CommandError(error.detail) from error
        found = {record.key.lower() for record in records}
        absent = [key for key in options["course"] if key.lower() not in found]
        dry = "" if options["commit"] else "Dry run, nothing was saved. "
        self.stdout.write(f"{dry}Courses: {counted(fate.value for fate in fates) or 'none'}.")
        if absent:
            raise CommandError(f"course-discovery has no course {', '.join(absent)}.")
        unmatched = sum(fate in (CourseFate.NO_MATCH, CourseFate.REFUSED, CourseFate.UNKNOWN) for fate in fates)
        if unmatched:
            raise CommandError(f"{unmatched} courses could not be matched; the lines above say why.")
