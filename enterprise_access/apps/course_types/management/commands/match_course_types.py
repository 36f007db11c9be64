"""`manage.py match_course_types`: what courses are for, told from what is sold of them."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.course_types.management.telling import counted, with_progress
from enterprise_access.apps.course_types.services.courses import Fate, fetch_courses, match_courses
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
        "Find types that fit what course-discovery sells of courses and runs of which it is not known what they are"
        " for. What is known is never changed. Without --commit it only says what it would do. Ends with 1 when a"
        " course cannot be matched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--course", action="append", default=[], metavar="KEY", help="Repeatable. Left out: all.")
        parser.add_argument(
            "--allow",
            action="append",
            default=[],
            type=pair,
            metavar="COURSE-TYPE:RUN-TYPE",
            help="Runs of this type may be in courses of this type, although it does not list them; repeatable.",
        )
        parser.add_argument("--commit", action="store_true", help="Save it. Otherwise nothing is saved.")

    def handle(self, *args: Any, **options: Any) -> None:
        fates: list[Fate] = []
        try:
            records = fetch_courses(course_keys=options["course"])
            rows = match_courses(records, commit=options["commit"], allow=options["allow"])
            for row in with_progress(rows, total=len(records), out=self.stderr, what="courses"):
                fates.append(row.fate)
                if row.fate is not Fate.SAME:
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
        unmatched = sum(fate in (Fate.NO_MATCH, Fate.REFUSED, Fate.UNKNOWN) for fate in fates)
        if unmatched:
            raise CommandError(f"{unmatched} courses could not be matched; the lines above say why.")
