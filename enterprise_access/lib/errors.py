"""The kinds of error that the service knows, whatever the app.

An app's own error subclasses one kind and gives it a `code`, which is stable and may be relied upon by clients.
`lib.drf` alone turns a kind into an HTTP answer.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class ServiceError(Exception):
    """An error with a stable `code`, a sentence for people, and `extra` facts for machines."""

    code: ClassVar[str]

    def __init__(self, detail: str, *, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = dict(extra or {})


class Invalid(ServiceError):
    """What was asked makes no sense as it stands; the detail says how to ask."""

    code = "invalid"


class Forbidden(ServiceError):
    """The caller may not do this."""

    code = "forbidden"


class MayNotRead(Forbidden):
    """The caller has no role that allows reading this."""

    code = "may_not_read"


class MayNotWrite(Forbidden):
    """The caller has no role that allows changing this."""

    code = "may_not_write"


class NotFound(ServiceError):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class Conflict(ServiceError):
    """It cannot be done in the state that things are in now."""

    code = "conflict"


class Refused(ServiceError):
    """It is well formed, and a rule says no."""

    code = "refused"


class UpstreamReason(StrEnum):
    """Why an upstream service could not be asked, or what it refused. Stable: shown in metrics, logs and replies."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    LOCKED = "locked"
    AUTHENTICATION = "authentication"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    REFUSED_LOCALLY = "refused_locally"
    UNEXPECTED_STATUS = "unexpected_status"
    NOT_JSON = "not_json"
    UNKNOWN_SHAPE = "unknown_shape"
    TOO_LARGE = "too_large"
    CIRCUIT_OPEN = "circuit_open"


# What an answer about many rows may fail with because of one of them.
_MAY_BE_ONE_ROW = frozenset(
    {
        UpstreamReason.BAD_REQUEST,
        UpstreamReason.REFUSED_LOCALLY,
        UpstreamReason.UNEXPECTED_STATUS,
        UpstreamReason.NOT_JSON,
        UpstreamReason.UNKNOWN_SHAPE,
        UpstreamReason.TOO_LARGE,
    }
)


class UpstreamError(ServiceError):
    """An upstream service did not give an answer that we can use. Never to be read as "no" or as an empty answer.

    `may_have_happened` says whether a write may have been carried out although no usable answer came back.
    """

    code = "upstream_error"

    def __init__(
        self,
        detail: str,
        *,
        service: str,
        reason: UpstreamReason,
        status: int | None = None,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(detail, extra={"service": service, "reason": reason.value})
        self.service = service
        self.reason = reason
        self.status = status
        self.may_have_happened = may_have_happened

    @property
    def may_be_one_row(self) -> bool:
        """Say whether one of the rows that were asked about may be the cause, so that they are to be asked apart.

        A 500 is the service's own; 502 to 504 say that it is away, whoever is asked about.
        """
        return self.reason in _MAY_BE_ONE_ROW or self.status == 500


class UpstreamUnavailable(UpstreamError):
    """The upstream service could not be asked (time-out, 5xx, throttled, no token to be had): ask again later.

    `retry_after_seconds` is what the upstream service itself named, if it did.
    """

    code = "upstream_unavailable"

    def __init__(
        self,
        detail: str,
        *,
        service: str,
        reason: UpstreamReason,
        status: int | None = None,
        may_have_happened: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(detail, service=service, reason=reason, status=status, may_have_happened=may_have_happened)
        self.retry_after_seconds = retry_after_seconds


class UpstreamRefused(UpstreamError):
    """The upstream service understood and said no (4xx): asking the same again will not help."""

    code = "upstream_refused"


class UpstreamChanged(UpstreamError):
    """The upstream service answered in a shape that we do not know: somebody has to look."""

    code = "upstream_changed"
