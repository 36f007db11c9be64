"""`manage.py course_types_oracle FILE`: do the rules answer the cases of a file as the file wants?"""

import json
from argparse import ArgumentParser
from collections.abc import Set
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.course_types.management.oracle_file import (
    Evaluated,
    Unreadable,
    UnreadableFileError,
    evaluate_all,
    read,
)

DIFFERS = 1
UNREADABLE = 2


class Command(BaseCommand):
    """Exits 0 when every case is answered as wanted, 1 when one differs, 2 when the file or a case is unreadable."""

    help = "Evaluate the cases of FILE with the rules of course types as they are, and print those that differ."
    # The rules need neither database nor settings.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="JSON like tests/data/course-types-oracle.json")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            results = list(evaluate_all(read(options["file"])))
        except UnreadableFileError as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        unreadable = [result for result in results if isinstance(result, Unreadable)]
        evaluated = [result for result in results if isinstance(result, Evaluated)]
        differing = [result for result in evaluated if not result.is_as_wanted]
        self._print(unreadable, differing, evaluated)
        if unreadable:
            raise SystemExit(UNREADABLE)
        if differing:
            raise SystemExit(DIFFERS)

    def _print(self, unreadable: list[Unreadable], differing: list[Evaluated], evaluated: list[Evaluated]) -> None:
        for case in unreadable:
            self.stderr.write(f"{case.where} cannot be read: {case.why}")
        for result in evaluated:
            if result.departure:
                self.stdout.write(f"{result.id} departs from upstream: {result.departure}")
        for result in differing:
            self.stdout.write(f"{result.id} differs")
            self.stdout.write(f"  wanted {_as_line(result.want)}")
            self.stdout.write(f"  got    {_as_line(result.got)}")
        as_wanted = len(evaluated) - len(differing)
        total = len(evaluated) + len(unreadable)
        closing = f"{total} cases: {as_wanted} as wanted, {len(differing)} differ, {len(unreadable)} unreadable."
        self.stdout.write(closing)


def _as_line(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Set):
        return sorted(value, key=str)
    return value.isoformat() if isinstance(value, datetime) else str(value)
