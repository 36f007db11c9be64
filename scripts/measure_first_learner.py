"""Measure how long it takes from a fresh copy of the code to a learner who is enrolled, as seen in a browser.

What has to be downloaded is downloaded before, and nothing afterwards: the installation gets no index to ask. Writes
docs/benchmarks/first-learner.rst. BROWSER names another browser than /usr/bin/chromium.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from embedded_system import INHERITED, ROOT, System
from playwright.sync_api import expect, sync_playwright

PAGE = ROOT / "docs" / "benchmarks" / "first-learner.rst"
BAR_SECONDS = 180
PATIENCE_MS = 60_000


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="enterprise-access-first-") as folder:
        copy, packages = Path(folder) / "copy", Path(folder) / "packages"
        copy_code(copy)
        print("Downloading what the system needs (not counted) ...", flush=True)
        download(packages)
        print("Installing, starting, and letting a learner come ...", flush=True)
        started_at = time.monotonic()
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages)}
        run(["make", ".venv/.local"], copy, ordinary() | offline)
        installed_at = time.monotonic()
        system = System(copy / "var", root=copy, command=("make", "run"))
        (copy / "var").mkdir()
        try:
            system.start()
            ready_at = time.monotonic()
            let_a_learner_come(system.simulator)
            enrolled_at = time.monotonic()
        finally:
            system.stop()
    report(installed_at - started_at, ready_at - installed_at, enrolled_at - ready_at)
    return 0 if enrolled_at - started_at <= BAR_SECONDS else 1


def ordinary() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ and name != "VIRTUAL_ENV"}


def copy_code(target: Path) -> None:
    """Copy what a clone would have."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def download(packages: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(packages)]
    run([*command, "-r", "requirements/local.txt"], ROOT, dict(os.environ))


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}")


def let_a_learner_come(portal: str) -> None:
    """Sign in at the portal as the learner whom it offers first, and wait until it shows the enrollment."""
    with sync_playwright() as playwright:
        path = os.environ.get("BROWSER", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(portal)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#courses")).to_contain_text("Enrolled", timeout=PATIENCE_MS)
        browser.close()


def report(install: float, start: float, enroll: float) -> None:
    total = install + start + enroll
    rows = [
        ("install, from downloaded packages", install),
        ("``make run``, until it says that it is ready", start),
        ("a browser opens the portal, a learner signs in and is enrolled", enroll),
        (f"**together** (bar: {BAR_SECONDS})", total),
    ]
    lines = "\n".join(f"   * - {what}\n     - {seconds:.1f}" for what, seconds in rows)
    PAGE.write_text(f"""From a fresh copy to the first learner
======================================

Measured with ``make bench-first-learner`` on {os.cpu_count()} cores, shared with other work,
Python {platform.python_version()}; the load was {os.getloadavg()[0]:.1f} at the end.
The time for downloading packages is not counted, that for installing them is.

.. list-table::
   :header-rows: 1

   * -
     - seconds
{lines}
""")
    print(PAGE.read_text())


if __name__ == "__main__":
    sys.exit(main())
