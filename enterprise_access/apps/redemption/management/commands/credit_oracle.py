"""`manage.py credit_oracle FILE`: do the rules of learner credit answer the cases of a file as the file wants?"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.redemption.management.oracle_file import Answered, UnreadableFileError, answer_file
from enterprise_access.apps.redemption.management.oracle_file.comparing import as_plain

DIFFERS: Final = 1


class Command(BaseCommand):
    """Evaluate the cases of FILE with the rules as they are, and print the ids of those that differ.

    Exits 0 when every case is answered as wanted; 1 when one differs, raises, cannot be read, or is for a function
    that is not known.
    """

    help = (
        "Evaluate the cases of FILE with the rules of learner credit, and print the ids of those with an unexpected "
        "result."
    )
    # The rules need neither database nor settings.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="JSON like tests/data/credit-oracle.json")
        parser.add_argument("--explain", metavar="ID", help="show what this case expects and what the rules answer")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            answers = list(answer_file(options["file"]))
        except UnreadableFileError as error:
            raise CommandError(str(error), returncode=DIFFERS) from error
        if options["explain"]:
            self._explain(answers, options["explain"])
            return
        differing = [answered for answered in answers if not answered.is_as_wanted]
        for answered in differing:
            self.stdout.write(answered.id)
            if answered.problem:
                self.stderr.write(f"{answered.id}: {answered.problem}")
        self.stderr.write(f"{len(answers)} cases: {len(answers) - len(differing)} as expected, {len(differing)} not.")
        if differing:
            raise SystemExit(DIFFERS)

    def _explain(self, answers: list[Answered], case_id: str) -> None:
        found = [answered for answered in answers if answered.id == case_id]
        if not found:
            raise CommandError(f"The file has no case {case_id}.", returncode=DIFFERS)
        for answered in found:
            self.stdout.write(f"{answered.id} is {'as expected' if answered.is_as_wanted else 'not as expected'}")
            self.stdout.write(f"  expected {json.dumps(answered.want, ensure_ascii=False)}")
            self.stdout.write(
                f"  got      {answered.problem or json.dumps(as_plain(answered.got), ensure_ascii=False)}"
            )
        if not all(answered.is_as_wanted for answered in found):
            raise SystemExit(DIFFERS)
