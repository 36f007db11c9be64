"""`manage.py forget_address`: delete an email address from workflows that are not done."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from enterprise_access.apps.provisioning.services.pruning import forget_address


class Command(BaseCommand):
    """Delete an email address from workflows that are not done. Workflows that need it fail with that reason."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="The address, in any case.")

    def handle(self, *args: Any, **options: Any) -> None:
        count = forget_address(email=options["email"])
        self.stdout.write(f"Deleted from {count} {'workflow' if count == 1 else 'workflows'}.")
