"""`manage.py remind_group_members`: ask for the reminders to invited members that are due, or say how many are."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from enterprise_access.apps.subsidy_access_policies.services.reminders import list_groups, remind_group
from enterprise_access.lib import clock


class Command(BaseCommand):
    """Do what beat does once a day, now."""

    help = "Remind people who were invited to a group of a budget and have not accepted. Each email is sent once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Send nothing; print how many reminders are due.")

    def handle(self, *args: Any, **options: Any) -> None:
        now, is_known = clock.now(), True
        for group in list_groups():
            found = remind_group(group, now=now, is_dry_run=options["dry_run"])
            note = "" if found.is_known else " (the LMS did not tell all)"
            self.stdout.write(f"group {group.group_uuid}: {found.due} reminders due{note}")
            is_known = is_known and found.is_known
        if not is_known:
            raise SystemExit(1)
