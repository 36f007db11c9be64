"""The container files fit the code: no name of the settings is forgotten, and nothing that is copied is missing.

There is no container engine in the test suite, so this reads the files instead of building them. What they describe is
acted out in tests/delivery.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from enterprise_access.settings import embedded
from simulator.seed import WORKER_KEY, WORKER_SECRET
from tests.delivery.compose import ROOT, compose_file, dockerfile, filled_in, printed_env

OURS = ("web", "worker", "worker-background", "beat", "migrate")
sys.path.insert(0, str(ROOT / "scripts"))

from make_reference import all_settings  # noqa: E402

# Settings of ours that are the same in every installation, unless it says otherwise in a place for the rest.
NOT_ASKED_FOR = {"OPENEDX_TELEMETRY": "names of classes, for who has written one"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = compose_file()["services"]
    return services


@pytest.fixture(scope="module", name="printed_env")
def env() -> dict[str, str]:
    """Return what make_compose_env.py prints."""
    return printed_env()


def required_names() -> set[str]:
    """Return the names that the production settings refuse to start without."""
    tree = ast.parse((ROOT / "enterprise_access/settings/production.py").read_text())
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign) and is_named(node, "REQUIRED")]
    return set(ast.literal_eval(values[0]))


def is_named(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)


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
            if re.search(r"SECRET|PASSWORD|JWK|CREDENTIALS", name):
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


def names_read(module: str) -> set[str]:
    """Return the names that a module of the settings reads from the environment."""
    text = (ROOT / "enterprise_access/settings" / module).read_text()
    return set(re.findall(r"\benv\.\w+\(\s*\"([A-Z0-9_]+)\"", text)) | set(re.findall(r"environ\.get\(\"(\w+)\"", text))


def test_every_name_in_the_environment_means_something(services):
    """A name that nobody reads is a setting that somebody believes in."""
    modules = {module.name for module in (ROOT / "enterprise_access/settings").glob("*.py")} - {"test.py", "local.py"}
    known = {name for module in modules for name in names_read(module)}
    known |= required_names()
    for name in OURS:
        assert services[name]["environment"].keys() <= known


def of_the_installation() -> set[str]:
    """Return the settings that no default can know: addresses, secrets, and what is not there unless it is named."""
    return {
        setting.name
        for setting in all_settings()
        if setting.default is None or setting.default == "none" or setting.kind.startswith("address")
        if not str(setting.default).startswith("as ")
    } - NOT_ASKED_FOR.keys()


def test_compose_asks_for_everything_that_differs_between_installations(services):
    assert {"DISCOVERY_BASE_URL", "EMAIL_URL", "LMS_CANARY_USER_ID", "METRICS_CREDENTIALS"} <= of_the_installation()
    for name, service in ours(services).items():
        assert of_the_installation() - service["environment"].keys() == set(), name


def test_the_plugin_for_tutor_knows_everything_that_differs_between_installations():
    folder = ROOT / "deploy/tutor/tutorenterpriseaccess/templates/enterprise-access/apps"
    told = set(re.findall(r"^([A-Z0-9_]+)=", (folder / "environment.env").read_text(), flags=re.MULTILINE))
    # Nobody is sent on after having signed out: the LMS would have to be told that it may.
    assert of_the_installation() - told == {"SOCIAL_AUTH_EDX_OAUTH2_LOGOUT_REDIRECT_URL"}


def test_everything_else_can_be_set_in_a_file(services):
    for name, service in ours(services).items():
        assert service["env_file"] == [{"path": "settings.env", "required": False}], name
    assert "settings.env" in (ROOT / ".dockerignore").read_text().split()


def test_what_is_optional_can_be_left_out(services, printed_env):
    value = services["web"]["environment"]["DISCOVERY_BASE_URL"]
    assert filled_in(value, printed_env) == "http://simulator:8900/discovery"
    assert filled_in(value, printed_env | {"DISCOVERY_BASE_URL": ""}) == ""


def test_signing_in_through_the_lms_can_be_switched_on(services):
    """Whoever puts the names of docs/how-to/sign-in.rst into .env has done enough."""
    named = {f"SOCIAL_AUTH_EDX_OAUTH2_{name}" for name in ("KEY", "SECRET", "PUBLIC_URL_ROOT", "LOGOUT_REDIRECT_URL")}
    assert named <= services["web"]["environment"].keys()


def test_without_tls_browsers_may_send_cookies_over_http(services, printed_env):
    environment = services["web"]["environment"]
    told = {filled_in(environment[name], printed_env) for name in ("SECURE_COOKIES", "SECURE_SSL_REDIRECT")}
    assert told == {"false"}


# --- Starting, stopping, and being asked how one is -----------------------------------------------------------------


def ours(services: Mapping[str, Any]) -> dict[str, Any]:
    """Return the services that run our image."""
    return {name: service for name, service in services.items() if service.get("image") == "enterprise-access"}


def test_there_is_a_consumer_for_every_topic(services, settings):
    consumed = {service["command"][3] for service in services.values() if "consume_topic" in service.get("command", [])}
    assert consumed == set(settings.EVENT_BUS_TOPICS)


def test_a_worker_has_time_to_end_the_call_in_hand(services, settings):
    for service in ours(services).values():
        seconds = int(service["stop_grace_period"].removesuffix("s"))
        assert seconds >= settings.ENROLL_READ_TIMEOUT_SECONDS + 15


def test_signals_reach_our_processes_and_nobody_is_left_unburied(services):
    """A process 1 without a handler of its own ignores SIGTERM, as `migrate` would; a shell does not pass it on."""
    for service in ours(services).values():
        assert service["init"] is True
        assert isinstance(service.get("command", []), list)
    assert re.findall(r"^CMD (?!\[)", dockerfile(), flags=re.MULTILINE) == []


def test_nobody_gains_rights(services):
    for service in ours(services).values():
        assert "no-new-privileges:true" in service["security_opt"]


def test_the_web_process_is_asked_whether_it_is_ready_and_the_image_whether_it_is_alive(services):
    assert "/health/ready/" in services["web"]["healthcheck"]["test"]
    stage = dockerfile().rpartition("AS service")[2]
    assert re.search(r'^HEALTHCHECK .*CMD \["python", "scripts/check_alive.py"\]$', stage, flags=re.MULTILINE)


def test_who_serves_no_requests_is_not_asked_over_http(services):
    for name, service in ours(services).items():
        check = service.get("healthcheck", {})
        assert name == "web" or check.get("disable") or "check_alive" not in str(check["test"])


def test_there_is_one_beat(services):
    beats = [service for service in services.values() if "beat" in service.get("command", [])]
    assert len(beats) == 1
    assert "deploy" not in beats[0]


def test_nothing_but_web_and_simulator_can_be_reached_and_only_from_this_machine(services):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports.keys() == {"web", "simulator"}
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_what_must_be_kept_is_on_a_volume(services):
    assert {"mysql", "redis", "simulator"} <= {name for name, service in services.items() if service.get("volumes")}
    assert "--appendonly" in services["redis"]["command"]


# --- The files --------------------------------------------------------------------------------------------------------


def test_every_volume_is_declared(services):
    document = compose_file()
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


def test_what_is_counted_by_several_processes_has_a_folder_that_may_be_written():
    assert re.search(r"^ENV PROMETHEUS_MULTIPROC_DIR=/tmp/", dockerfile(), flags=re.MULTILINE)


def test_the_settings_of_gunicorn_are_in_the_image():
    assert (ROOT / "gunicorn.conf.py").exists()
    assert re.search(r"^COPY .*\bgunicorn\.conf\.py\b", dockerfile(), flags=re.MULTILINE)


def test_no_secret_is_built_into_the_image():
    for line in re.findall(r"^(?:ENV|ARG) (.+)$", dockerfile(), flags=re.MULTILINE):
        assert not re.search(r"SECRET|PASSWORD|TOKEN|_KEY", line)


def test_the_images_do_not_run_as_root():
    for stage in re.split(r"^FROM ", dockerfile(), flags=re.MULTILINE):
        if "\nCMD " in stage:
            assert re.search(r"^USER 1\d+:1\d+$", stage, flags=re.MULTILINE)
