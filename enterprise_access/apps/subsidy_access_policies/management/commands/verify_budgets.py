"""`manage.py verify_budgets`: are the running totals of budgets what their rows come to?"""

from typing import Any

from django.core.management.base import BaseCommand

from enterprise_access.apps.subsidy_access_policies.models import Subsidy
from enterprise_access.apps.subsidy_access_policies.services import list_differences_now


class Command(BaseCommand):
    """Recompute the totals of every account, and print those that differ. Changes nothing."""

    help = (
        "Recompute the totals of every account of learner credit, and print those that differ. Exits with 1 if any do."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        count = 0
        for subsidy in Subsidy.objects.order_by("pk"):
            differences = list_differences_now(subsidy_uuid=subsidy.pk)
            for one in differences:
                self.stdout.write(f"{one.subsidy_uuid} {one.what}: stored {one.stored}, computed {one.computed}")
            count += len(differences)
        self.stderr.write(f"Accounts: {Subsidy.objects.count()}. Totals that differ: {count}.")
        if count:
            raise SystemExit(1)
