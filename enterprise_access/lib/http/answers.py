"""What came back from an upstream service, and which kind of failure it is when it is not what we hoped for."""

import email.utils
import json
import time
from collections.abc import Mapping
from typing import Final, NoReturn, TypeVar

import attrs

from enterprise_access.lib import unreadable
from enterprise_access.lib.errors import (
    UpstreamChanged,
    UpstreamError,
    UpstreamReason,
    UpstreamRefused,
    UpstreamUnavailable,
)
from enterprise_access.lib.rows import PartlyRead
from enterprise_access.lib.structure import Read, ShapeError

T = TypeVar("T")

_REFUSALS: Final = {
    401: UpstreamReason.AUTHENTICATION,
    403: UpstreamReason.FORBIDDEN,
    404: UpstreamReason.NOT_FOUND,
    410: UpstreamReason.NOT_FOUND,
}
_UNAVAILABLE: Final = {
    408: UpstreamReason.TIMEOUT,
    423: UpstreamReason.LOCKED,
    425: UpstreamReason.SERVER_ERROR,
    429: UpstreamReason.THROTTLED,
}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


@attrs.frozen
class Answer:
    """An answer whose body was read to its end. `call` names the call in messages, without anybody's data in it."""

    service: str
    call: str
    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    is_write: bool = False

    @property
    def is_json(self) -> bool:
        """Say whether the upstream service calls the body JSON."""
        media_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return media_type == "application/json" or media_type.endswith("+json")

    def json(self) -> object:
        """Return the body as JSON. Raises UpstreamChanged when it is none."""
        if not self.is_json:
            raise self.changed("answered something else than JSON", UpstreamReason.NOT_JSON)
        try:
            return json.loads(self.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            pass
        raise self.changed("answered JSON that is malformed", UpstreamReason.NOT_JSON)

    def read(self, read: Read[T]) -> T:
        """Return what `read` makes of the JSON. Raises UpstreamChanged when that is not of the shape we know.

        Rows that were left out because they cannot be read are counted and logged here.
        """
        value = self.json()
        try:
            found = read(value)
        except ShapeError as error:
            problem = str(error)
        else:
            if isinstance(found, PartlyRead) and found.unreadable:
                unreadable.note(service=self.service, call=self.call, rows=found.unreadable)
            return found
        raise self.changed(f"answered in an unknown shape: {problem}", UpstreamReason.UNKNOWN_SHAPE)

    def failure(self) -> UpstreamError:
        """Return the failure that this answer is, given that its status is none that the caller can use."""
        detail = f"{self.service} answered {self.status} to {self.call}"
        if self.status in _UNAVAILABLE:
            return self._unavailable(detail, _UNAVAILABLE[self.status], may_have_happened=False)
        if self.status >= 500:
            return self._unavailable(detail, UpstreamReason.SERVER_ERROR, may_have_happened=self.is_write)
        if self.status == 404 and self.body and not self.is_json:
            # Not "there is no such thing", but "there is no such address": of a router or a proxy.
            return attrs.evolve(self, is_write=False).changed("has no such address", UpstreamReason.NOT_JSON)
        if self.status >= 400:
            reason = _REFUSALS.get(self.status, UpstreamReason.BAD_REQUEST)
            return UpstreamRefused(detail, service=self.service, reason=reason, status=self.status)
        return self.changed(f"answered {self.status}", UpstreamReason.UNEXPECTED_STATUS)

    def _unavailable(self, detail: str, reason: UpstreamReason, *, may_have_happened: bool) -> UpstreamUnavailable:
        return UpstreamUnavailable(
            detail,
            service=self.service,
            reason=reason,
            status=self.status,
            may_have_happened=may_have_happened,
            retry_after_seconds=retry_after_seconds(self.headers.get("Retry-After")),
        )

    def changed(self, what: str, reason: UpstreamReason) -> UpstreamChanged:
        """Return the failure that means: this is no answer that we know."""
        return UpstreamChanged(
            f"{self.service} {what} ({self.call})",
            service=self.service,
            reason=reason,
            status=self.status,
            may_have_happened=self.is_write,
        )


def retry_after_seconds(value: str | None) -> float | None:
    """Return how long a Retry-After header asks to wait: seconds or an HTTP date. None when it says nothing usable."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
