"""`manage.py check_default_enrollment_intentions`: the content sweep, now and by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.services.health import check_intentions, list_customers_with_intentions
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Ask anew what intentions stand for, and wake the learners who waited for what changed."""

    help = "Ask the catalog service anew what intentions stand for; learners who waited for a change come due at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", help="Slug or uuid. Left out: every customer that intends anything.")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = 0
        for customer_uuid in self.customers(options["customer"]):
            try:
                changed = check_intentions(customer_uuid=customer_uuid)
                self.stdout.write(f"{customer_uuid}: {', '.join(map(str, changed)) or 'nothing changed'}")
            except ServiceError as error:
                failed += 1
                self.stderr.write(f"{customer_uuid}: {error.detail}")
        if failed:
            raise CommandError(f"{failed} customers could not be checked; they stay as they were.")

    def customers(self, slug_or_uuid: str | None) -> list[Any]:
        if slug_or_uuid is None:
            return list_customers_with_intentions()
        try:
            return [get_customer_named(slug_or_uuid=slug_or_uuid).pk]
        except ServiceError as error:
            raise CommandError(error.detail) from error
