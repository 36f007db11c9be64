"""What the admin takes, read from its own addresses and pages: forms with their fields, links with their queries."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field, frozen
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, URLResolver, get_resolver

PREFIX = "admin/"
# What Django's own lists understand besides what is linked to or has a form.
LIST_PARAMETERS = (
    "q",
    "p",
    "o",
    "e",
    "all",
    "_popup",
    "_to_field",
    "_facets",
    "_changelist_filters",
    "pk__in",
    "pk__gt",
)
# Of an earlier state of a row.
RECORD = "history_id"
_PLACE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)|\(\[\^/\]\+\)")


@define
class Form:
    """One form of a page. `fields` are those that have a name, each with what a browser would send."""

    action: str
    method: str
    is_multipart: bool
    fields: dict[str, str] = field(factory=dict)
    files: set[str] = field(factory=set)


@frozen
class Address:
    """One address of the admin. `made` fills its places; what is left out means something."""

    route: str
    places: Mapping[str, str]

    def __str__(self) -> str:
        return self.route

    def made(self, **places: str) -> str:
        filled = {**self.places, **places}
        names = iter(self.places)
        return "/" + _PLACE.sub(lambda _: filled[next(names)], self.route).replace("^", "").replace("$", "")


def routes() -> list[str]:
    """Return the routes of all pages of the admin."""
    return [route for route in _walk(get_resolver().url_patterns, "") if route.startswith(PREFIX)]


def _walk(patterns: list[Any], prefix: str) -> Iterator[str]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        elif isinstance(entry, URLPattern):
            yield route


def address(route: str, names: Mapping[str, object]) -> Address:
    """Return an address of a route that leads to something of the scene."""
    places: dict[str, str] = {}
    for match in _PLACE.finditer(route):
        name = match.group(1) or match.group(2) or (RECORD if places else "object_id")
        places[name] = _meant(name, route, names)
    return Address(route, places)


def _meant(name: str, route: str, names: Mapping[str, object]) -> str:
    if name == RECORD:
        return "1"
    if name == "customer_uuid":
        return str(names["customer"])
    if name == "uuid":
        return str(names["deleted_intention"])
    if name == "app_label":
        return "default_enrollments"
    if name == "url":
        return "nothing"
    if name == "content_type_id":
        return str(ContentType.objects.get(model="enterprisecustomer").pk)
    if route.startswith("admin/r/"):
        return str(names["customer"])
    return _key_of_a_row(route)


def _key_of_a_row(route: str) -> str:
    """Return the key of a row of the model that a route is about; 1 where it has none."""
    _, app_label, model_name, *_ = route.split("/")
    row = apps.get_model(app_label, model_name)._base_manager.first()
    return "1" if row is None else str(row.pk)


class PageParser(HTMLParser):
    """Finds the forms of a page, and what its links to itself ask."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.parameters: dict[str, str] = {}
        self._form: Form | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        if tag == "a" and about.get("href", "").startswith("?"):
            self.parameters |= dict(parse_qsl(urlsplit(about["href"]).query, keep_blank_values=True))
        if tag == "form":
            method = about.get("method", "get").upper()
            self._form = Form(about.get("action", ""), method, "multipart" in about.get("enctype", ""))
            self.forms.append(self._form)
        if self._form is not None:
            self._take(tag, about, self._form)

    def _take(self, tag: str, about: dict[str, str], form: Form) -> None:
        name = about.get("name", "")
        if tag == "option" and self._select:
            if "selected" in about or self._select not in form.fields:
                form.fields[self._select] = about.get("value", "")
        elif tag == "select":
            self._select = name
        elif tag == "textarea":
            self._area, form.fields[name] = name, ""
        elif tag in {"input", "button"} and name:
            if about.get("type") == "file":
                form.files.add(name)
            else:
                form.fields.setdefault(name, about.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._area is not None:
            self._form.fields[self._area] += data


def read(page: str) -> PageParser:
    """Return what is in a page."""
    parser = PageParser()
    parser.feed(page)
    parser.close()
    return parser
