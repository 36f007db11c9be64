"""`manage.py refresh_content`: make the cache forget, and ask again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.customers.services import get_customer_named
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.keys import fold


class Command(BaseCommand):
    """Ask the catalog service again for some keys of one customer."""

    help = (
        "Fetch content keys of one customer again, even if they are cached. For all intentions of one or every "
        "customer use validate_default_enrollment_intentions. To empty the whole cache, change the setting "
        "CACHE_STAMP."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("content_keys", nargs="+", help="edX+DemoX or course-v1:edX+DemoX+2026_T1; one or more.")
        parser.add_argument("--customer", required=True, help="Slug or UUID.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            customer = get_customer_named(slug_or_uuid=options["customer"])
            contents = refresh_content(customer_uuid=customer.pk, content_keys=options["content_keys"])
        except ServiceError as error:
            raise CommandError(error.detail) from error
        for key in options["content_keys"]:
            resolution = contents[fold(key)].resolution
            found = resolution.run.key if isinstance(resolution, Resolved) else resolution.reason.value
            self.stdout.write(f"{key}: {found}")
