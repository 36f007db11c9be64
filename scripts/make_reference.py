"""Write the pages of docs/reference that are made from the code: settings, commands, routes, reasons, licences.

They are kept in the repository, so that they can be read there; a test fails when the code says something else than
they do. A setting, command, argument or route without a meaning is an error.
"""

import argparse
import ast
import importlib.metadata
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import django
import yaml
from attrs import evolve, frozen

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_access.settings.test")

REFERENCE = ROOT / "docs" / "reference"
LINE = 120
MADE_BY = ".. Made by `make reference`. What is wrong here is wrong in the code.\n"


class NoMeaning(Exception):
    """Something of the code does not say what it is for."""


def main() -> None:
    django.setup()
    for name, make_page in PAGES.items():
        (REFERENCE / name).write_text(make_page())
        print(f"docs/reference/{name}")


# --- reStructuredText ------------------------------------------------------------------------------------------------


def heading(text: str, line: str = "=", *, is_title: bool = False) -> str:
    rule = line * len(text)
    return f"{rule}\n{text}\n{rule}\n" if is_title else f"{text}\n{rule}\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, widths: str) -> str:
    """Return a list-table; cells are reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in [head, *rows]:
        for place, cell in enumerate(row):
            lines += folded(cell, first="   * - " if place == 0 else "     - ", following="       ")
    return "\n".join(lines) + "\n"


def folded(text: str, *, first: str = "", following: str = "") -> list[str]:
    """Return the text in lines as long as those of other documents; options and addresses stay in one piece."""
    lines = textwrap.wrap(
        text, LINE, initial_indent=first, subsequent_indent=following, break_long_words=False, break_on_hyphens=False
    )
    return lines or [first.rstrip()]


def code(text: str) -> str:
    return f"``{text}``"


def prose(text: str) -> str:
    """Return words of the code as reStructuredText: one line, `names` as code."""
    return re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", " ".join(text.split()))


# --- Settings --------------------------------------------------------------------------------------------------------

# Where an installation's settings are read from its environment; a later one wins.
SETTINGS_FILES = ("base.py", "sign_in.py", "production.py")
SECTION = re.compile(r"^# --- (.+?) -+$")
TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "``true`` or ``false``",
    "list": "list, with commas between",
    "email_url": "address (URL)",
}
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60


@frozen(kw_only=True)
class Setting:
    """One name that is read from the environment. `default` None: there is none."""

    name: str
    kind: str
    default: str | None
    meaning: str
    section: str


def settings_of(source: str, *, section: str) -> Iterator[Setting]:
    """Yield what a settings file reads from the environment, in its order. The comment above each is its meaning."""
    lines = source.splitlines()
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name("env"), attr=kind), args=[ast.Constant(str(name)), *_]):
                pass
            case _:
                continue
        yield Setting(
            name=name,
            kind="address (URL)" if name.endswith("_URL") else TYPES[kind],
            default=_default(name, call),
            meaning=prose(_comment_above(lines, call.lineno)),
            section=_section(lines, call.lineno) or section,
        )


def _default(name: str, call: ast.Call) -> str | None:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), None)
    if given is None:
        return None
    if isinstance(given, ast.Name):
        return f"as {code(given.id)}"
    try:
        value = eval(compile(ast.Expression(given), "default", "eval"), {"ROOT": Path("."), "str": str})  # noqa: S307
    except Exception as error:
        raise NoMeaning(f"The default of {name} cannot be told: {ast.unparse(given)}") from error
    return _in_words(name, value)


def _in_words(name: str, value: object) -> str:
    if value in (None, "", []):
        return "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, list):
        return code(",".join(value))
    if isinstance(value, int | float) and "_SECONDS" in name:
        return f"{code(str(value))} {_as_time(value)}".rstrip()
    return code(str(value))


def _as_time(seconds: float) -> str:
    for length, unit in [(365 * DAY, "year"), (DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")]:
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return f"({count} {unit}{'s' * (count > 1)})"
    return ""


def _comment_above(lines: Sequence[str], number: int) -> str:
    comment: list[str] = []
    for line in reversed(lines[: number - 1]):
        text = line.strip()
        if not text.startswith("# ") or SECTION.match(text):
            break
        comment.insert(0, text.removeprefix("# "))
    return " ".join(comment)


def _section(lines: Sequence[str], number: int) -> str:
    found = [match[1] for line in lines[: number - 1] if (match := SECTION.match(line))]
    return found[-1] if found else ""


def all_settings() -> list[Setting]:
    """Return the settings of an installation, each once: its first meaning, its last default."""
    folder = ROOT / "enterprise_access" / "settings"
    sections = {"sign_in.py": "Signing in through the LMS", "production.py": "Of production alone"}
    found: dict[str, Setting] = {}
    for file in SETTINGS_FILES:
        for setting in settings_of((folder / file).read_text(), section=sections.get(file, "")):
            first = found.get(setting.name, setting)
            default = setting.default if file == "production.py" else first.default
            found[setting.name] = evolve(first, meaning=first.meaning or setting.meaning, default=default)
    if silent := sorted(setting.name for setting in found.values() if not setting.meaning):
        raise NoMeaning(f"Settings without a comment that says what they are for: {', '.join(silent)}")
    return list(found.values())


def required_settings() -> frozenset[str]:
    """Return the names without which production does not start."""
    source = (ROOT / "enterprise_access" / "settings" / "production.py").read_text()
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "REQUIRED":
            return frozenset(ast.literal_eval(statement.value))
    raise NoMeaning("production.py does not say which settings are required.")


SETTINGS_INTRODUCTION = """
Everything is set in the environment of the processes: web, worker, beat and consumers alike. Those that are
**required** have no default, and ``enterprise_access.settings.production`` does not start without them; it says which
are missing. Times are in seconds, unless the name says otherwise.

``make run`` needs none of them: it makes what it needs, and keeps it in ``var/embedded.env``.
"""

OTHER_NAMES = """
Read by others
==============

These are read by the programs and libraries that we use, or by ``make``.

.. list-table::
   :header-rows: 1
   :widths: 40 60

   * - Name
     - Meaning
   * - ``DJANGO_SETTINGS_MODULE``
     - ``enterprise_access.settings.production``, unless told otherwise.
   * - ``PROMETHEUS_MULTIPROC_DIR``
     - A folder in which the processes of one container share what they count (`metrics <metrics.rst>`_). The image
       sets it.
   * - ``WEB_PORT``, ``SIMULATOR_PORT``, ``EMBEDDED_HOME``
     - Of ``make run``: its two ports (8000 and 8900), and the folder that it keeps everything in (``var/``).
   * - ``POSTGRES_URL``, ``MARIADB_URL``, ``EVENT_BUS_TEST_REDIS_URL``, ``DELIVERY_REDIS_URL``
     - Where the servers are that some tests and measurements need.
   * - ``MODEL_STEPS``, ``CHAOS_LEARNERS``
     - How long ``make test-model`` and ``make test-chaos`` go on.
   * - ``FAULT_KINDS``, ``DOCUMENT_EXAMPLES``, ``HOSTILE_VALUES``, ``HOSTILE_TRIES``
     - How much ``make test-faults`` and ``make test-fuzz`` try, and their short forms in the suite.
   * - ``REDIS_URL``
     - Of ``make run-services``: its Redis.
"""


def settings_page() -> str:
    required = required_settings()
    sections: dict[str, list[Setting]] = {}
    for setting in all_settings():
        sections.setdefault(setting.section, []).append(setting)
    parts = [MADE_BY, heading("Settings", is_title=True) + SETTINGS_INTRODUCTION]
    for section, settings in sections.items():
        title = re.sub(r" \(docs/.*\)$", "", section)
        rows = [[code(one.name), one.kind, _told_default(one, required), one.meaning] for one in settings]
        head = ["Name", "Type", "Default", "Meaning"]
        parts += [heading(title), table(head, rows, widths="34 14 18 34")]
    return "\n".join([*parts, OTHER_NAMES.lstrip()])


def _told_default(setting: Setting, required: frozenset[str]) -> str:
    return "**required**" if setting.name in required else setting.default or "none"


# --- Commands --------------------------------------------------------------------------------------------------------


def commands_page() -> str:
    from django.core.management import get_commands, load_command_class

    ours = sorted(name for name, app in get_commands().items() if str(app).startswith("enterprise_access"))
    introduction = "\nCommands of ours. Each is called as ``python manage.py <command>``; ``--help`` says the same.\n"
    parts = [MADE_BY, heading("Commands", is_title=True) + introduction]
    for name in ours:
        command = load_command_class(str(get_commands()[name]), name)
        parts.append(_command(name, command.help, _arguments(name, command.create_parser("manage.py", name))))
    return "\n".join(parts)


def _arguments(name: str, parser: argparse.ArgumentParser) -> list[list[str]]:
    """Return the arguments that the command itself takes, each with its meaning."""
    from django.core.management.base import BaseCommand

    everywhere = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}
    rows = []
    for action in parser._actions:
        if action.dest in everywhere:
            continue
        if not action.help:
            raise NoMeaning(f"The argument {action.dest} of {name} does not say what it is for.")
        rows.append([code(_form(action)), prose(action.help) + (" Required." if _has_to_be_given(action) else "")])
    return rows


def _form(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    takes_nothing = action.nargs == 0
    return action.option_strings[-1] if takes_nothing else f"{action.option_strings[-1]} {_placeholder(action)}"


def _placeholder(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.upper())


def _has_to_be_given(action: argparse.Action) -> bool:
    return bool(action.option_strings) and action.required


def _command(name: str, what_for: str, arguments: Sequence[Sequence[str]]) -> str:
    if not what_for:
        raise NoMeaning(f"The command {name} does not say what it is for.")
    parts = [heading(name), "\n".join([*folded(prose(what_for)), ""])]
    if arguments:
        parts.append(table(["Argument", "Meaning"], arguments, widths="36 64"))
    return "\n".join(parts)


# --- Routes ----------------------------------------------------------------------------------------------------------

ROUTES_INTRODUCTION = """
What can be asked, in one table. The `API document <../openapi.yaml>`_ has every parameter, field and error; a running
service shows it at ``/api/docs/`` and ``/api/redoc/``, where each route can be tried. `The API <api.rst>`_ says what
holds for all of them, and which errors any of them may answer with; the last column has what else there is.
"""
# The statuses of `The API`, "What went wrong".
ANY_ROUTE = {"400", "401", "403", "404", "405", "406", "413", "415", "429", "500", "503"}


def routes_page() -> str:
    document = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    groups: dict[str, list[list[str]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                groups.setdefault(_group(path), []).append(_route(path, method, operation))
    parts = [MADE_BY, heading("Routes", is_title=True) + ROUTES_INTRODUCTION]
    for name in sorted(groups):
        parts += [heading(name), table(["Route", "What it does", "Answers"], groups[name], widths="44 40 16")]
    return "\n".join(parts)


def _group(path: str) -> str:
    """Return the part of the address that routes of one kind share."""
    steps = path.strip("/").split("/")
    return "/" + "/".join(steps[:3] if steps[0] == "api" else steps[:1]) + "/"


def _route(path: str, method: str, operation: Mapping[str, Any]) -> list[str]:
    what = str(operation.get("summary") or operation.get("description") or "").split("\n\n")[0]
    if not what.strip():
        raise NoMeaning(f"{method.upper()} {path} does not say what it does.")
    return [code(f"{method.upper()} {path}"), prose(what), ", ".join(sorted(operation["responses"].keys() - ANY_ROUTE))]


# --- Reasons ---------------------------------------------------------------------------------------------------------

REASONS_INTRODUCTION = """
Every reason that the service gives, in the order of the rules that they come from (`the rules
<default-enrollments.rst>`_ say when each holds), then those of paying and of realizing. Codes are stable: programs may
rely on them. The sentences are those that staff read, and may change.

A learner's visit to the learner portal, *Try again now* in the admin pages and a backfill bring a look for any reason.
The last column says what else does.
"""


def reasons_page() -> str:
    from enterprise_access.apps.default_enrollments.domain.reasons import EXPLANATIONS
    from enterprise_access.apps.default_enrollments.domain.values import Reason

    rows = []
    for reason in Reason:
        words = EXPLANATIONS[reason]
        rows.append(
            [code(reason.value), prose(words.text), prose(words.what_would_change_it), _next_look(reason.value)]
        )
    head = ["Reason", "What it says", "What would change it", "Looked at again"]
    introduction = heading("Reasons", is_title=True) + REASONS_INTRODUCTION
    return "\n".join([MADE_BY, introduction, table(head, rows, widths="24 28 28 20")])


def _next_look(reason: str) -> str:
    from enterprise_access.apps.default_enrollments.domain.looking_again import SERVED, Event, Schedule, look_of

    when = {
        Event.CONTENT_CHANGE: "when the content changes",
        Event.LICENSE_CHANGE: "when the license changes",
        Event.LOGIN: "at the next login",
        Event.LINK: "when the learner is linked",
        Event.CUSTOMER_ACTIVE: "when the customer is active again",
        Event.OVERRIDE: "after a staff override",
    }
    look = look_of(reason)
    if look is SERVED:
        return "need not be"
    by_time = [] if look.schedule is Schedule.NO_TIME else [look.schedule.value]
    return "; ".join(by_time + [words for event, words in when.items() if event in look.events])


# --- Licences of what we stand on -------------------------------------------------------------------------------------

# Packages that do not say it where a program can read it; what their own licence file says.
SAID_ELSEWHERE = {"walrus": "MIT"}


def licences_page() -> str:
    """Return the licence of each package of requirements/base.txt, as the package itself states it."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements" / "base.txt").read_text(), flags=re.MULTILINE)
    return "\n".join(
        [
            MADE_BY,
            heading("Licences of the dependencies", is_title=True),
            "What the service needs to run (``requirements/base.txt``), and the licence that each package states.\n",
            table(["Package", "Licence"], [(name, licence_of(name)) for name in sorted(names)], widths="40 60"),
        ]
    )


def licence_of(package: str) -> str:
    """Return what the package states. Raises NoMeaning when it states nothing."""
    about: Any = importlib.metadata.metadata(package)
    classified = [
        entry.split(" :: ")[-1] for entry in about.get_all("Classifier", []) if entry.startswith("License ::")
    ]
    in_words = (about.get("License") or "").strip().split("\n")[0]
    found = about.get("License-Expression") or ", ".join(classified) or in_words or SAID_ELSEWHERE.get(package)
    if not found:
        raise NoMeaning(f"{package} does not state its licence; read it, and add it to SAID_ELSEWHERE.")
    return found


PAGES = {
    "licences.rst": licences_page,
    "settings.rst": settings_page,
    "commands.rst": commands_page,
    "routes.rst": routes_page,
    "reasons.rst": reasons_page,
}

if __name__ == "__main__":
    main()
