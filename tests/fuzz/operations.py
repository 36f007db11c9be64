"""What the API takes, read from its document: every operation with a request that means something, and its fields."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from attrs import evolve, frozen
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator

from tests.access.scene import filled
from tests.access.table import ROWS
from tests.fuzz.asking import encoded


@frozen
class Operation:
    """One operation. The three mappings hold what means something, by field; `fields` are all that there are."""

    method: str
    template: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any] | None
    fields: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def address(self) -> str:
        return self.template.format_map({name: encoded(value) for name, value in self.path.items()})

    @property
    def question(self) -> str:
        return "&".join(f"{name}={encoded(value)}" for name, value in self.query.items())

    @property
    def content(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()

    def with_path(self, name: str, value: str) -> "Operation":
        return evolve(self, path={**self.path, name: value})

    def with_query(self, name: str, value: str) -> "Operation":
        return evolve(self, query={**self.query, name: value})

    def content_with(self, name: str, literal: str) -> bytes:
        """Return the body with a field as it is spelled by `literal`, which may be no JSON."""
        others = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in (self.body or {}).items() if key != name]
        return ("{" + ", ".join([*others, f"{json.dumps(name)}: {literal}"]) + "}").encode()


@functools.cache
def document() -> dict[str, Any]:
    """Return the API document."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def labels() -> list[str]:
    """Return every operation of the document, as in `GET /api/v1/course-types/`."""
    return [
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
        if method != "parameters"
    ]


def operation(label: str, names: Mapping[str, object]) -> Operation:
    """Return an operation with a request from the table of who may do what, about the scene of these names."""
    method, _, template = label.partition(" ")
    described = document()["paths"][template][method.lower()]
    row = next(row for row in ROWS if row.method == method and _is_at(filled(row.path, names), template))
    path, _, query = str(filled(row.path, names)).partition("?")
    kwargs = {name: str(value) for name, value in resolve(path).kwargs.items()}
    return Operation(
        method=method,
        template=template,
        path=kwargs,
        query=dict(parse_qsl(query)),
        body=filled(row.body, names) if "requestBody" in described else None,
        fields={
            **{
                place: tuple(it["name"] for it in described.get("parameters", []) if it["in"] == place)
                for place in ("path", "query")
            },
            "body": tuple(body_of(described)),
            "lists": tuple(name for name, schema in body_of(described).items() if schema.get("type") == "array"),
        },
    )


def body_of(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request's body, with their schemas."""
    content = described.get("requestBody", {}).get("content", {})
    schemas = [_resolved(media["schema"]) for media in content.values()]
    return {name: _resolved(schema) for found in schemas for name, schema in found.get("properties", {}).items()}


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _is_at(path: str, template: str) -> bool:
    """Say whether an address is one of the template's; the longest literal one wins, as in the router."""
    return _shape(resolve(path.partition("?")[0]).route) == _shape(template)


def _shape(route: str) -> str:
    return re.sub(r"[\^$?]", "", re.sub(r"<[^>]*>|{[^}]*}", "*", route)).strip("/")
