"""What the libraries below us raise when a call breaks, and what that says about the call."""

import http.client
import ssl
from collections.abc import Iterator
from typing import Final

import requests
import urllib3.exceptions

# ValueError: of addresses and headers that cannot be encoded.
LIBRARY_ERRORS: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
_NEVER_CONNECTED: Final = (
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
_TIMEOUTS: Final = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)


def is_timeout(error: BaseException) -> bool:
    """Say whether time ran out, rather than the connection."""
    # urllib3 counts a refused connection among the time-outs.
    refused = urllib3.exceptions.NewConnectionError
    return any(isinstance(link, _TIMEOUTS) and not isinstance(link, refused) for link in _chain(error))


def may_have_been_sent(error: BaseException) -> bool:
    """Say whether the upstream service may have received the call: false only when there never was a connection."""
    return not any(isinstance(link, _NEVER_CONNECTED) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and the errors that it wraps, as causes, as reasons (urllib3) or as arguments (requests)."""
    seen: set[int] = set()
    todo: list[object] = [error]
    while todo:
        link = todo.pop()
        if isinstance(link, BaseException) and id(link) not in seen:
            seen.add(id(link))
            yield link
            todo += [link.__cause__, link.__context__, getattr(link, "reason", None), *link.args]
