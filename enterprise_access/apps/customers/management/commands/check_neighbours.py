"""`manage.py check_neighbours`: can we work with every upstream service, with the rights that we need?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.customers.services import NeighbourCheck, check_neighbours


class Command(BaseCommand):
    """Ask every upstream service something harmless that needs the rights of our worker account."""

    help = "Check the service account's permissions with one read of every upstream service. Exits with 1 on a failure."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and say for each check what came of it."""
        checks = check_neighbours()
        for check in checks:
            self._say(check)
        failed = [check for check in checks if check.problem]
        if failed:
            raise CommandError(f"{len(failed)} of {len(checks)} checks failed.")

    def _say(self, check: NeighbourCheck) -> None:
        if check.problem:
            self.stderr.write(f"{check.name}: FAILED ({check.problem})")
        else:
            self.stdout.write(f"{check.name}: {check.note or 'fine'}")
