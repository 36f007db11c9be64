"""What gunicorn answers by itself, to a request that it cannot read: our error in JSON instead of a page of HTML."""

import json
import socket
from http import HTTPStatus

from gunicorn import util  # type: ignore[import-untyped]

from enterprise_access.lib import request_ids
from enterprise_access.lib.middleware import said_of

# How much of a request that was refused is read and thrown away: whoever still sends does not see the answer.
_DRAINED_BYTES = 1024 * 1024
_DRAIN_SECONDS = 1.0


def install() -> None:
    """Make this process answer so. gunicorn has no setting for it, and all its workers use this one function."""
    util.write_error = write_error


def write_error(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:  # noqa: ARG001
    """Send the error. `mesg` quotes the request, and is left out."""
    request_id = request_ids.sane_or_new(None)
    code, detail = said_of(HTTPStatus(status_int))
    body = json.dumps({"code": code, "detail": detail, "extra": {}, "request_id": request_id}).encode()
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        f"{request_ids.HEADER}: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode() + body)
    _drain(sock)


def _drain(sock: socket.socket) -> None:
    """Read what is left of the request, within limits."""
    sock.settimeout(_DRAIN_SECONDS)
    sock.shutdown(socket.SHUT_WR)
    left = _DRAINED_BYTES
    while left > 0 and (piece := sock.recv(min(left, 65536))):
        left -= len(piece)
