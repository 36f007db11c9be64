"""`manage.py send_request_digests`: ask for the digests to admins that are due, or say which are."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from enterprise_access.apps.subsidy_requests.services.digests import AT_ONCE, ask_for_digests
from enterprise_access.lib import clock


class Command(BaseCommand):
    """Do what beat does every hour, now."""

    help = f"Mail admins how many requests need a decision, of up to {AT_ONCE} customers. Each digest is sent once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Send nothing; say which digests are due.")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry_run = options["dry_run"]
        digests = ask_for_digests(now=clock.now(), is_dry_run=is_dry_run)
        for digest in digests:
            waiting = f"{digest.waiting.requested} requested, {digest.waiting.failed} failed"
            mails = "admins unknown, tried again" if digest.mails is None else f"{digest.mails} mails"
            self.stdout.write(f"customer {digest.customer_uuid}: {waiting}{'' if is_dry_run else f'; {mails}'}")
        self.stdout.write(f"{len(digests)} digests due")
        if not is_dry_run and any(digest.mails is None for digest in digests):
            raise SystemExit(1)
