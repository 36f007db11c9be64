"""`manage.py expire_assignments`: expire assignments whose date has passed, and clear addresses; or say which."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from enterprise_access.apps.content_assignments.services.clearing import clear_due_emails
from enterprise_access.apps.content_assignments.services.expiring import expire_due
from enterprise_access.lib import clock


class Command(BaseCommand):
    """Do what beat does every hour, now."""

    help = "Expire assignments whose date has passed, and clear addresses that are no longer needed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Change nothing; print what would be done.")

    def handle(self, *args: Any, **options: Any) -> None:
        now, is_dry_run = clock.now(), options["dry_run"]
        done = expire_due(now=now, is_dry_run=is_dry_run)
        for assignment_uuid in done.uuids:
            self.stdout.write(f"would expire {assignment_uuid}")
        cleared = clear_due_emails(now=now, is_dry_run=is_dry_run)
        would = "would be " if is_dry_run else ""
        self.stdout.write(
            f"{done.judged} assignments judged, {done.expired} {would}expired, {done.held_up} held up, "
            f"{cleared} addresses {would}cleared"
        )
