"""Opening pages of the learner portal, and holding every body to the API document."""

import functools
import time
from collections.abc import Callable
from typing import Any, Protocol

import jsonschema  # type: ignore[import-untyped]
from attrs import frozen
from drf_spectacular.generators import SchemaGenerator

PREFIX = "/api/v1/bffs/learner"
PAGES = ("dashboard", "search", "academy", "skills-quiz")
# What a page may take longer than its budget on a machine that is busy with other tests. Without a budget a neighbour
# that hangs would cost tens of seconds.
BUSY_SECONDS = 0.7
EMPTY_SUBSCRIPTIONS: dict[str, Any] = {
    "customer_agreement": None,
    "subscription_licenses": [],
    "subscription_licenses_by_status": {"activated": [], "assigned": [], "revoked": []},
    "subscription_license": None,
    "subscription_plan": None,
    "show_expiration_notifications": False,
}


@frozen
class Opened:
    """A page as the browser got it."""

    status: int
    body: dict[str, Any]
    headers: Any
    seconds: float

    @property
    def slug(self) -> str | None:
        """The customer that is shown."""
        customer = self.body["enterprise_customer"]
        return None if customer is None else str(customer["slug"])

    @property
    def subscriptions(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["enterprise_customer_user_subsidies"]["subscriptions"]
        return found

    @property
    def license_statuses(self) -> list[str]:
        return [row["status"] for row in self.subscriptions["subscription_licenses"]]

    @property
    def missing(self) -> list[str]:
        """What the page says that it lacks, for developers."""
        return [problem["developer_message"] for problem in self.body["errors"]]

    @property
    def runs(self) -> list[str]:
        """The runs of the courses on the dashboard."""
        return [row["course_run_id"] for row in self.body["enterprise_course_enrollments"]]

    @property
    def realizations(self) -> dict[str, str]:
        """What came of the default enrollments, by course."""
        rows = self.body["default_enterprise_enrollment_realizations"]
        return {row["course_key"]: row["enrollment_status"] for row in rows}


class Open(Protocol):
    """Opens a page as somebody."""

    def __call__(self, username: str, page: str = "dashboard", **wanted: Any) -> Opened: ...


def make_opener(api_as: Callable[[str], Any]) -> Open:
    """Return a function that opens pages of acme, unless another customer is named."""

    def open_page(username: str, page: str = "dashboard", **wanted: Any) -> Opened:
        body = wanted or {"slug": "acme/"}
        named = {f"enterprise_customer_{name}": str(value) for name, value in body.items()}
        browser = api_as(username)
        started_at = time.monotonic()
        answer = browser.post(f"{PREFIX}/{page}/", named, format="json")
        seconds = time.monotonic() - started_at
        if answer.status_code in {200, 404, 503}:
            check_body(answer.json(), page)
        return Opened(answer.status_code, answer.json(), answer.headers, seconds)

    return open_page


def check_body(body: dict[str, Any], page: str) -> None:
    """Hold a body to what our API document says of this page: complete, nothing of the wrong kind, nothing besides."""
    _validator(page).validate(body)


@functools.cache
def _validator(page: str) -> jsonschema.Draft202012Validator:
    document = SchemaGenerator().get_schema(request=None, public=True)
    name = "Dashboard" if page == "dashboard" else "Page"
    schema = _strict({"components": document["components"], "$ref": f"#/components/schemas/{name}"})
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def _strict(node: Any) -> Any:
    """Turn OpenAPI 3.0's `nullable` into JSON Schema, and allow no member that is not named."""
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _strict(value) for key, value in node.items() if key != "nullable"}
    if "properties" in found and isinstance(found["properties"], dict):
        found.setdefault("additionalProperties", False)
    if node.get("nullable") is True:
        return {"anyOf": [found, {"type": "null"}]}
    return found
