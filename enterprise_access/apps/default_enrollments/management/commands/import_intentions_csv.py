"""`manage.py import_intentions_csv`: many intentions at once."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.services.csv_intentions import (
    CheckedRow,
    RowState,
    check_rows,
    count_states,
    import_rows,
    read_csv,
)
from enterprise_access.lib.errors import ServiceError

WORDS = {
    RowState.ADD: "will be added",
    RowState.RESTORE: "deleted before; restored with --restore-deleted only",
    RowState.EXISTS: "there already",
    RowState.ERROR: "error",
}


class Command(BaseCommand):
    """Check a CSV file of intentions, and add them."""

    help = (
        "Check a CSV file with the columns customer (slug or UUID) and content_key, and with --commit add its "
        "intentions. Exits with 1 if a row has an error; then nothing is saved, unless --skip-errors is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file in UTF-8.")
        parser.add_argument("--commit", action="store_true", help="Add the intentions. Without it, nothing is saved.")
        parser.add_argument("--skip-errors", action="store_true", help="Add the rows without errors anyway.")
        parser.add_argument("--restore-deleted", action="store_true", help="Restore intentions that were deleted.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            checked = check_rows(read_csv(options["file"].read_bytes()))
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except ServiceError as error:
            raise CommandError(f"{error.detail} Nothing was saved.") from error
        for each in checked:
            self.say(each)
        errors = count_states(checked)[RowState.ERROR]
        if not options["commit"]:
            self.stdout.write("Dry run, nothing was saved.")
        elif errors and not options["skip_errors"]:
            raise CommandError(f"{errors} rows have an error. Nothing was saved.")
        else:
            errors += self.save(checked, restore_deleted=options["restore_deleted"])
        if errors:
            raise CommandError(f"{errors} rows have an error.")

    def say(self, each: CheckedRow) -> None:
        found = each.preview.description.content.run if each.preview else None
        run = f" ({found.key})" if found else ""
        what = f"error: {each.problem}" if each.problem else WORDS[each.state]
        self.stdout.write(f"line {each.line}: {each.row.customer}: {each.row.content_key}{run}: {what}")
        for warning in each.warnings:
            self.stdout.write(f"    now: {explain(warning).text}")

    def save(self, checked: list[CheckedRow], *, restore_deleted: bool) -> int:
        """Save, say what came of it, and return how many rows went wrong at last."""
        imported = import_rows(checked, restore_deleted=restore_deleted)
        self.stdout.write(f"{len(imported.added)} added, {len(imported.restored)} restored.")
        for line, problem in imported.problems:
            self.stderr.write(f"line {line}: {problem}")
        return len(imported.problems)
