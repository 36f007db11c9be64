"""Start the whole system on this machine: web, worker, beat and the simulator, with embedded parts only.

Everything it keeps is in one folder (var/, or EMBEDDED_HOME). WEB_PORT and SIMULATOR_PORT choose the ports.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import honcho.manager
import requests
from honcho.manager import Manager
from honcho.printer import Printer

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from enterprise_access.settings import embedded  # noqa: E402

HOME = embedded.home()
WEB_PORT = int(os.environ.get("WEB_PORT", embedded.WEB_PORT))
SIMULATOR_PORT = int(os.environ.get("SIMULATOR_PORT", embedded.SIMULATOR_PORT))
WEB = f"http://localhost:{WEB_PORT}"
SIMULATOR = f"http://localhost:{SIMULATOR_PORT}"
BIN = Path(sys.executable).parent
READY_WITHIN_SECONDS = 60
# Customers of the simulated world, and what staff have intended for their learners before the visitor comes.
DEMONSTRATION = ["acme=HarvardX+CS50,BerkeleyX+CS188.1x", "globex", "hooli"]
STOPPED_BY_CTRL_C = 130
# A worker ends the call that it has in hand, and records it: for that honcho's own patience (5) is too short.
STOPPED_WITHIN_SECONDS = 20
# Browsers connect ahead of time and say nothing yet. With no proxy in front to hold such connections, they must not
# keep a process from others.
WEB_WORKERS = "--workers 2 --threads 4 --graceful-timeout 3"


def main() -> int:
    try:
        with embedded.lock(HOME):
            return run()
    except embedded.InUse as error:
        print(error)
        return 1


def run() -> int:
    for name, port in [("WEB_PORT", WEB_PORT), ("SIMULATOR_PORT", SIMULATOR_PORT)]:
        if not is_free(port):
            print(f"Port {port} is taken by another program. Choose another one: {name}={port + 1} make run")
            return 1
    service, simulator = environments()
    say("Preparing the database ...")
    for command in (["migrate", "--verbosity", "0"], ["createcachetable", "--database", "cache", "--verbosity", "0"]):
        if (code := manage(command, service).returncode) != 0:
            return code
    manager = Manager(Printer(Output()))
    add_processes(manager, service, simulator)
    code = run_until_stopped(manager, service)
    say(f"Stopped. The data is kept in {HOME}: 'make run' goes on with it. Remove that folder to start over.")
    return code


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def environments() -> tuple[dict[str, str], dict[str, str]]:
    """Return the environment of the service's processes, and that of the simulator."""
    service = embedded.service_environment(HOME, web_port=WEB_PORT, simulator_port=SIMULATOR_PORT)
    simulator = {
        "SIMULATOR_STATE_FILE": str(HOME / "simulator.jsonl"),
        "SIMULATOR_MAILS_FOLDER": str(HOME / "mails"),
        "SIMULATOR_SIGNING_JWK": embedded.secrets_of(HOME)["SIGNING_JWK"],
        "SIMULATOR_SERVICE_URL": WEB,
        "SIMULATOR_ISSUER": service["JWT_ISSUER"],
        "SIMULATOR_AUDIENCE": service["JWT_AUDIENCE"],
    }
    common = {"PYTHONUNBUFFERED": "1", "EDX_REST_API_CLIENT_NAME": "enterprise-access"}
    django = {"DJANGO_SETTINGS_MODULE": "enterprise_access.settings.local", "EMBEDDED_HOME": str(HOME)}
    return os.environ | common | django | service, os.environ | common | simulator


def manage(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    # In a session of its own, so that Ctrl-C reaches it through us, and not as a traceback.
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, start_new_session=True)


def add_processes(manager: Manager, service: Mapping[str, str], simulator: Mapping[str, str]) -> None:
    celery = f"{BIN / 'celery'} --quiet --app enterprise_access"
    gunicorn = f"{BIN / 'gunicorn'} --log-level warning --bind 127.0.0.1"
    quiet = "--without-gossip --without-mingle --without-heartbeat"
    commands = {
        "simulator": (
            # One process, as the simulated world lives in its memory; and it refuses long request lines by itself.
            f"{gunicorn}:{SIMULATOR_PORT} --threads 16 --limit-request-line 8190 --graceful-timeout 5"
            " simulator.wsgi:application",
            simulator,
        ),
        "web": (f"{gunicorn}:{WEB_PORT} {WEB_WORKERS} enterprise_access.wsgi:application", service),
        "worker": (
            f"{celery} worker --queues interactive,celery --loglevel info --pool threads --concurrency 2 {quiet}",
            service,
        ),
        "background": (
            f"{celery} worker --queues background --hostname background@%h --loglevel info --pool threads"
            f" --concurrency 1 {quiet}",
            service,
        ),
        "beat": (f"{celery} beat --loglevel warning --schedule {HOME / 'beat'} --pidfile=", service),
    }
    for name, (command, environment) in commands.items():
        manager.add_process(name, f"exec {command}", cwd=str(ROOT), env=dict(environment))


def run_until_stopped(manager: Manager, service: Mapping[str, str]) -> int:
    """Run the processes until Ctrl-C, or until the terminal is closed. Return 0 then, else the code of what failed."""
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup wants it
        signal.signal(signal.SIGHUP, stop_silently)
    honcho.manager.KILL_WAIT = STOPPED_WITHIN_SECONDS
    threading.Thread(target=welcome, args=(service,), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode == STOPPED_BY_CTRL_C else manager.returncode or 0


class Output:
    """Where the processes' lines go. When no one reads them any more everything is stopped, as by SIGTERM.

    A terminal that is closed, or a pipe whose reader Ctrl-C has ended first, must not end this program before it has
    ended the others: each of them is in a session of its own, and would stay.
    """

    def write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError:
            stop_silently()

    def flush(self) -> None:
        """Do nothing: each write is flushed."""

    def isatty(self) -> bool:
        return sys.stdout.isatty()


def stop_silently(*_signal: object) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    signal.raise_signal(signal.SIGTERM)


def welcome(environment: Mapping[str, str]) -> None:
    """Wait until everything answers, make the demonstration's data where it is missing, and say where to click."""
    if not (answers(f"{SIMULATOR}/") and answers(f"{WEB}/health/live/")):
        say("The system did not answer in time; the lines above say why.")
        return
    if manage(["seed_demonstration", *DEMONSTRATION], environment).returncode != 0:
        return
    say(
        "",
        "  Ready.",
        "",
        f"  Admin pages:    {WEB}/admin/",
        f"                  as demo, with the password {environment['DEMONSTRATION_PASSWORD']}",
        f"  Learner portal: {SIMULATOR}/",
        "                  a stand-in: choose a learner, sign in, see the courses",
        f"  Admin portal:   {SIMULATOR}/admin-portal/",
        "                  a stand-in: see the budgets, assign courses, approve requests",
        f"  Mails:          {SIMULATOR}/mails/",
        f"  API document:   {WEB}/api/docs/",
        "",
        "  Ctrl-C stops everything.",
        "",
    )


def answers(address: str) -> bool:
    for _ in range(READY_WITHIN_SECONDS * 5):
        try:
            return requests.get(address, timeout=2).ok
        except requests.RequestException:
            time.sleep(0.2)
    return False


def say(*lines: str) -> None:
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # while the database was being prepared
        say("Stopped before it had begun.")
        sys.exit(STOPPED_BY_CTRL_C)
