"""`manage.py check_neighbours`: can we work with every neighbour, with the rights that we need?"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.core.management.base import BaseCommand, CommandError

from enterprise_access.apps.customers.services import CANARY_KEY, check_canary
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.upstream import catalog, license_manager, lms

# Belongs to nobody: the neighbours answer "nothing" to a caller with rights, and refuse one without.
NOBODY = UUID("00000000-0000-4000-8000-000000000000")


class Command(BaseCommand):
    """Ask every neighbour something harmless that needs the rights of our worker account."""

    help = "Ask every neighbour something harmless that needs our worker account's rights. Exits with 1 on a failure."

    def handle(self, *args: Any, **options: Any) -> None:
        checks: list[tuple[str, Callable[[], object]]] = [
            ("LMS, customers", lambda: lms.from_settings().get_customer(customer_uuid=NOBODY)),
            ("LMS, platform enrollments (staff)", self.ask_for_enrollments),
            ("LMS, learners of every customer (staff)", self.look_for_canary),
            ("enterprise-catalog", lambda: catalog.from_settings().list_catalogs(customer_uuid=NOBODY)),
            ("license-manager", self.ask_for_licenses),
        ]
        failed = [name for name, check in checks if not self.passes(name, check)]
        if failed:
            raise CommandError(f"{len(failed)} of {len(checks)} checks failed.")

    def passes(self, name: str, check: Callable[[], object]) -> bool:
        try:
            found = check()
        except UpstreamError as error:
            self.stderr.write(f"{name}: FAILED ({error.reason}). {error.detail}")
            return False
        self.stdout.write(f"{name}: {'not checked, ' + found if isinstance(found, str) else 'fine'}")
        return True

    def ask_for_enrollments(self) -> object:
        return lms.from_settings().list_platform_enrollments(usernames=["nobody"])

    def ask_for_licenses(self) -> object:
        return license_manager.from_settings().list_licenses_of(customer_uuid=NOBODY, user_email="nobody@example.com")

    def look_for_canary(self) -> object:
        if settings.LMS_CANARY_USER_ID is None:
            return "LMS_CANARY_USER_ID names no learner"
        cache.delete(CANARY_KEY)
        check_canary()
        return None
