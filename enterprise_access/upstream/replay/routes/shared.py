"""Which method of which client sends a recorded request, and with which arguments."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

import attrs

from enterprise_access.lib.http import Transport
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.services import service_named
from enterprise_access.upstream.subsidy.client import SubsidyClient

Client = LmsClient | CatalogClient | LicenseManagerClient | SubsidyClient
Arguments = Mapping[str, Any]

LEARNER_TOKEN: Final = "replayed.learner.token"  # noqa: S105 (nobody's)
SOME_UUID: Final = UUID("00000000-0000-4000-8000-000000000000")
SOME_COURSE: Final = "edX+DemoX"
SOME_RUN: Final = "course-v1:edX+DemoX+2026_T1"


@attrs.frozen
class Route:
    """An endpoint in use. `arguments` reads them out of a recording; `stand_ins` are some that can always be sent.

    `also` are methods that ask the same for another purpose and make more of the answer, with stand-ins of their own.
    """

    service: str
    client: Callable[[Transport], Client]
    method: str
    pattern: re.Pattern[str]
    call: str
    arguments: Callable[[Recording, Mapping[str, str]], Arguments]
    stand_ins: Arguments
    also: Mapping[str, Arguments] = attrs.field(factory=dict)

    @property
    def name(self) -> str:
        """Return the method's full name."""
        return self.name_of(self.call)

    def name_of(self, call: str) -> str:
        """Return the full name of another method of the same client."""
        return f"{getattr(self.client, '__name__', '')}.{call}"

    def matches(self, recording: Recording) -> bool:
        """Say whether this is the endpoint of the recording; a missing trailing slash does not make it another."""
        return (
            self.service == (self.service if recording.service is None else service_named(recording.service))
            and recording.method == self.method
            and self.pattern.fullmatch(unquote(recording.path)) is not None
        )

    def arguments_of(self, recording: Recording) -> Arguments:
        """Return what the method must be given to send this. Malformed values stay as they are: the client refuses."""
        found = self.pattern.fullmatch(unquote(recording.path))
        return self.arguments(recording, found.groupdict() if found else {})


def pattern(path: str) -> re.Pattern[str]:
    """Return the pattern of a path whose {names} stand for segments. `/v*/` is any version of an API."""
    escaped = re.escape(path.rstrip("/")).replace(r"/v\*/", r"/v\d+/")
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", escaped) + "/?")


def as_uuid(value: object) -> object:
    """Return the UUID; anything else as it is."""
    try:
        return UUID(value) if isinstance(value, str) else value
    except ValueError:
        return value


def as_integer(value: object) -> object:
    """Return the number in ASCII digits; anything else as it is."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value) else value


def as_flag(value: str | None) -> bool | None:
    return None if value is None else value.lower() in {"true", "1"}


def split(values: tuple[str, ...]) -> list[str]:
    return [part for value in values for part in value.split(",") if part]


def member(body: object, key: str) -> Any:
    return body.get(key) if isinstance(body, Mapping) else None


def as_list(value: object) -> list[Any]:
    """Return a list as it is, nothing as none, and anything else as its only item."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
