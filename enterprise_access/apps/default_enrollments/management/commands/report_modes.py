"""`manage.py report_modes`: what about types and modes somebody should look at."""

from typing import Any

from django.core.management.base import BaseCommand

from enterprise_access.apps.default_enrollments.selectors.drift import list_mode_drift
from enterprise_access.apps.default_enrollments.services.intentions.unknown_types import list_unknown_types


class Command(BaseCommand):
    """List types that no one knows, and enrollments in another mode than expected."""

    help = (
        "List unknown types and modes of intended content, and count learners who were seen in another mode than "
        "predicted. Calls no upstream service. Exits with 1 if it lists anything."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unknown, drift = list_unknown_types(), list_mode_drift()
        for each in unknown:
            self.stdout.write(f"unknown {each.kind.value} {each.name}: {each.content_key}. {each.instead}")
        for row in drift:
            expected = f"{row.learners} learners expected in {row.predicted_mode}"
            self.stdout.write(f"{row.customer_slug}: {expected}, seen in {row.seen_mode}")
        learners = sum(row.learners for row in drift)
        self.stdout.write(f"Unknown: {len(unknown)}. Learners in another mode than expected: {learners}.")
        if unknown or drift:
            raise SystemExit(1)
