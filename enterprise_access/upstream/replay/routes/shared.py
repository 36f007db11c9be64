"""Which method of which client sends a recorded request, and with which arguments."""

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

import attrs

from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.lms.types import EnrollItem
from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.services import service_named
from enterprise_access.upstream.subsidy.client import SubsidyClient

Client = LmsClient | CatalogClient | LicenseManagerClient | SubsidyClient
Arguments = Mapping[str, Any]

LEARNER_TOKEN: Final = "replayed.learner.token"  # noqa: S105 (nobody's)
SOME_UUID: Final = UUID("00000000-0000-4000-8000-000000000000")
SOME_RUN: Final = "course-v1:edX+DemoX+2026_T1"
# By the names that the arguments of all methods have.
STAND_INS: Final[Arguments] = {
    **dict.fromkeys(["customer_uuid", "catalog_uuid", "plan_uuid", "agreement_uuid", "activation_key"], SOME_UUID),
    **dict.fromkeys(["subsidy_uuid", "policy_uuid"], SOME_UUID),
    **dict.fromkeys(["lms_user_id", "enterprise_customer_user_id", "quantity_cents"], 1),
    **dict.fromkeys(["course_run_key", "content_key"], SOME_RUN),
    "content_keys": [SOME_RUN],
    "items": [EnrollItem(lms_user_id=1, course_run_key=SOME_RUN, license_uuid=SOME_UUID)],
    "learner_token": LEARNER_TOKEN,
    "slug": "acme",
    "user_email": "learner@example.com",
    "user_emails": ("learner@example.com",),
    "usernames": ["learner"],
    "idempotency_key": "key",
    "sales_contract_reference_id": "reference",
    "sales_contract_reference_provider": "provider",
}


@attrs.frozen
class Endpoint:
    """An endpoint in use. `arguments` reads them out of a recording.

    `more` are stand-ins for arguments that the method does not require and this endpoint needs. `also` are methods that
    ask the same for another purpose and make more of the answer.
    """

    service: str
    client: type[Client]
    method: str
    pattern: re.Pattern[str]
    call: str
    arguments: Callable[[Recording, Mapping[str, str]], Arguments]
    more: Arguments = attrs.field(factory=dict)
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the method's full name."""
        return self.name_of(self.call)

    def name_of(self, call: str) -> str:
        """Return the full name of another method of the same client."""
        return f"{self.client.__name__}.{call}"

    def stand_ins_of(self, call: str, recording: Recording | None = None) -> Arguments:
        """Return arguments with which this or another method can always be called; a slug is that of the recording."""
        parameters = inspect.signature(getattr(self.client, call)).parameters.values()
        needed = [it.name for it in parameters if it.kind is it.KEYWORD_ONLY and it.default is it.empty]
        found = {name: STAND_INS[name] for name in needed} | (dict(self.more) if call == self.call else {})
        if recording is not None:
            found |= {"slug": _first_slug(recording)} if "slug" in found else {}
            found |= {name: value(recording) for name, value in found.items() if callable(value)}
        return found

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


def _first_slug(recording: Recording) -> Any:
    rows = member(recording.answer_body, "results")
    return member(rows[0], "slug") if isinstance(rows, list) and rows else "acme"


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
