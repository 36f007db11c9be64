"""Take a mend out of a copy of the code, run the model against the copy, and expect it to find what was mended.

    python scripts/mends_out.py [NAME ...] [--seeds 1 2 3] [--steps 3000]

A model that finds nothing where there is something to find proves nothing. The model's stories are told one by one;
with --seeds, steps that are drawn with these seeds are tried as well where no story has found it. The files of this
folder are not touched.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("enterprise_access", "simulator", "tests", "conftest.py", "manage.py", "setup.cfg")
SERVICES = "enterprise_access/apps/default_enrollments/services/realizing"
DOMAIN = "enterprise_access/apps/default_enrollments/domain"


class Change(NamedTuple):
    """A text that is in a file once, and what stands there without the mend."""

    path: str
    mended: str
    without: str


MENDS: Mapping[str, Sequence[Change]] = {
    # An override enrolls once: what a decision reads is read again after unknown outcomes were settled, an override is
    # looked at once more when the call is written, and a leaving that was seen is kept.
    "override used once": (
        Change(
            f"{SERVICES}/engine.py",
            "        facts = with_records(facts, now=clock.now())\n",
            "        facts = evolve(with_records(facts, now=clock.now()), overrides=facts.overrides)\n",
        ),
        Change(
            f"{SERVICES}/sending.py",
            "    ended = by_override - lock_active_overrides(by_override, now=clock.now())\n",
            "    ended = by_override - by_override\n",
        ),
        Change(
            f"{SERVICES}/recording.py",
            "    if left_reason and realization.left_at is None:\n",
            "    if left_reason and realization.left_at is not None:\n",
        ),
        Change(f"{SERVICES}/override_use.py", "        left_at__lt=attempt.created_at,\n", ""),
    ),
    # A call without an answer holds back every customer of the learner.
    "unknown outcome holds for every customer": (
        Change(
            f"{SERVICES}/doubts.py",
            "    now: datetime,\n) -> list[RealizationAttempt]:\n",
            "    now: datetime,\n    customer_uuid: UUID,\n) -> list[RealizationAttempt]:\n",
        ),
        Change(
            f"{SERVICES}/doubts.py",
            "    attempts = list_doubts(enrollments.keys())\n",
            "    everybody = list_doubts(enrollments.keys())\n"
            "    attempts = [row for row in everybody if row.intention.customer_id == customer_uuid]\n",
        ),
        Change(
            f"{SERVICES}/engine.py",
            "        enrollments=facts.enrollments, enterprise_enrollments=",
            "        customer_uuid=facts.customer_uuid, enrollments=facts.enrollments, enterprise_enrollments=",
        ),
    ),
    # The catalog's evidence wins over a stored key: a renamed course keeps its past.
    "renamed course keeps its past": (
        Change(
            f"{DOMAIN}/case_view.py",
            "    if run_key == case.target_run_key or run_key in case.run_keys:\n",
            "    if not course_key and (run_key == case.target_run_key or run_key in case.run_keys):\n",
        ),
        Change(
            f"{DOMAIN}/case_view.py",
            "    if course_uuid is not None and course_uuid == case.course_uuid:\n",
            "    if course_uuid is not None and not course_key and course_uuid == case.course_uuid:\n",
        ),
    ),
}
FOUND = {
    "override used once": ("enrollments made twice", "enrollments against the learner"),
    "unknown outcome holds for every customer": ("runs paid for twice", "enrollments against the learner"),
    "renamed course keeps its past": ("enrollments made twice", "enrollments against the learner"),
}


def problems() -> list[str]:
    """Return what of the changes does not fit the code any more."""
    return [
        f"{name}: {change.path} has {found} times: {change.mended.strip()}"
        for name, changes in MENDS.items()
        for change in changes
        if (found := (ROOT / change.path).read_text().count(change.mended)) != 1
    ]


def copy_without(name: str, folder: Path) -> None:
    """Copy the code to a folder, and take a mend out there."""
    for each in COPIED:
        source = ROOT / each
        if source.is_dir():
            shutil.copytree(source, folder / each, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy2(source, folder / each)
    for change in MENDS[name]:
        path = folder / change.path
        path.write_text(path.read_text().replace(change.mended, change.without))


def closing_line(folder: Path, *options: str, steps: int = 0) -> str:
    """Run the model in a folder; return its closing line, which says what was lost."""
    environ = os.environ | {"MODEL_STEPS": str(steps), "MODEL_STOPS_AT_FIRST": "1"}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/model/test_realization.py",
        "-q",
        "-p",
        "no:cacheprovider",
        *options,
    ]
    ran = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    lines = [line for line in ran.stdout.splitlines() if line.startswith("test-model:")]
    return lines[-1] if lines else ran.stdout[-2000:] + ran.stderr[-2000:]


def is_found(name: str, line: str) -> bool:
    """Say whether a loss of the right kind was counted, and not another failure."""
    return any(f" {what}" in line and f" 0 {what}" not in line for what in FOUND[name])


def try_without(name: str, *, seeds: Sequence[int], steps: int) -> bool:
    """Return whether the model finds that a mend is missing, by its stories or with one of the seeds."""
    with tempfile.TemporaryDirectory(prefix="mends-out-") as path:
        folder = Path(path)
        copy_without(name, folder)
        found = tell(f"{name}, stories", name, closing_line(folder, "-k", "story"))
        for seed in () if found else seeds:
            line = closing_line(folder, "-k", "always", f"--hypothesis-seed={seed}", steps=steps)
            found = found or tell(f"{name}, seed {seed}", name, line)
    return found


def tell(what: str, name: str, line: str) -> bool:
    found = is_found(name, line)
    print(f"{'found' if found else 'NOT FOUND'}: {what}\n    {line}", flush=True)
    return found


def main() -> int:
    """Return 0 when the model finds each mend that is taken out, 1 when not, 2 when a change does not fit the code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(MENDS)} (default: all)")
    parser.add_argument("--seeds", nargs="*", type=int, default=[])
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    if stale := problems():
        print("\n".join(stale))
        return 2
    found = [try_without(name, seeds=options.seeds, steps=options.steps) for name in options.names or MENDS]
    print(f"mends-out: took out {len(found)} mends; {found.count(True)} found, {found.count(False)} not found")
    return 0 if all(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
