"""`manage.py course_types_oracle FILE`: do the rules answer the cases of a file as the file wants?"""

from collections.abc import Iterator
from pathlib import Path

from enterprise_access.apps.course_types.management.oracle_file import evaluate_file
from enterprise_access.lib.oracle import OracleCommand, Result


class Command(OracleCommand):
    """Evaluate the cases of course types."""

    help = "Evaluate the cases of FILE with the rules of course types, and print those with an unexpected result."
    example = "tests/data/course-types-oracle.json"

    def evaluate(self, path: Path) -> Iterator[Result]:
        return evaluate_file(path)
