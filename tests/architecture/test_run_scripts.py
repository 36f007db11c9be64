"""`make run` and `make run-services` leave nothing behind, and management commands find the servers of the latter."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from enterprise_access.settings import embedded

ROOT = Path(__file__).resolve().parent.parent.parent
ENDS_WITHIN_SECONDS = 20
# As run.py does it, with processes that are quick to start: one talks all the time, one never does.
# Tests that are started by nohup ignore the end of the terminal, and so would their children.
STARTER = """
import signal
import sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)
sys.path.insert(0, "scripts")
import run
run.welcome = lambda service: None
manager = run.Manager(run.Printer(run.Output()))
manager.add_process("talker", "echo talker is $$; while :; do echo still here; sleep 0.2; done")
manager.add_process("sleeper", "echo sleeper is $$; exec sleep 600")
sys.exit(run.run_until_stopped(manager, {}))
"""
PREPARE = """
import sys
sys.path.insert(0, "scripts")
import run_services
run_services.environments_with_servers()
"""
TELL = """
import json
from django.conf import settings
names = ["DATABASES", "CELERY_BROKER_URL", "CACHES", "EVENT_BUS_REDIS_CONNECTION_URL", "LMS_BASE_URL", "SECRET_KEY"]
print(json.dumps({name: getattr(settings, name) for name in names}, default=str))
"""
POSTGRES = "postgres://access:p%23%24w@database.example.com:5433/access"


def hang_up(running: "subprocess.Popen[str]") -> None:
    running.send_signal(signal.SIGHUP)


def press_ctrl_c(running: "subprocess.Popen[str]") -> None:
    running.send_signal(signal.SIGINT)


def stop_reading(running: "subprocess.Popen[str]") -> None:
    assert running.stdout
    running.stdout.close()


@pytest.mark.parametrize(("end", "code"), [(press_ctrl_c, 0), (hang_up, 143), (stop_reading, 143)])
def test_nothing_runs_on_when_the_terminal_ends_it(end: "Callable[[subprocess.Popen[str]], None]", code: int):
    running = subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    pids = pids_told_by(running, {"talker", "sleeper"})
    try:
        assert all(is_there(pid) for pid in pids)
        end(running)
        assert running.wait(ENDS_WITHIN_SECONDS) == code
        assert [pid for pid in pids if is_there(pid)] == []
    finally:
        for group in filter(is_there, [*pids, running.pid]):
            os.killpg(group, signal.SIGKILL)
        stop_reading(running)
        running.wait()


def pids_told_by(running: "subprocess.Popen[str]", names: set[str]) -> list[int]:
    """Read until each of the processes has said its id."""
    assert running.stdout
    pids: dict[str, int] = {}
    for line in running.stdout:
        name, _, pid = line.rpartition("| ")[2].partition(" is ")
        if name in names:
            pids[name] = int(pid)
        if set(pids) == names:
            break
    return list(pids.values())


def test_commands_find_the_servers_of_the_last_start(tmp_path):
    start(tmp_path, DATABASE_URL="mysql://root:@127.0.0.1:3306/elsewhere", REDIS_URL="redis://elsewhere:6379")
    before = told(tmp_path)
    start(tmp_path, DATABASE_URL=POSTGRES, REDIS_URL="redis://redis.example.com:6380/", SIMULATOR_PORT="8901")
    now = told(tmp_path)
    database = now["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("database.example.com", 5433, "access")
    assert (database["USER"], database["PASSWORD"]) == ("access", "p#$w")
    assert now["CELERY_BROKER_URL"] == "redis://redis.example.com:6380/11"
    assert "redis://redis.example.com:6380/12" in str(now["CACHES"]["default"]["LOCATION"])
    assert now["EVENT_BUS_REDIS_CONNECTION_URL"] == "redis://redis.example.com:6380/13"
    assert now["LMS_BASE_URL"] == "http://localhost:8901/lms"
    assert now["SECRET_KEY"] == before["SECRET_KEY"]


def test_the_environment_wins_over_what_was_kept(tmp_path):
    start(tmp_path, DATABASE_URL=POSTGRES)
    now = told(tmp_path, DATABASE_URL="postgres://postgres@127.0.0.1:5432/another")
    assert now["DATABASES"]["default"]["NAME"] == "another"


def test_what_was_kept_is_for_its_owner_alone(tmp_path):
    start(tmp_path, DATABASE_URL=POSTGRES)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.env")}
    assert modes == dict.fromkeys(["services.env", "embedded.env", "secrets.env"], 0o600)


def test_commands_say_what_is_missing_before_the_first_start(tmp_path):
    result = python(TELL, tmp_path, DJANGO_SETTINGS_MODULE="enterprise_access.settings.services")
    assert result.returncode != 0
    assert "make run-services" in result.stderr.strip().rsplit("\n", 1)[-1]


def start(home: Path, **environment: str) -> None:
    """Do what `make run-services` does before it starts anything."""
    result = python(PREPARE, home, **environment)
    assert result.returncode == 0, result.stderr


def told(home: Path, **environment: str) -> Any:
    """Return the settings that a management command has which is typed in another terminal."""
    result = python(TELL, home, DJANGO_SETTINGS_MODULE="enterprise_access.settings.services", **environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def python(code: str, home: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    ordinary: Mapping[str, str] = {"PATH": os.environ["PATH"], "EMBEDDED_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**ordinary, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


HOLD = """
import sys, time
from pathlib import Path
from enterprise_access.settings import embedded
held = embedded.lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("script", ["run.py", "run_services.py"])
def test_a_folder_is_used_by_one_system_and_one_that_was_killed_is_no_obstacle(tmp_path: Path, script: str):
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert first.stdout
    assert first.stdout.readline() == "held\n"
    second = subprocess.run(
        [sys.executable, f"scripts/{script}"],
        cwd=ROOT,
        env=os.environ | {"EMBEDDED_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    first.kill()
    first.wait()
    first.stdout.close()
    assert second.returncode == 1
    assert f"used by another system that is running (process {first.pid})" in second.stdout
    assert "EMBEDDED_HOME" in second.stdout
    embedded.lock(tmp_path).close()


def test_make_installs_in_one_line_a_step():
    lines = (ROOT / "Makefile").read_text().splitlines()
    installs = [line for line in lines if "pip install" in line or "$(INSTALL)" in line]
    assert len(installs) > 5
    assert [line for line in installs if "--quiet" not in line and not line.startswith("\t@$(INSTALL) -r ")] == []
