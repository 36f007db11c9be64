"""The environment of an installation on one machine: made once, with secrets of its own, and kept in one folder."""

import fcntl
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

WEB_PORT = 8000
SIMULATOR_PORT = 8900

# The account under which the simulated LMS knows the service. It opens nothing but the simulator.
WORKER_KEY, WORKER_SECRET = "enterprise-access-key", "enterprise-access-secret"
# A learner of the simulated world who is linked for good.
CANARY = 1001


def home() -> Path:
    """Return the folder in which everything is kept: EMBEDDED_HOME, or var/ beside the code."""
    beside_the_code = Path(__file__).resolve().parent.parent.parent / "var"
    return Path(os.environ.get("EMBEDDED_HOME", beside_the_code)).absolute()


class InUse(Exception):
    """Another system runs on the folder. The message says which process it is."""


def lock(folder: Path) -> TextIO:
    """Keep other systems from using `folder`, for as long as the file that is returned is open.

    The operating system gives the lock back when the processes that have it end, however they end. Raises InUse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise InUse(
            f"The folder {folder} is used by another system that is running (process {holder}). "
            "Stop that one, or choose another folder with EMBEDDED_HOME."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def service_environment(folder: Path, *, web_port: int, simulator_port: int) -> dict[str, str]:
    """Write the service's environment into `folder`/embedded.env, and return it. The secrets in there are kept."""
    kept = secrets_of(folder)
    simulator = f"http://localhost:{simulator_port}"
    environment = {
        "SECRET_KEY": kept["SECRET_KEY"],
        "DEMONSTRATION_PASSWORD": kept["DEMONSTRATION_PASSWORD"],
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CELERY_BROKER_URL": "filesystem://localhost",
        "CACHE_URL": "dummycache://",  # settings.local puts a cache of its own in its place
        "JWT_ISSUER": f"{simulator}/lms/oauth2",
        "JWT_AUDIENCE": "openedx",
        "JWT_PUBLIC_SIGNING_JWK_SET": '{"keys": [' + kept["PUBLIC_JWK"] + "]}",
        "LMS_BASE_URL": f"{simulator}/lms",
        "CATALOG_BASE_URL": f"{simulator}/catalog",
        "DISCOVERY_BASE_URL": f"{simulator}/discovery",
        "LICENSE_MANAGER_BASE_URL": f"{simulator}/license-manager",
        "SUBSIDY_BASE_URL": f"{simulator}/subsidy",
        # The products and catalog queries that the simulator knows.
        "PROVISIONING_CATALOG_QUERIES": "1=1,2=2,3=2,4=2",
        "OAUTH2_CLIENT_ID": WORKER_KEY,
        "OAUTH2_CLIENT_SECRET": WORKER_SECRET,
        "LMS_CANARY_USER_ID": str(CANARY),
        "CORS_ALLOWED_ORIGINS": simulator,
        # The simulator shows them on a page.
        "EMAIL_URL": f"filemail:///{folder / 'mails'}",
        "LEARNER_PORTAL_URL": simulator,
        "ADMIN_PORTAL_URL": simulator,
        "SWEEP_SECONDS": "5",
        # There is no event bus that tells of refunds.
        "RECONCILE_LEDGER_SECONDS": "15",
        "WEB_PORT": str(web_port),
    }
    _write(folder / "embedded.env", environment)
    return environment


def secrets_of(folder: Path) -> dict[str, str]:
    """Return the secrets of the installation in `folder`; they are made when it has none yet."""
    for needed in (folder, folder / "broker", folder / "broker-control", folder / "mails"):
        needed.mkdir(parents=True, exist_ok=True)
    path = folder / "secrets.env"
    if not path.is_file():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        _write(
            path,
            {
                "SECRET_KEY": secrets.token_urlsafe(50),
                "DEMONSTRATION_PASSWORD": secrets.token_urlsafe(9),
                "SIGNING_JWK": RSAAlgorithm.to_jwk(key).replace("{", '{"kid": "embedded", ', 1),
                "PUBLIC_JWK": RSAAlgorithm.to_jwk(key.public_key()).replace("{", '{"kid": "embedded", ', 1),
            },
        )
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _write(path: Path, values: Mapping[str, str]) -> None:
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
