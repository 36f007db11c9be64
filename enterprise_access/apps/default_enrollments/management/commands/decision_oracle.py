"""`manage.py decision_oracle FILE`: do the rules answer the cases of a file as the file expects?"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.default_enrollments.management.oracle_file import (
    Evaluated,
    Unreadable,
    UnreadableFileError,
    evaluate_all,
    read,
)

DIFFERS = 1
UNREADABLE = 2


class Command(BaseCommand):
    """Exits 0 when every case is answered as expected, 1 when one differs, 2 when the file or a case is unreadable."""

    help = "Evaluate the decision and payer cases of FILE with the rules as they are, and print those that differ."
    # The rules need neither database nor settings.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="JSON like tests/data/decision-oracle.json")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            results = list(evaluate_all(read(options["file"])))
        except UnreadableFileError as error:
            raise CommandError(str(error), returncode=UNREADABLE) from error
        unreadable = [result for result in results if isinstance(result, Unreadable)]
        differing = [result for result in results if isinstance(result, Evaluated) and not result.is_as_expected]
        self._print(unreadable, differing, total=len(results))
        if unreadable:
            raise SystemExit(UNREADABLE)
        if differing:
            raise SystemExit(DIFFERS)

    def _print(self, unreadable: list[Unreadable], differing: list[Evaluated], *, total: int) -> None:
        for case in unreadable:
            self.stderr.write(f"{case.where} cannot be read: {case.why}")
        for result in differing:
            self.stdout.write(f"{result.id} differs")
            self.stdout.write(f"  expected {_as_line(result.expected)}")
            self.stdout.write(f"  got      {_as_line(result.got)}")
        as_expected = total - len(differing) - len(unreadable)
        closing = f"{total} cases: {as_expected} as expected, {len(differing)} differ, {len(unreadable)} unreadable."
        self.stdout.write(closing)


def _as_line(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False)
