"""`manage.py decision_oracle FILE`: do the rules answer the cases of a file as the file expects?"""

from collections.abc import Iterator
from pathlib import Path

from enterprise_access.apps.default_enrollments.management.oracle_file import evaluate_file
from enterprise_access.lib.oracle import OracleCommand, Result


class Command(OracleCommand):
    """Evaluate decision and payer cases."""

    help = (
        "Evaluate the cases of FILE with the rules of decision and payment, and print those with an unexpected result."
    )
    example = "tests/data/decision-oracle.json"

    def evaluate(self, path: Path) -> Iterator[Result]:
        return evaluate_file(path)
