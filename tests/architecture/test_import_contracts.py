"""The import order of .importlinter holds, and every contract of it fails when somebody breaks it."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = "enterprise_access/apps"

# contract, the file that breaks it, and its line. One case for each thing that a contract promises.
VIOLATIONS = [
    ("apps", f"{APPS}/customers/services/links.py", "from enterprise_access.apps.default_enrollments import models"),
    ("apps", f"{APPS}/licenses/services/lookup.py", "from enterprise_access.apps.content_metadata import domain"),
    ("apps", f"{APPS}/course_types/domain/modes.py", "from enterprise_access.apps.licenses import domain"),
    ("apps", f"{APPS}/forgotten/__init__.py", ""),
    ("layers", f"{APPS}/customers/models.py", "from enterprise_access.apps.customers import services"),
    ("layers", f"{APPS}/customers/selectors.py", "from enterprise_access.apps.customers import services"),
    (
        "layers",
        f"{APPS}/default_enrollments/domain/plan.py",
        "from enterprise_access.apps.default_enrollments import models",
    ),
    (
        "layers",
        f"{APPS}/default_enrollments/admin.py",
        "from enterprise_access.apps.default_enrollments import api",
    ),
    ("layers", f"{APPS}/customers/services/links.py", "from enterprise_access.apps.customers import tests"),
    ("layers", f"{APPS}/customers/utils.py", ""),
    ("layout", "enterprise_access/lib/keys.py", "from enterprise_access.upstream import identifiers"),
    ("layout", "enterprise_access/upstream/paging.py", "from enterprise_access.apps.core import domain"),
    ("layout", "enterprise_access/events/__init__.py", "from enterprise_access.upstream import lms"),
    ("layout", f"{APPS}/customers/services/links.py", "from enterprise_access.settings import base"),
    ("layout", "enterprise_access/helpers.py", ""),
    ("pure_domain", f"{APPS}/customers/domain.py", "from django.utils import timezone"),
    ("pure_domain", f"{APPS}/default_enrollments/domain/plan.py", "import requests"),
    ("pure_domain", f"{APPS}/default_enrollments/domain/plan.py", "from enterprise_access.upstream.lms import types"),
    ("pure_domain", "enterprise_access/lib/keys.py", "import celery"),
    ("pure_domain", f"{APPS}/licenses/errors.py", "from rest_framework import exceptions"),
    ("offline_models", f"{APPS}/customers/models.py", "from enterprise_access.upstream.lms import types"),
    ("offline_models", f"{APPS}/core/models.py", "import requests"),
    (
        "thin_entries",
        f"{APPS}/default_enrollments/api/views/learners.py",
        "from enterprise_access.upstream import lms",
    ),
    ("thin_entries", f"{APPS}/customers/admin.py", "from enterprise_access.upstream import lms"),
    ("thin_entries", f"{APPS}/default_enrollments/tasks.py", "from enterprise_access.upstream.lms import types"),
    ("simulator", "simulator/world.py", "from enterprise_access.lib import keys"),
    ("simulator", f"{APPS}/customers/services/links.py", "from simulator import world"),
    ("simulator", "simulator/tests/test_borrowing.py", "from enterprise_access.lib import keys"),
]


@pytest.fixture(scope="module")
def copy_of_the_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of everything that is checked."""
    folder = tmp_path_factory.mktemp("layout")
    for package in ("enterprise_access", "simulator"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def lint(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def contracts() -> dict[str, str]:
    """Return the name of every contract by its id."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter")
    prefix = "importlinter:contract:"
    return {name.removeprefix(prefix): parser[name]["name"] for name in parser.sections() if name.startswith(prefix)}


def test_the_order_holds():
    result = lint(ROOT, "--no-cache")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_violation_is_noticed(copy_of_the_project, contract, file, line):
    path = copy_of_the_project / file
    before = path.read_text() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n{line}\n")
    try:
        result = lint(copy_of_the_project, "--contract", contract)
    finally:
        if before is not None:
            path.write_text(before)
        elif path.name == "__init__.py":
            shutil.rmtree(path.parent)
        else:
            path.unlink()
    assert result.returncode == 1, result.stdout
    assert f"{contracts()[contract]} BROKEN" in result.stdout


def test_every_contract_was_broken_once():
    assert {contract for contract, _, _ in VIOLATIONS} == contracts().keys()
