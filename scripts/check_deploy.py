"""Check that the production settings are fit for production, and that they have no default for anything secret.

Starts the service again and again under a made-up environment: once complete, to pass Django's own deployment check,
and once without each required name, and with each one empty, to see it refuse and say which name it misses.
"""

import ast
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "enterprise_access" / "settings"
# Those of other ways to run it, and of the sign-in, which is optional.
OTHERS = {"embedded.py", "local.py", "services.py", "sign_in.py", "test.py"}
MODULES = sorted({module.name for module in SETTINGS.glob("*.py")} - OTHERS)
# Names of this kind hold a secret, or an address with a password in it.
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|_KEY|JWK|^(DATABASE|CACHE|CELERY_BROKER)_URL$")


def main() -> int:
    read = dict(names_read())
    required = sorted(name for name, has_default in read.items() if not has_default)
    problems = [f"{name} is secret, and has a default." for name in read if SECRET.search(name) and read[name]]
    complete = made_up(required)
    problems += refused_by_django(complete)
    attempts = [(name, value) for name in required for value in (None, "")]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        problems += filter(None, pool.map(lambda attempt: problem_without(complete, *attempt), attempts))
    for problem in problems:
        print(problem)
    if problems:
        return 1
    print(f"The deployment check is clean; none of the {len(required)} required names has a default.")
    return 0


def names_read() -> Iterator[tuple[str, bool]]:
    """Yield each name that the production settings read from the environment, and whether it has a default.

    A name that is read twice is required when one of the readings has no default.
    """
    found: dict[str, bool] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse((SETTINGS / module).read_text())):
            if isinstance(node, ast.Call) and is_reading(node.func):
                name = ast.literal_eval(node.args[0])
                has_default = any(keyword.arg == "default" for keyword in node.keywords)
                found[name] = has_default and found.get(name, True)
    yield from sorted(found.items())


def is_reading(function: ast.expr) -> bool:
    """Say whether this is `env` or `env.str` and the like, which is about to be called."""
    reader = function.value if isinstance(function, ast.Attribute) else function
    return isinstance(reader, ast.Name) and reader.id == "env"


def made_up(required: list[str]) -> dict[str, str]:
    """Return a complete environment with random secrets. Nothing at these addresses is ever asked."""
    values = {
        "ALLOWED_HOSTS": "access.example.com",
        "CACHE_URL": "pymemcache://cache.example.com:11211",
        "CATALOG_BASE_URL": "https://catalog.example.com",
        "CELERY_BROKER_URL": f"redis://:{secrets.token_urlsafe(20)}@broker.example.com:6379/0",
        "DATABASE_URL": f"postgres://access:{secrets.token_urlsafe(20)}@database.example.com/access",
        "JWT_AUDIENCE": "openedx",
        "JWT_ISSUER": "https://lms.example.com/oauth2",
        "JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": []}',
        "LICENSE_MANAGER_BASE_URL": "https://licenses.example.com",
        "LMS_BASE_URL": "https://lms.example.com",
    }
    return {name: values.get(name, secrets.token_urlsafe(50)) for name in required}


def refused_by_django(environment: Mapping[str, str]) -> list[str]:
    result = manage(["check", "--deploy", "--fail-level", "WARNING"], environment)
    return [] if result.returncode == 0 else [f"The deployment check fails:\n{result.stderr}"]


def problem_without(environment: Mapping[str, str], name: str, value: str | None) -> str | None:
    """Return what is wrong when the service starts without `name` (value None), or with an empty one."""
    changed = {other: kept for other, kept in environment.items() if other != name}
    if value is not None:
        changed[name] = value
    result = manage(["check"], changed)
    how = "missing" if value is None else "empty"
    if result.returncode == 0:
        return f"The service starts although {name} is {how}."
    last_line = result.stderr.strip().rsplit("\n", 1)[-1]
    if name not in last_line:
        return f"The message does not name {name}, which is {how}: {last_line}"
    return None


def manage(arguments: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run manage.py with this environment and nothing of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {"DJANGO_SETTINGS_MODULE": "enterprise_access.settings.production"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=kept | settings | dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
