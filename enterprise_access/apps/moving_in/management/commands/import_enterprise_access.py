"""`manage.py import_enterprise_access`: taking over an installation of openedx/enterprise-access."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.moving_in.domain.tables import Table
from enterprise_access.apps.moving_in.services.importing import ImportSummary, import_everything
from enterprise_access.apps.moving_in.services.sources import opened
from enterprise_access.lib.errors import ServiceError
from enterprise_access.lib.importing import RowFate, RowOutcome


class Command(BaseCommand):
    """Take over budgets, assignments, requests and forced redemptions under their UUIDs."""

    help = (
        "Take over the budgets, groups of budgets, assignments, requests and forced redemptions of an installation of"
        " openedx/enterprise-access, under their UUIDs. Sends no mail. Without --commit it only says what it would do."
        " Doing it again takes over what has changed there since, and changes nothing else."
        " See docs/how-to/switch-over.rst."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "source",
            help="A file that dumpdata wrote (JSON or JSON lines), or the URL of a database: mysql://..., postgres://...,"
            " sqlite:///... It is only read.",
        )
        parser.add_argument("--commit", action="store_true", help="Save it. Otherwise nothing is saved.")

    def handle(self, *args: Any, **options: Any) -> None:
        commit = options["commit"]
        try:
            with opened(options["source"]) as source:
                for remark in source.remarks:
                    self.stdout.write(f"remark: {remark}")
                imported = import_everything(source, commit=commit, tell=self.say)
        except ServiceError as error:
            raise CommandError(error.detail) from error
        self.sum_up(imported, commit=commit)
        if not imported.is_money_right:
            raise CommandError("The money of budgets does not add up. Run verify_budgets, and do not switch over.")
        if imported.problems:
            raise CommandError(f"{imported.problems} rows were not taken over; the lines above say why.")

    def say(self, table: Table, outcome: RowOutcome) -> None:
        """Print what staff have to know of: everything but rows that are new, or the same as before."""
        if outcome.fate not in (RowFate.ADDED, RowFate.SAME):
            self.stdout.write(f"{table.kind} {outcome.name}: {outcome.fate}{f': {outcome.why}' if outcome.why else ''}")

    def sum_up(self, imported: ImportSummary, *, commit: bool) -> None:
        if not commit:
            self.stdout.write("Dry run, nothing was saved.")
        for kind in dict.fromkeys(kind for kind, _ in imported.counts):
            told = ", ".join(
                f"{fate}: {imported.counts[kind, fate]}" for fate in RowFate if imported.counts[kind, fate]
            )
            self.stdout.write(f"{kind}: {told}")
        money = imported.money
        self.stdout.write(
            f"Allocated assignments come to {money.allocated_cents} cents, and {money.held_cents} cents are held for"
            f" them. Totals of budgets that are wrong: {imported.different_totals}."
        )
