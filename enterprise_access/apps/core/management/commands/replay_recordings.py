"""`manage.py replay_recordings DIR [--json]`: do our clients still ask, and understand, as recorded?"""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from enterprise_access.upstream import replay
from enterprise_access.upstream.replay import report

# As for wrong arguments. 1 is left to the one finding that matters.
NOTHING_TO_REPLAY = 2


class Command(BaseCommand):
    """Drives our clients over a folder of recorded conversations; nothing leaves this machine."""

    help = (
        "Replay recorded answers of the upstream services through the clients. Exits with 1 if a client cannot read "
        "the answer of an endpoint in use, and with 2 if there is nothing to replay."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder, and how to report."""
        parser.add_argument("folder", metavar="DIR", type=Path, help="folder of recordings, searched recursively")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, folder: Path, **options: Any) -> None:
        """Replay every recording and report. Exits with 2 when there is nothing to replay."""
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.", returncode=NOTHING_TO_REPLAY)
        results, unreadable, broken = [], {}, {}
        for path in replay.find_recordings(folder):
            name = str(path.relative_to(folder))
            try:
                results.append(replay.replay(replay.read_recording(path, folder=folder)))
            except replay.NotARecording as error:
                unreadable[name] = str(error)
            except Exception as error:  # noqa: BLE001 (a mistake of ours; the other files are replayed all the same)
                broken[name] = f"{type(error).__name__}: {error}"
        if not results and not unreadable and not broken:
            raise CommandError(f"There are no recordings (*.json) in {folder}.", returncode=NOTHING_TO_REPLAY)
        self._report(results, unreadable, broken, as_json=options["json"])
        if not results and not broken:
            raise CommandError(f"None of the files in {folder} is a recording.", returncode=NOTHING_TO_REPLAY)
        if broken or not all(result.is_typed for result in results):
            raise SystemExit(1)

    def _report(
        self, results: list[replay.Result], unreadable: dict[str, str], broken: dict[str, str], *, as_json: bool
    ) -> None:
        summary = {**report.summary(results), "unreadable": len(unreadable), "broken": len(broken)}
        if as_json:
            found = {
                "summary": summary,
                "recordings": [result.as_json() for result in results],
                "unreadable": unreadable,
                "broken": broken,
            }
            self.stdout.write(json.dumps(found, indent=2))
            return
        for line in report.lines(results):
            self._say(line)
        for name, problem in unreadable.items():
            self._say(f"{name}: not a recording ({problem})")
        for name, problem in broken.items():
            self._say(f"{name}: THE REPLAY ITSELF BROKE ({problem})")
        self._say(", ".join(f"{count} {name.replace('_', ' ')}" for name, count in summary.items()))

    def _say(self, line: str) -> None:
        """Write a line; what the terminal has no letter for (recordings may hold anything) is written as a number."""
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        self.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding))
