"""`manage.py replay_recordings DIR [--json]`: do our clients still ask, and understand, as recorded?"""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.upstream import replay
from enterprise_access.upstream.replay import report


class Command(BaseCommand):
    """Drives our clients over a folder of recorded conversations; nothing leaves this machine."""

    help = (
        "Replay recorded conversations with the neighbours through our clients. Exits with 1 when the answer of an"
        " endpoint that we use can no longer be turned into a value or a known failure."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder, and how to report."""
        parser.add_argument("folder", metavar="DIR", type=Path, help="folder of recordings, searched to its depth")
        parser.add_argument("--json", action="store_true", help="report for machines")

    def handle(self, *, folder: Path, **options: Any) -> None:
        """Replay every recording and report."""
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        results, unreadable = [], {}
        for path in replay.find_recordings(folder):
            try:
                results.append(replay.replay(replay.read_recording(path, folder=folder)))
            except replay.NotARecording as error:
                unreadable[str(path.relative_to(folder))] = str(error)
        if not results and not unreadable:
            raise CommandError(f"There are no recordings (*.json) in {folder}.")
        self._report(results, unreadable, as_json=options["json"])
        if not all(result.is_typed for result in results):
            raise SystemExit(1)

    def _report(self, results: list[replay.Result], unreadable: dict[str, str], *, as_json: bool) -> None:
        summary = {**report.summary(results), "unreadable": len(unreadable)}
        if as_json:
            found = {
                "summary": summary,
                "recordings": [result.as_json() for result in results],
                "unreadable": unreadable,
            }
            self.stdout.write(json.dumps(found, indent=2))
            return
        for line in report.lines(results):
            self.stdout.write(line)
        for name, problem in unreadable.items():
            self.stdout.write(f"{name}: not a recording ({problem})")
        self.stdout.write(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.items()))
