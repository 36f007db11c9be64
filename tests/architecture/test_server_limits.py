"""The limits of the web server in front of our code, tried with the real one: what is accepted, and how it refuses."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
STARTED_WITHIN_SECONDS = 60
KIB = 1024


@pytest.fixture(scope="module", params=["sync", "gthread"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Start the service under gunicorn, with the settings of the image; return the port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", request.param]
    server = subprocess.Popen([*command, "--log-level", "error", "enterprise_access.wsgi:application"], cwd=ROOT)
    try:
        ends_at = time.monotonic() + STARTED_WITHIN_SECONDS
        while True:
            try:
                ask(port, "/health/live/")
                break
            except ConnectionError:
                assert time.monotonic() < ends_at, "the service did not start"
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def ask(port: int, path: str, **headers: str) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": "testserver", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("size", [1 * KIB, 8 * KIB, 12 * KIB, 16 * KIB])
@pytest.mark.parametrize("header", ["Authorization", "Cookie", "X-Other"])
def test_a_header_of_16_kib_is_accepted(port, size, header):
    assert ask(port, "/health/live/", **{header: "x" * size})[0] == 200


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/api/v1/", {"Authorization": "JWT " + "x" * 17 * KIB}, 431, "headers_too_large"),
        ("/api/v1/", {"Authorization": "JWT " + "x" * 64 * KIB}, 431, "headers_too_large"),
        ("/api/v1/", {"Cookie": "x" * 500 * KIB}, 431, "headers_too_large"),
        ("/api/v1/", {f"X-{number}": "x" for number in range(200)}, 431, "headers_too_large"),
        ("/api/v1/?content_key=" + "x" * 16 * KIB, {}, 414, "uri_too_long"),
    ],
    ids=["17 KiB", "64 KiB", "500 KiB", "many", "long address"],
)
def test_what_the_server_itself_refuses_has_the_shape_of_every_error(port, path, headers, status, code):
    answered, content_type, body = ask(port, path, **headers)
    said = json.loads(body)
    assert (answered, content_type, said["code"]) == (status, "application/json", code)
    assert said.keys() == {"code", "detail", "extra", "request_id"}
    assert "xxx" not in body.decode()
