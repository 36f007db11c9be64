"""Renders an installation with Tutor, and reads every file that the plugin has a part in."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from tutorenterpriseaccess.plugin import CONSUMED, DEFAULTS, INIT_TASKS, TOPICS, UNIQUE

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent.parent
LEDGER_CONSUMER = "enterprise-access-consume-transactions"
PROCESSES = [
    "enterprise-access",
    "enterprise-access-worker",
    "enterprise-access-worker-background",
    "enterprise-access-beat",
    *(f"enterprise-access-consume-{name}" for name in TOPICS),
]
# What may stand in passwords, and must not end an address or a line early.
AWKWARD = "p@ss/w:rd?#%"

# Renders one text as Tutor renders the scripts of its jobs.
RENDER = """
import sys
from tutor import config, env, hooks
from tutor.commands import cli
hooks.Actions.CORE_READY.do()
hooks.Actions.PROJECT_ROOT_READY.do(sys.argv[1])
print(env.render_str(config.load_full(sys.argv[1]), sys.argv[2]))
"""


def tutor(root: Path, *arguments: str) -> str:
    environment = os.environ | {"TUTOR_ROOT": str(root), "TUTOR_PLUGINS_ROOT": str(root / "plugins")}
    command = [str(Path(sys.executable).with_name("tutor")), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module", params=["plain", "https and awkward passwords"])
def installation(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("tutor")
    tutor(root, "plugins", "enable", "enterprise-access")
    options = ["--set", "ENABLE_HTTPS=false", "--set", "LMS_HOST=learn.example.org"]
    if request.param != "plain":
        options = [
            *("--set", "LMS_HOST=learn.example.org", "--set", "ENABLE_HTTPS=true", "--set", "REDIS_USERNAME=default"),
            *("--set", f"REDIS_PASSWORD={AWKWARD}", "--set", f"ENTERPRISE_ACCESS_MYSQL_PASSWORD={AWKWARD}"),
            *("--set", "ENTERPRISE_ACCESS_CANARY_USER_ID=1001"),
            *("--set", 'ENTERPRISE_ACCESS_EXTRA_ENVIRONMENT={"SWEEP_SECONDS": "15"}'),
            *("--set", "SMTP_USERNAME=mail@example.org", "--set", f"SMTP_PASSWORD={AWKWARD}"),
            *("--set", "SMTP_USE_TLS=true", "--set", "SMTP_HOST=mail.example.org"),
            # As when Tutor's plugin for course-discovery is enabled.
            *("--set", "DISCOVERY_HOST=discovery.learn.example.org"),
            *("--set", "ENTERPRISE_ACCESS_DIGEST_RECIPIENTS=a@example.org,b@example.org"),
            *("--set", "ENTERPRISE_ACCESS_METRICS_CREDENTIALS=scraper"),
            *("--set", "ENTERPRISE_ACCESS_SUBSIDY_URL=http://enterprise-subsidy:18280"),
        ]
    tutor(root, "config", "save", *options)
    return root


@pytest.fixture(scope="module")
def config(installation):
    return yaml.safe_load((installation / "config.yml").read_text())


@pytest.fixture(scope="module")
def processes(config):
    return [*PROCESSES, LEDGER_CONSUMER] if "ENTERPRISE_ACCESS_SUBSIDY_URL" in config else PROCESSES


@pytest.fixture(scope="module")
def environment(installation):
    lines = (installation / "env/plugins/enterprise-access/apps/environment.env").read_text().splitlines()
    assert all("=" in line for line in lines), "every line is one setting, none is broken in two"
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def compose(installation):
    return yaml.safe_load((installation / "env/local/docker-compose.yml").read_text())["services"]


def documents(installation, name):
    found = yaml.safe_load_all((installation / f"env/k8s/{name}.yml").read_text())
    return {each["metadata"]["name"]: each for each in found if each}


def test_the_plugin_leaves_no_file_of_the_installation_unreadable(installation):
    for path in (installation / "env").rglob("*.yml"):
        list(yaml.safe_load_all(path.read_text()))
    for path in (installation / "env/apps/openedx/settings").rglob("*.py"):
        ast.parse(path.read_text())


def test_nothing_is_left_unrendered(installation):
    for path in (installation / "env").rglob("*"):
        if path.is_file() and path.suffix in {".yml", ".env", ".py", ".sh"}:
            assert "ENTERPRISE_ACCESS_" not in path.read_text(), path


def test_every_setting_that_the_service_requires_has_a_value(environment):
    tree = ast.parse((PROJECT / "enterprise_access/settings/production.py").read_text())
    assigned = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    required = ast.literal_eval(assigned["REQUIRED"])
    assert {name for name in required if not environment.get(name)} == set()


def test_the_service_starts_with_these_settings(environment):
    python = os.environ["SERVICE_PYTHON"]
    # The driver of MySQL is an extra; what is checked here are the names and the shapes of the values.
    settings = environment | {"DATABASE_URL": environment["DATABASE_URL"].replace("mysql://", "postgres://")}
    command = [python, "manage.py", "check", "--fail-level", "ERROR"]
    result = subprocess.run(
        command, cwd=PROJECT, env=settings, capture_output=True, text=True, check=False, timeout=120
    )
    assert result.returncode == 0, result.stderr


def test_addresses_survive_any_password(environment, config):
    for name in ("DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL", "EVENT_BUS_REDIS_CONNECTION_URL"):
        address = urlsplit(environment[name])
        assert address.hostname in {"mysql", "redis"}, name
        assert address.port in {3306, 6379}, name
        assert address.path.strip("/"), name
    broker, cache = urlsplit(environment["CELERY_BROKER_URL"]), urlsplit(environment["CACHE_URL"])
    assert broker.path != cache.path, "clearing the cache leaves the broker alone"


def test_mail_goes_the_way_of_the_installation(environment, config):
    address = urlsplit(environment["EMAIL_URL"])
    if "SMTP_USERNAME" not in config:
        assert environment["EMAIL_URL"] == "smtp://smtp:8025"
        return
    assert (address.scheme, address.hostname, address.port) == ("smtp+tls", "mail.example.org", 8025)
    assert (unquote(address.username), unquote(address.password)) == ("mail@example.org", AWKWARD)
    assert environment["DEFAULT_FROM_EMAIL"] == "contact@learn.example.org"


def test_what_is_optional_is_left_out_until_it_is_there(environment, config):
    given = {
        "DISCOVERY_BASE_URL": "http://discovery:8000",
        "METRICS_CREDENTIALS": "scraper",
        "VALIDATION_DIGEST_RECIPIENTS": "a@example.org,b@example.org",
    }
    found = {name: environment[name] for name in given if name in environment}
    assert found == (given if "DISCOVERY_HOST" in config else {})


def test_tokens_are_checked_with_the_installation_s_own_public_key(environment, config):
    (key,) = json.loads(environment["JWT_PUBLIC_SIGNING_JWK_SET"])["keys"]
    assert key.keys() == {"kid", "kty", "e", "n"}, "nothing of the private half"
    lms = f"{config['LMS_HOST']}/oauth2"
    assert environment["JWT_ISSUER"].endswith(lms)


def test_the_canary_is_left_out_until_it_is_known(environment, config):
    assert environment.get("LMS_CANARY_USER_ID") == (str(config.get("ENTERPRISE_ACCESS_CANARY_USER_ID", "")) or None)


def test_other_settings_can_be_given(environment, config):
    for name, value in config.get("ENTERPRISE_ACCESS_EXTRA_ENVIRONMENT", {}).items():
        assert environment[name] == value


def test_compose_runs_every_process(compose, installation, processes):
    ours = {name: service for name, service in compose.items() if name.startswith("enterprise-access")}
    assert sorted(ours) == sorted(processes)
    for name, service in ours.items():
        assert (installation / "env/local" / service["env_file"]).is_file(), name
        assert compose.keys() >= set(service["depends_on"]), name
        assert all(isinstance(word, str) for word in service.get("command", [])), name
        assert service["stop_grace_period"] == "60s", name


def test_one_consumer_runs_for_each_topic_that_the_lms_fills(compose, installation):
    heard = {
        name: service["command"][3] for name, service in compose.items() if name.startswith("enterprise-access-consume")
    }
    assert heard.pop(LEDGER_CONSUMER, None) in (None, CONSUMED["transactions"])
    topics = sorted(heard.values())
    assert topics == sorted(topic for _, topic, _ in TOPICS.values())
    settings = (installation / "env/apps/openedx/settings/lms/production.py").read_text()
    lines = [line for line in settings.splitlines() if line.startswith("EVENT_BUS_")]
    found: dict = {}
    exec("\n".join(lines), found)
    filled = {
        topic: config["enabled"]
        for event in found["EVENT_BUS_PRODUCER_CONFIG"].values()
        for topic, config in event.items()
    }
    assert filled == dict.fromkeys(topics, True)


def test_both_ends_of_the_event_bus_agree(environment, installation):
    settings = (installation / "env/apps/openedx/settings/lms/production.py").read_text()
    for name in ("EVENT_BUS_REDIS_CONNECTION_URL", "EVENT_BUS_TOPIC_PREFIX"):
        last = [line for line in settings.splitlines() if line.startswith(f"{name} =")][-1]
        assert ast.literal_eval(last.split(" = ", 1)[1]) == environment[name]


def test_jobs_run_in_order_and_where_they_belong(installation):
    assert [service for service, _ in INIT_TASKS] == ["mysql", "lms", "enterprise-access", "enterprise-access"]
    jobs = yaml.safe_load((installation / "env/local/docker-compose.jobs.yml").read_text())["services"]
    assert {f"{service}-job" for service, _ in INIT_TASKS} <= jobs.keys()
    assert "enterprise-access-job" in documents(installation, "jobs")


def test_the_jobs_are_scripts_that_a_shell_can_read(installation):
    for _, script in INIT_TASKS:
        template = "{% include 'enterprise-access/tasks/" + script + "' %}"
        plugins = {"TUTOR_PLUGINS_ROOT": str(installation / "plugins"), "TUTOR_ROOT": str(installation)}
        rendered = subprocess.run(
            [sys.executable, "-c", RENDER, str(installation), template],
            env=os.environ | plugins,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert rendered.returncode == 0, rendered.stderr
        assert "{{" not in rendered.stdout
        assert "{%" not in rendered.stdout
        checked = subprocess.run(["sh", "-n"], input=rendered.stdout, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        assert rendered.stdout.strip()
        for block in rendered.stdout.split('shell -c "')[1:]:
            ast.parse(block.split('\n"')[0])


def test_kubernetes_runs_every_process_with_its_settings(installation, processes):
    deployments = documents(installation, "deployments")
    assert sorted(name for name in deployments if name.startswith("enterprise-access")) == sorted(processes)
    maps = yaml.safe_load((installation / "env/kustomization.yml").read_text())["configMapGenerator"]
    (ours,) = [each for each in maps if each["name"] == "enterprise-access-environment"]
    assert all((installation / "env" / path).is_file() for path in ours["envs"])
    for name in processes:
        pod = deployments[name]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": "enterprise-access-environment"}}]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["terminationGracePeriodSeconds"] == 60
        assert (
            deployments[name]["spec"]["selector"]["matchLabels"]
            == deployments[name]["spec"]["template"]["metadata"]["labels"]
        )


def test_there_is_one_beat_even_while_it_is_replaced(installation):
    beat = documents(installation, "deployments")["enterprise-access-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]["type"]) == (1, "Recreate")


def test_processes_are_told_the_same_in_compose_and_in_kubernetes(installation, compose, processes):
    for name in processes:
        (container,) = documents(installation, "deployments")[name]["spec"]["template"]["spec"]["containers"]
        command = [word for word in compose[name].get("command", []) if word not in ("--name", "local")]
        assert container.get("args", []) == command


def test_the_web_process_is_probed_and_reached(installation, config):
    web = documents(installation, "deployments")["enterprise-access"]["spec"]["template"]["spec"]["containers"][0]
    assert web["livenessProbe"]["httpGet"]["path"] == "/health/live/"
    assert web["readinessProbe"]["httpGet"]["path"] == "/health/ready/"
    service = documents(installation, "services")["enterprise-access"]["spec"]
    assert service["ports"][0]["port"] == web["ports"][0]["containerPort"]
    caddyfile = (installation / "env/apps/caddy/Caddyfile").read_text()
    assert "enterprise-access." + config["LMS_HOST"] + "{$default_site_port} {\n    import proxy" in caddyfile


def test_readme_tells_every_setting(installation):
    readme = (HERE.parent / "README.rst").read_text()
    assert [name for name in [*DEFAULTS, *UNIQUE] if f"``{name}``" not in readme] == []
