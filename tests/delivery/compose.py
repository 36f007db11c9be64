"""docker-compose.yml acted out without a container engine: our services as plain processes of this machine.

What runs is what stands in the files. From docker-compose.yml come environment, commands, health checks and the time
that each may take to stop; from the Dockerfile what is copied into /app, and the environment, command and health check
of each image. Replaced is only what a container keeps apart: names of hosts, ports, folders, the virtual environment.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent.parent
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:?[-?])(?P<rest>[^}]*))?\}")
HEALTHY_WITHIN_SECONDS = 120
# Compose's own, where a service does not say otherwise.
DEFAULT_GRACE = "10s"


class NotHealthy(Exception):
    """A service has ended, or does not get healthy. Says what it said last."""


# --- Reading the files -----------------------------------------------------------------------------------------------


def compose_file() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def filled_in(text: str, env: Mapping[str, str]) -> str:
    """Return `text` with its variables replaced, as Compose does it. A required one that is not there is a KeyError."""

    def value_of(match: re.Match[str]) -> str:
        match match["kind"]:
            case ":-":
                return env.get(match["name"]) or match["rest"]
            case "-":
                return env.get(match["name"], match["rest"])
        return env[match["name"]]

    return VARIABLE.sub(value_of, text).replace("$$", "$")


def printed_env() -> dict[str, str]:
    """Return what make_compose_env.py prints, which is the .env file."""
    command = [sys.executable, "scripts/make_compose_env.py"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = dict(line.split("=", 1) for line in lines)
    assert all(value[0] == value[-1] == "'" and "'" not in value[1:-1] for value in pairs.values())
    return {name: value[1:-1] for name, value in pairs.items()}


def dockerfile() -> str:
    """Return the Dockerfile with its continued lines joined, and without its comments."""
    lines = (line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    return "\n".join(lines).replace("\\\n", " ")


def instructions(stage: str) -> list[tuple[str, str]]:
    """Return the instructions of a stage of the Dockerfile, after those of the stages that it stands on."""
    stages: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in filter(None, dockerfile().splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages[name] = list(stages.get(base, []))
        elif name:
            stages[name].append((word, rest.strip()))
    return stages[stage]


def ignored_everywhere() -> list[str]:
    """Return the names that .dockerignore keeps out of the image in every folder."""
    lines = (ROOT / ".dockerignore").read_text().split()
    return [line.removeprefix("**/") for line in lines if line.startswith("**/")]


def seconds_of(text: str) -> float:
    return float(text.removesuffix("s"))


# --- What a container would be ---------------------------------------------------------------------------------------


@frozen(kw_only=True)
class Image:
    """What a stage of the Dockerfile makes, with the folder that stands for /app."""

    app: Path
    environment: Mapping[str, str]
    command: list[str]
    healthcheck: list[str]


def build(stage: str, app: Path) -> Image:
    """Copy into `app` what the image has in /app, and return the image."""
    environment: dict[str, str] = {}
    said: dict[str, str] = {}
    for word, rest in instructions(stage):
        match word:
            case "ENV":
                environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "COPY" if not rest.startswith("--from"):
                _copy(rest.split(), app)
            case "RUN" if "manage.py" in rest:
                subprocess.run(["/bin/sh", "-c", rest], cwd=app, env=_moved_to(app, environment), check=True)
            case "CMD" | "HEALTHCHECK":
                said[word] = rest
    command, healthcheck = json.loads(said["CMD"]), json.loads(said["HEALTHCHECK"].partition("CMD ")[2])
    return Image(app=app, environment=environment, command=command, healthcheck=healthcheck)


def _moved_to(app: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a stage while it is built."""
    texts = {"/venv/bin": str(Path(sys.executable).parent), "$PATH": os.environ["PATH"], "/app": str(app)}
    return {name: _replaced(value, texts) for name, value in environment.items()}


def _replaced(text: str, texts: Mapping[str, str]) -> str:
    """Return `text` with every word of `texts` replaced, in one go: what is put in is left alone."""
    pattern = "|".join(re.escape(word) for word in sorted(texts, key=len, reverse=True))
    return re.sub(pattern, lambda match: texts[match[0]], text)


def _copy(words: list[str], app: Path) -> None:
    *sources, target = words
    for source in map(ROOT.joinpath, sources):
        place = app / target / source.name if target.endswith("/") else app / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns(*ignored_everywhere()))
        else:
            shutil.copy2(source, place)


@frozen(kw_only=True)
class Service:
    """One service of ours as a process: what it is told, and in which folder it runs."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    healthcheck: list[str] | None
    healthcheck_seconds: float
    grace_seconds: float
    app: Path


def services(
    *,
    images: Mapping[str, Image],
    env: Mapping[str, str],
    settings: Mapping[str, str],
    instead: Mapping[str, str],
    home: Path,
) -> dict[str, Service]:
    """Return every service that runs one of `images`, with `env` for its variables, and `settings` in its env_file.

    `instead` says by what a word of theirs is replaced; each has a folder of its own in `home` for what it writes.
    """
    described = compose_file()["services"]
    ours = {name: told for name, told in described.items() if told["image"] in images}
    made = {}
    for name, told in ours.items():
        image = images[told["image"]]
        given = settings if "env_file" in told else {}
        # What the service names wins over its env_file, and that over the image.
        environment = {**image.environment, **given, **told["environment"]}
        made[name] = _service(name, told, image, environment, env, instead, home / name)
    return made


def _service(
    name: str,
    told: Mapping[str, Any],
    image: Image,
    given: Mapping[str, object],
    env: Mapping[str, str],
    instead: Mapping[str, str],
    own: Path,
) -> Service:
    own.mkdir()
    folders = {"/app": image.app, "/tmp": own, "/var/lib/simulator": own, "/venv/bin": Path(sys.executable).parent}
    texts = {"$PATH": os.environ["PATH"], **instead} | {word: str(folder) for word, folder in folders.items()}

    def moved(text: object) -> str:
        return _replaced(filled_in(str(text), env), texts)

    check = told.get("healthcheck", {"test": ["CMD", *image.healthcheck]})
    environment = {key: moved(value) for key, value in given.items()}
    # As the engine does it: the name of the container, and the home of a user who has none.
    environment |= {"HOSTNAME": socket.gethostname(), "HOME": str(own / "home")}
    # Which port check_alive.py asks, and where is told what is counted: the same in every container.
    environment |= {"PORT": instead[":8000"].removeprefix(":"), "METRICS_PORT": str(free_port())}
    return Service(
        name=name,
        app=image.app,
        command=[moved(word) for word in told.get("command", image.command)],
        environment=environment,
        healthcheck=None if check.get("disable") else _as_command([moved(word) for word in check["test"]]),
        healthcheck_seconds=seconds_of(check.get("timeout", "30s")),
        grace_seconds=seconds_of(told.get("stop_grace_period", DEFAULT_GRACE)),
    )


def _as_command(test: list[str]) -> list[str]:
    kind, *words = test
    return {"CMD": words, "CMD-SHELL": ["/bin/sh", "-c", *words]}[kind]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- What the engine would do ----------------------------------------------------------------------------------------


class Engine:
    """Starts services, asks them how they are, and tells them to stop. What each says is kept in `home`."""

    def __init__(self, services: Mapping[str, Service], home: Path) -> None:
        self.services = services
        self.home = home
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, name: str, *command: str, **more: str) -> None:
        """`docker compose run --rm --env MORE=... NAME COMMAND`, and wait for it. Without a command: its own."""
        service = self.services[name]
        with (self.home / f"{name}.log").open("ab") as log:
            subprocess.run(
                command or service.command,
                cwd=service.app,
                env={**service.environment, **more},
                stdout=log,
                stderr=log,
                check=True,
            )

    def start(self, *names: str) -> None:
        """`docker compose up --detach NAMES`: start each, and do not wait."""
        for name in names:
            service = self.services[name]
            with (self.home / f"{name}.log").open("ab") as log:
                # A session of its own, so that what it leaves behind can be found.
                self.processes[name] = subprocess.Popen(
                    service.command,
                    cwd=service.app,
                    env=dict(service.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def wait_until_healthy(self) -> None:
        """Ask each by its own health check until it is well. Who has none has to go on running."""
        gives_up_at = time.monotonic() + HEALTHY_WITHIN_SECONDS
        for name in self.processes:
            while not self.is_healthy(name):
                if time.monotonic() > gives_up_at:
                    raise NotHealthy(f"{name} does not get healthy:\n{self.log(name)[-3000:]}")
                time.sleep(0.5)

    def is_healthy(self, name: str) -> bool:
        """Run the health check, within its time. Raises NotHealthy when the process has ended."""
        service = self.services[name]
        if (code := self.processes[name].poll()) is not None:
            raise NotHealthy(f"{name} has ended with {code}:\n{self.log(name)[-3000:]}")
        if service.healthcheck is None:
            return True
        try:
            done = subprocess.run(
                service.healthcheck,
                cwd=service.app,
                env=dict(service.environment),
                capture_output=True,
                check=False,
                timeout=service.healthcheck_seconds,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def stop(self, names: Iterable[str]) -> dict[str, int | None]:
        """Tell all of them to stop at once. Return how each has ended; None: not within its time."""
        told = {name: self.processes[name] for name in names}
        for process in told.values():
            # To the first process alone, as `init` passes it on.
            process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        return {name: self._ended(name, process, started) for name, process in told.items()}

    def _ended(self, name: str, process: "subprocess.Popen[bytes]", told_at: float) -> int | None:
        left = told_at + self.services[name].grace_seconds - time.monotonic()
        try:
            return process.wait(timeout=max(left, 0.01))
        except subprocess.TimeoutExpired:
            return None

    def left_behind(self) -> list[str]:
        """Return the services whose process has ended, while others that it began still run."""
        return [name for name, process in self.processes.items() if process.poll() is not None and _is_there(process)]

    def kill(self) -> None:
        for process in self.processes.values():
            if _is_there(process):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")


def _is_there(process: "subprocess.Popen[bytes]") -> bool:
    """Say whether anything of the process's group is left."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
