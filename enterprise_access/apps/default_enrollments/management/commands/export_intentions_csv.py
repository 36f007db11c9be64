"""`manage.py export_intentions_csv`: what customers intend, for a spreadsheet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.csv_intentions import write_csv
from enterprise_access.lib.errors import ServiceError


class Command(BaseCommand):
    """Write the intentions as CSV, in a form that import_intentions_csv takes."""

    help = "Write the intentions as CSV to standard output. The result can be imported again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customer", help="Slug or UUID. Default: all customers.")
        parser.add_argument("--with-deleted", action="store_true", help="Include those that staff have deleted.")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = DefaultEnterpriseEnrollmentIntention.objects.select_related("customer", "health")
        if not options["with_deleted"]:
            rows = rows.living()
        if options["customer"]:
            try:
                rows = rows.of_customer(get_customer_named(slug_or_uuid=options["customer"]).pk)
            except ServiceError as error:
                raise CommandError(error.detail) from error
        self.stdout.write(write_csv(rows), ending="")
