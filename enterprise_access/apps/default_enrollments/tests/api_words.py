"""The words that tests of the REST API share."""

import json
from pathlib import Path
from typing import Any

from rest_framework import serializers
from rest_framework.test import APIClient

RECORDINGS = Path(__file__).resolve().parents[4] / "tests" / "recordings" / "lms"
OPERATOR = "enterprise_access_worker"
ENVELOPE = {"next", "previous", "count", "num_pages", "current_page", "start", "results"}


def recorded(name: str) -> Any:
    """Return the LMS's recorded answer."""
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    return client


def code_of(answer: Any) -> str:
    """Return the code of an error, which has to be in our shape."""
    body: dict[str, Any] = answer.json()
    assert {"code", "detail", "extra"} <= set(body)
    assert body["detail"]
    return str(body["code"])


def results_of(answer: Any) -> list[dict[str, Any]]:
    """Return the rows of a page, which has to come in the whole envelope."""
    body = answer.json()
    assert answer.status_code == 200, body
    assert set(body) == ENVELOPE
    rows: list[dict[str, Any]] = body["results"]
    return rows


def assert_says_what_the_document_says(body: Any, serializer: Any) -> None:
    """Hold the keys of an answer, at every depth, to those of the serializer in the API document."""
    if body is None:
        assert serializer.allow_null
        return
    if isinstance(serializer, serializers.ListSerializer):
        assert isinstance(body, list)
        for item in body:
            assert_says_what_the_document_says(item, serializer.child)
        return
    assert isinstance(serializer, serializers.Serializer)
    required = {name for name, field in serializer.fields.items() if field.required}
    assert required <= set(body) <= set(serializer.fields)
    for name, value in body.items():
        field = serializer.fields[name]
        if isinstance(field, serializers.BaseSerializer):
            assert_says_what_the_document_says(value, field)
        elif value is None:
            assert field.allow_null, name


def kind_of(value: Any) -> str:
    """Return the JSON type of a value, as a client would see it."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case None:
            return "null"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
