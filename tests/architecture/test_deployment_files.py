"""The container files fit the code: no name of the settings is forgotten, and nothing that is copied is missing.

There is no container engine in the test suite, so this reads the files instead of building them.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from enterprise_access.settings import embedded
from simulator.seed import WORKER_KEY, WORKER_SECRET

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("web", "worker", "beat", "migrate")
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<rest>[^}]*))?\}")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = document["services"]
    return services


@pytest.fixture(scope="module")
def printed_env() -> dict[str, str]:
    """Return what make_compose_env.py prints."""
    command = [sys.executable, "scripts/make_compose_env.py"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = dict(line.split("=", 1) for line in lines)
    assert all(value[0] == value[-1] == "'" and "'" not in value[1:-1] for value in pairs.values())
    return {name: value[1:-1] for name, value in pairs.items()}


def filled_in(text: str, env: Mapping[str, str]) -> str:
    """Return `text` with its variables replaced, as Compose does it. A required one that is not there is a KeyError."""

    def value_of(match: re.Match[str]) -> str:
        given = env.get(match["name"])
        return given or match["rest"] if match["kind"] == ":-" else env[match["name"]]

    return VARIABLE.sub(value_of, text)


def required_names() -> set[str]:
    """Return the names that the production settings refuse to start without."""
    tree = ast.parse((ROOT / "enterprise_access/settings/production.py").read_text())
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and is_named(node, "REQUIRED")]
    return set(ast.literal_eval(values[0]))


def is_named(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


def dockerfile() -> str:
    """Return the Dockerfile with its continued lines joined, and without its comments."""
    lines = (line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    return "\n".join(lines).replace("\\\n", " ")


@pytest.mark.parametrize("name", OURS)
def test_every_process_gets_what_the_settings_require(services, name):
    assert required_names() <= services[name]["environment"].keys()


def test_with_the_printed_env_nothing_is_left_open(services, printed_env):
    for service in services.values():
        for value in service.get("environment", {}).values():
            filled_in(str(value), printed_env)


def test_the_service_starts_with_that_environment(services, printed_env):
    environment = {name: filled_in(str(value), printed_env) for name, value in services["web"]["environment"].items()}
    # The driver of MySQL is an extra; what is checked here are the names and the shapes of the values.
    environment["DATABASE_URL"] = environment["DATABASE_URL"].replace("mysql://", "postgres://")
    environment["DJANGO_SETTINGS_MODULE"] = "enterprise_access.settings.production"
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_no_secret_is_written_into_the_compose_file(services):
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"SECRET|PASSWORD|JWK", name):
                assert re.fullmatch(r"\$\{\w+:(\?[^}]+|-)\}", value), name


def test_the_simulator_and_the_service_are_told_the_same(services, printed_env):
    web, simulator = services["web"]["environment"], services["simulator"]["environment"]
    assert simulator["SIMULATOR_ISSUER"] == web["JWT_ISSUER"]
    assert simulator["SIMULATOR_AUDIENCE"] == web["JWT_AUDIENCE"]
    assert (printed_env["OAUTH2_CLIENT_ID"], printed_env["OAUTH2_CLIENT_SECRET"]) == (WORKER_KEY, WORKER_SECRET)
    assert int(printed_env["LMS_CANARY_USER_ID"]) == embedded.CANARY


def test_every_service_that_is_waited_for_exists(services):
    for service in services.values():
        assert services.keys() >= service.get("depends_on", {}).keys()


def test_every_volume_is_declared(services):
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert used == document["volumes"].keys()


def test_the_stages_that_compose_builds_exist(services):
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile(), flags=re.MULTILINE))
    assert {service["build"]["target"] for service in services.values() if "build" in service} <= stages


def test_everything_that_is_copied_exists_and_is_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().split()
    sources = []
    for arguments in re.findall(r"^COPY (?!--from)(.+)$", dockerfile(), flags=re.MULTILINE):
        sources += arguments.split()[:-1]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if source.split("/")[0] in ignored] == []


def test_static_files_are_collected_with_every_required_name():
    line = next(line for line in dockerfile().splitlines() if "collectstatic" in line)
    assert required_names() <= set(re.findall(r"\b([A-Z][A-Z0-9_]+)=", line))


def test_the_images_do_not_run_as_root():
    for stage in re.split(r"^FROM ", dockerfile(), flags=re.MULTILINE):
        if "\nCMD " in stage:
            assert re.search(r"^USER 1\d+:1\d+$", stage, flags=re.MULTILINE)
