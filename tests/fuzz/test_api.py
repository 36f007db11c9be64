"""The API takes whatever is sent: what makes no sense is refused in the one shape, and has changed nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.app import Simulator
from tests.access.callers import Who, client_of
from tests.fuzz import hostile
from tests.fuzz.asking import Answer, Sender, encoded
from tests.fuzz.operations import Operation, body_of, document, labels, operation
from tests.sampling import some
from tests.tally import Tally

pytestmark = pytest.mark.django_db

LABELS = labels()
each_operation = pytest.mark.parametrize("label", LABELS)
# Pages of the portal answer with their whole body also where there is nothing to show.
PAGES = "/api/v1/bffs/"


@pytest.fixture
def simulator(scene):
    return scene.simulator


@pytest.fixture
def names(scene):
    return scene.names


@pytest.fixture
def sender(names: Any, simulator: Simulator, tally: Tally) -> Sender:
    client: Any = client_of(Who.OPERATOR, simulator)
    # Who calls for the first time is noted.
    assert client.get("/api/v1/course-types/").status_code == 200
    return Sender({"HTTP_AUTHORIZATION": client._credentials["HTTP_AUTHORIZATION"]}, tally.of("test-fuzz"))


def ask(sender: Sender, what: str, about: Operation, **changes: Any) -> None:
    """Send, and look whether the answer is one that the document has, in the shape that it has."""
    sent = {"query": about.question, "body": about.content, **changes}
    answer = sender.send(what, about.method, about.address, **sent)
    if answer is not None:
        sender.problems += [f"{about} ({what}): {problem}" for problem in problems_of(answer, about)]


def problems_of(answer: Answer, about: Operation) -> Iterator[str]:
    if answer.status >= 400 and not answer.is_shaped:
        is_page = about.template.startswith(PAGES) and answer.status == 404 and "errors" in json.loads(answer.content)
        if not is_page:
            yield f"{answer.status} without the shape of an error: {answer.text[:200]}"
    if answer.is_page:
        yield f"{answer.status} with a page for people"


def bodies(about: Operation) -> Iterator[tuple[str, bytes, str]]:
    """Yield bodies that are wrong as a whole, each with a name and its content type."""
    json_type = "application/json"
    good = about.content or b"{}"
    members = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in (about.body or {"a": 1}).items()]
    for name, literal in hostile.LITERALS.items():
        yield f"the whole body: {name}", literal.encode(), json_type
    yield "members twice", ("{" + ", ".join([*members, *members]) + "}").encode(), json_type
    yield "members that nobody knows", good[:-1] + b', "is_staff": true, "id": 1, "__class__": {}}', json_type
    yield "10 MB", good[:-1] + b', "a": "' + b"x" * 10 * hostile.MB + b'"}', json_type
    yield "10 MB of white space", good + b" " * 10 * hostile.MB, json_type
    yield "2 MB of members", b"{" + b",".join(b'"%d":0' % n for n in range(150_000)) + b"}", json_type
    yield "cut off", good[:-1], json_type
    yield "a byte order mark", b"\xef\xbb\xbf" + good, json_type
    yield "UTF-16", good.decode().encode("utf-16"), "application/json; charset=utf-16"
    yield "no text", b"\xff\xfe\x00" + good, json_type
    yield "NUL", b"\x00", json_type
    yield "a comment", b"/* a */" + good, json_type
    yield "two bodies", good + good, json_type
    for charset in ("zlib", "nonsense", "utf-7", "'; a=\x01", "*=utf-8''hex"):
        yield f"charset {charset}", good, f"application/json; charset={charset}"
    for content_type in (
        "",
        "/",
        ";",
        "application",
        "application/jsonp",
        "text/html",
        "a" * 5000,
        "\x00",
        "\xff/\xff",
    ):
        yield f"content type {content_type[:20]!r}", good, content_type
    yield "a form", b"enterprise_customer_uuid=%00&a=%ff", "application/x-www-form-urlencoded"
    yield (
        "multipart",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
        "multipart/form-data; boundary=x",
    )
    yield "broken multipart", b"--y\r\nContent-Disposition: form-", "multipart/form-data; boundary=x"
    yield "multipart without a boundary", b"--x", "multipart/form-data"
    yield "packed", good, "application/json; q=1; q=2; =;;"


QUERIES = {
    "no percent encoding": "a=%&b=%zz&%=%u0041",
    "no UTF-8": "a=%ff%fe&%ed%a0%80=1",
    "brackets": "a[]=1&a[b]=2&[=]",
    "nothing but separators": "&&&===&;;;",
    "1000 parameters": "&".join(f"a{number}=1" for number in range(1000)),
    "2000 parameters": "&".join(f"a{number}=1" for number in range(2000)),
    "a long name": "x" * 4_000 + "=1",
    "a script": f"{encoded(hostile.SCRIPT)}={encoded(hostile.SCRIPT)}",
    "format": "format=api&format=csv",
    "NUL": "%00=%00",
    "raw bytes": "a=\xff\xfe b",
}


@each_operation
def test_every_field_takes_anything(label, names, sender):
    about = operation(label, names)
    for place, change in (("path", about.with_path), ("query", about.with_query)):
        for name in about.fields[place]:
            for what, value in hostile.addresses_for(f"{label} {name}").items():
                ask(sender, f"{name}: {what}", change(name, value))
                if place == "query" and about.body is not None:
                    ask(sender, f"{name}: {what}, and no body", change(name, value), body=b"{}")
    for name in about.fields["body"]:
        for what, literal in hostile.literals_for(f"{label} {name}").items():
            ask(sender, f"{name}: {what}", about, body=about.content_with(name, literal))
            if name in about.fields["lists"]:
                ask(sender, f"an item of {name}: {what}", about, body=about.content_with(name, f"[{literal}]"))
    sender.tally.add(operations=1, fields=sum(len(about.fields[place]) for place in ("path", "query", "body")))
    sender.close()


@each_operation
def test_every_operation_takes_any_body_and_any_query(label, names, sender):
    about = operation(label, names)
    wrong = {what: (body, content_type) for what, body, content_type in bodies(about)}
    for what, (body, content_type) in some(wrong, label, count=2 * hostile.VALUES).items():
        ask(sender, what, about, body=body, content_type=content_type)
    for what, query in some(QUERIES, label, count=hostile.VALUES).items():
        ask(sender, what, about, query=query)
        ask(sender, f"{what}, besides", about, query=f"{about.question}&{query}")
    for name in about.fields["query"]:
        ask(sender, f"{name} twice", about, query=f"{about.question}&{name}=1&{name}=2")
    sender.close()


HEADERS = {
    "X-Request-ID": "HTTP_X_REQUEST_ID",
    "Authorization": "HTTP_AUTHORIZATION",
    "Accept": "HTTP_ACCEPT",
    "Accept-Language": "HTTP_ACCEPT_LANGUAGE",
    "Accept-Encoding": "HTTP_ACCEPT_ENCODING",
    "Cookie": "HTTP_COOKIE",
    "Origin": "HTTP_ORIGIN",
    "Referer": "HTTP_REFERER",
    "User-Agent": "HTTP_USER_AGENT",
    "X-Forwarded-For": "HTTP_X_FORWARDED_FOR",
    "X-CSRFToken": "HTTP_X_CSRFTOKEN",
    "USE-JWT-COOKIE": "HTTP_USE_JWT_COOKIE",
    "If-Modified-Since": "HTTP_IF_MODIFIED_SINCE",
    "Content-Length": "CONTENT_LENGTH",
    "X-HTTP-Method-Override": "HTTP_X_HTTP_METHOD_OVERRIDE",
}
JUNK = {
    "Authorization": [
        "JWT",
        "JWT ",
        "JWT a b",
        "JWT a.b.c",
        "JWT " + "e30." * 3,
        "JWT eyJhbGciOiJub25lIn0.e30.",
        "Bearer x",
        "Basic !!",
    ],
    "Accept": [
        "*",
        "/",
        "a/b;q=x",
        "application/json;version=\xff",
        ",,,",
        "application/json; indent=99999999",
        "text/csv",
        "*/*;q=0",
    ],
    "Accept-Language": ["x-" * 2000, "de;q=9", "../../etc", "*;q=0,"],
    "Cookie": [
        "a" * 5000,
        "sessionid=\xff\x01",
        "sessionid=' OR 1=1",
        "csrftoken=\u20ac".encode().decode("latin-1"),
        "=;=;",
        "edx-jwt-cookie-header-payload=a.b; edx-jwt-cookie-signature=c",
    ],
    "Content-Length": ["-1", "x", "9" * 400, "1e3", "\xb2", ""],
    "X-Forwarded-For": ["999.1.1.1", ",,,", "x" * 5000],
    "Origin": ["null", "https://[", "http://\xff", "https://portal.test\x00"],
}


def headers() -> Iterator[tuple[str, str, str]]:
    """Yield name, name in the environment, and value: what a server lets through, which has no line ends and no NUL."""
    for name, key in HEADERS.items():
        for value in JUNK.get(name, []):
            yield name, key, value
        for text in hostile.addresses_for(name).values():
            sent = "".join(letter for letter in text if letter not in "\r\n\x00")
            yield name, key, sent.encode("utf-8", "surrogatepass").decode("latin-1")


@pytest.mark.parametrize(
    "label",
    [
        "GET /api/v1/default-enterprise-enrollment-intentions/learner-status/",
        "POST /api/v1/bffs/learner/dashboard/",
        "GET /api/v1/course-types/flat/",
    ],
)
def test_headers(label, names, sender):
    about = operation(label, names)
    for name, key, value in headers():
        ask(sender, f"{name}: {value[:40]!r}", about, headers={key: value})
        if name in {"Cookie", "X-CSRFToken"}:
            ask(
                sender,
                f"{name}: {value[:40]!r}",
                about,
                headers={key: value, "HTTP_AUTHORIZATION": "", "HTTP_USE_JWT_COOKIE": "true"},
            )
    sender.tally.add(headers=len(HEADERS))
    sender.close()


PATHS = [
    "%",
    "%zz",
    "%ff",
    "%00",
    "%2e%2e/",
    "..;/",
    "//",
    "\xff",
    "%ed%a0%80",
    "x" * 10_000,
    "%0d%0aX-Hostile:1",
    "{}",
    "[",
    "*",
]


def test_addresses_that_are_none(sender):
    for prefix in (
        "/api/",
        "/api/v1/",
        "/api/v1/course-types/",
        "/api/v1/typed-courses/a/runs/",
        "/csrf/",
        "/csrf/api/v1/",
    ):
        for junk in [*PATHS, *map(encoded, hostile.addresses_for(prefix).values())]:
            for method in ("GET", "POST", "TRACE", "PATCH", "OPTIONS", "NONSENSE"):
                answer = sender.send(junk[:40], method, prefix + junk)
                if answer is not None and answer.status >= 400 and method != "HEAD" and not answer.is_shaped:
                    sender.problems.append(f"{method} {prefix}{junk[:60]}: {answer.status} {answer.text[:100]}")
    sender.close()


def test_bodies_are_as_flat_as_they_are_taken_for():
    """What has members of its own, or lists of lists, would need hostile values inside."""
    described = [
        operation
        for path, methods in document()["paths"].items()
        # (The body of provisioning is nested, and redeeming takes metadata: their own tests try what is inside.)
        if not path.startswith("/api/v1/provisioning") and not path.endswith("/redeem/")
        for operation in methods.values()
    ]
    schemas = [schema for operation in described for schema in body_of(operation).values()]
    kinds = [schema["items"].get("type") if schema.get("type") == "array" else schema.get("type") for schema in schemas]
    assert "string" in kinds
    assert {"object", "array"}.isdisjoint(kinds)
