"""The admin takes whatever is typed in, uploaded, or written into an address: an error at the field, never a crash."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django import forms
from django.conf import settings as django_settings
from django.test import Client

from enterprise_access.apps.default_enrollments.services.csv_intentions import Row
from enterprise_access.apps.default_enrollments.services.moving_in.importing import CSV_IMPORT, parameters_of_csv
from enterprise_access.jobs.services import run_jobs, start_job
from simulator.app import Simulator
from tests.conftest import Scene
from tests.fuzz import hostile, pages
from tests.fuzz.asking import Answer, Sender, encoded
from tests.fuzz.pages import Form, PageParser
from tests.sampling import some
from tests.tally import Tally

pytestmark = pytest.mark.django_db

CSRF = "x" * 32
ROUTES = pages.routes()
BOUNDARY = "fuzz"
# One that is new, and one that was deleted.
GOOD_FILE = ("a.csv", b"customer,content_key\nacme,AdelaideX+Project101x\nacme,LinuxFoundationX+LFS101x\n")
# Signing out is what this does.
LEFT_OUT = {"admin/logout/"}


@pytest.fixture
def simulator(scene: Scene) -> Simulator:
    return scene.simulator


@pytest.fixture
def names(scene: Scene) -> dict[str, object]:
    parameters = parameters_of_csv([Row(line=2, customer="acme", content_key="edX+DemoX")])
    start_job(kind=CSV_IMPORT, title="a file", parameters=parameters, by=None)
    run_jobs()
    return scene.names


@pytest.fixture
def sender(names: Any, staff: Client, tally: Tally) -> Sender:
    session = staff.cookies[django_settings.SESSION_COOKIE_NAME].value
    headers = {
        "HTTP_COOKIE": f"{django_settings.SESSION_COOKIE_NAME}={session}; {django_settings.CSRF_COOKIE_NAME}={CSRF}",
        "HTTP_X_CSRFTOKEN": CSRF,
    }
    return Sender(headers, tally.of("test-fuzz"), success_is_redirect=True)


def form_body(
    fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]], *, multipart: bool
) -> tuple[bytes, str]:
    """Return what a browser would send, with its content type."""
    if not multipart:
        return "&".join(
            f"{encoded(n)}={encoded(v)}" for n, v in fields.items()
        ).encode(), "application/x-www-form-urlencoded"
    parts = [_part(f'name="{name}"', value.encode("utf-8", "surrogatepass")) for name, value in fields.items()]
    parts += [_part(f'name="{name}"; filename="{file}"', content) for name, (file, content) in files.items()]
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()]), f"multipart/form-data; boundary={BOUNDARY}"


def _part(about: str, content: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {about}\r\n\r\n"
    return head.encode("utf-8", "surrogatepass") + content + b"\r\n"


def send_form(
    sender: Sender, what: str, path: str, form: Form, *, files: Mapping[str, tuple[str, bytes]] | None = None
) -> Answer | None:
    target = urlsplit(urljoin(path, form.action))
    if form.method == "GET":
        query = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in form.fields.items())
        return sender.send(what, "GET", target.path, query=query)
    body, content_type = form_body(form.fields, files or {}, multipart=form.is_multipart)
    return sender.send(what, "POST", target.path, query=target.query, body=body, content_type=content_type)


def filled_in(form: Form, names: Mapping[str, object], **changes: str) -> Form:
    """Return the form as somebody would fill it in; changed members as given."""
    # A course that may be added, but not without a warning.
    sensible = {
        "customer": str(names["customer"]),
        "content_key": "EdinburghX+SUST1",
        "lms_user_id": "1001",
        "reason": "Why not.",
    }
    fields = {name: value or sensible.get(name, "") for name, value in form.fields.items() if "csrf" not in name}
    return Form(form.action, form.method, form.is_multipart, {**fields, **changes}, form.files)


BODIES: dict[str, tuple[bytes, str]] = {
    "multipart without a boundary": (b"--x", "multipart/form-data"),
    "multipart with a wrong boundary": (b"--y\r\n\r\n", "multipart/form-data; boundary=x"),
    "multipart that breaks off": (
        b'--x\r\nContent-Disposition: form-data; name="customer"',
        "multipart/form-data; boundary=x",
    ),
    "multipart with a wrong encoding": (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "multipart without names": (
        b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
        "multipart/form-data; boundary=x",
    ),
    "a boundary that is none": (b"--x", "multipart/form-data; boundary=" + "\xff" * 10),
    "a long boundary": (b"--x", "multipart/form-data; boundary=" + "x" * 5000),
    "a charset that is none": (b"customer=1", "application/x-www-form-urlencoded; charset=zlib"),
    "no percent encoding": (b"customer=%&%=%zz&%u0041=1", "application/x-www-form-urlencoded"),
    "2000 fields": (b"&".join(b"a%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded"),
    "10 MB": (b"customer=" + b"x" * 10 * hostile.MB, "application/x-www-form-urlencoded"),
    "JSON": (b'{"customer": 1}', "application/json"),
    "200 files": (
        b"".join(
            b'--x\r\nContent-Disposition: form-data; name="f%d"; filename="a"\r\n\r\n1\r\n' % n for n in range(200)
        )
        + b"--x--",
        "multipart/form-data; boundary=x",
    ),
}


def look(path: str, names: Mapping[str, object], sender: Sender) -> PageParser:
    """Return what is on a page, and what is there besides once its form is filled in and sent."""
    page = sender.send("as it is", "GET", path)
    seen = pages.read(page.text if page and page.is_page else "")
    # On every page.
    seen.forms = [form for form in seen.forms if form.action.strip("/") + "/" not in LEFT_OUT]
    for form in [form for form in seen.forms if form.method == "POST"]:
        sent = filled_in(form, names)
        answer = send_form(sender, "filled in", path, sent, files=dict.fromkeys(form.files, GOOD_FILE))
        again = pages.read(answer.text if answer and answer.is_page else "")
        seen.forms += [
            more for more in again.forms if more.method == "POST" and more.fields.keys() - form.fields.keys()
        ]
    return seen


def tries(route: str, names: Mapping[str, object], sender: Sender) -> dict[str, Callable[[], object]]:
    """Return everything that can be tried on a page, by name: every place of its address, every query, every field."""
    found = pages.address(route, names)
    path = found.made()
    seen = look(path, names, sender)
    parameters = {**seen.parameters, **dict.fromkeys(pages.LIST_PARAMETERS if seen.parameters else (), "1")}
    found_tries: dict[str, Callable[[], object]] = {}

    def add(what: str, do: Callable[..., object], *args: Any, **about: Any) -> None:
        found_tries[what] = partial(do, what, *args, **about)

    for text_name, text in hostile.for_address(hostile.TEXTS).items():
        for place in found.places:
            for method in ("GET", "POST"):
                add(f"{method} {place}: {text_name}", sender.send, method, found.made(**{place: encoded(text)}))
        for name in parameters:
            add(f"?{name}: {text_name}", sender.send, "GET", path, query=f"{encoded(name)}={encoded(text)}")
    for number, form in enumerate(seen.forms):
        for name in form.fields:
            for text_name, text in hostile.TEXTS.items():
                given = text if form.method == "POST" else text[: hostile.LONGEST_IN_ADDRESS]
                changed = filled_in(form, names, **{name: given})
                add(f"form {number}, {name}: {text_name}", partial(send_form, sender), path, changed)
    for what, (body, content_type) in BODIES.items():
        add(what, sender.send, "POST", path, body=body, content_type=content_type)
    fields = sum(len(form.fields) for form in seen.forms)
    sender.tally.add(pages=1, fields=len(found.places) + len(parameters) + fields)
    return found_tries


@pytest.mark.parametrize("app", sorted({route.split("/")[1] for route in ROUTES}))
def test_every_form_every_link_and_every_address_takes_anything(app, names, sender):
    """A third of the pages, others at the next commit; all with `make test-fuzz`."""
    of_app = {route: route for route in ROUTES if route not in LEFT_OUT and route.split("/")[1] == app}
    for route in some(of_app, app, count=-(-len(of_app) // 3) if hostile.TRIES == 1 else 0):
        for do in some(tries(route, names, sender), route, count=hostile.TRIES).values():
            do()
    sender.close()


REQUESTS = "/admin/subsidy_requests/subsidyrequest/"


def after_action(action: str, request: str, names: Mapping[str, object], sender: Sender) -> PageParser:
    """Return the page that an action on a request leads to; no address does."""
    fields = {"action": action, "_selected_action": str(names[request])}
    answer = send_form(sender, action, REQUESTS, Form(REQUESTS, "POST", False, fields))
    return pages.read(answer.text if answer and answer.is_page else "")


@pytest.mark.parametrize(
    ("action", "request_name"),
    [("approve", "license_request"), ("approve", "coupon_request"), ("decline", "credit_request")],
)
def test_the_page_after_an_action_takes_anything(action, request_name, names, sender):
    (form,) = (form for form in after_action(action, request_name, names, sender).forms if "confirmed" in form.fields)
    for name in form.fields:
        for what, text in some(hostile.TEXTS, f"{action} {name}", count=hostile.VALUES).items():
            send_form(sender, f"{name}: {what}", REQUESTS, filled_in(form, names, **{name: text}))
    sender.tally.add(pages=1, fields=len(form.fields))
    sender.close()


FILES: dict[str, tuple[str, bytes]] = {
    "no file": ("", b""),
    "an empty file": ("a.csv", b""),
    "no columns": ("a.csv", b"\n\n\n"),
    "NUL": ("a.csv", b"customer,content_key\nacme,a\x00b\n"),
    "NUL in the head": ("a.csv", b"cust\x00omer,content_key\nacme,a\n"),
    "UTF-16": ("a.csv", "customer,content_key\nacme,edX+DemoX\n".encode("utf-16")),
    "no text": ("a.csv", bytes(range(256)) * 100),
    "half a character": ("a.csv", b"customer,content_key\nacme,\xed\xa0\x80\n"),
    "an open quote": ("a.csv", b'customer,content_key\nacme,"edX+DemoX\n' + b"x" * 200_000),
    "a long field": ("a.csv", b"customer,content_key\nacme," + b"x" * 200_000 + b"\n"),
    "a field of 9 MB": ("a.csv", b"customer,content_key\nacme," + b"x" * 9 * hostile.MB + b"\n"),
    "two columns of a name": ("a.csv", b"customer,customer,content_key\nacme,globex,edX+DemoX\n"),
    "rows that are too long": ("a.csv", b"customer,content_key\n" + b"acme,edX+DemoX,1,2,3\n" * 50),
    "100,000 rows": ("a.csv", b"customer,content_key\n" + b"acme,edX+DemoX\n" * 100_000),
    "many columns": ("a.csv", b"," * 100_000 + b"\n" + b"," * 100_000),
    "a script": ("a.csv", f"customer,content_key\n{hostile.SCRIPT},{hostile.SCRIPT}\n".encode()),
    "a formula": ("a.csv", b"customer,content_key\nacme,=cmd|' /C calc'!A0\n"),
    "a name with a path": ("../../../a.csv", b"customer,content_key\n"),
    "a name that is a script": (hostile.SCRIPT, b"customer,content_key\n"),
    "a long name": ("x" * 10_000 + ".csv", b"customer,content_key\n"),
    "a name with NUL": ("a\x00.csv", b"customer,content_key\n"),
    "only ends of lines": ("a.csv", b"\r" * 10_000),
    "a byte order mark": ("a.csv", b"\xef\xbb\xbf\xef\xbb\xbfcustomer,content_key\nacme,edX+DemoX\n"),
}
IMPORT = "/admin/default_enrollments/defaultenterpriseenrollmentintention/import/"


def test_every_file_that_is_taken_in(names, sender):
    """Each as a file that is looked at, and as the text of a second sending, which saves."""
    page = sender.send("as it is", "GET", IMPORT)
    form = next(form for form in pages.read(page.text if page else "").forms if form.files)
    assert form.files == {"file"}
    texts = {
        what: ("a.csv", f"customer,content_key\n{text},{text}\n".encode("utf-8", "surrogatepass"))
        for what, text in some(hostile.TEXTS, "rows", count=hostile.VALUES).items()
    }
    for what, file in {**some(FILES, "files", count=4 * hostile.VALUES), **texts}.items():
        send_form(sender, what, IMPORT, filled_in(form, names), files={"file": file})
        text = file[1].decode(errors="replace")
        fields = {**form.fields, "text": text, "save": "1"}
        send_form(sender, f"{what}, as text", IMPORT, Form(form.action, "POST", False, fields))
    sender.tally.add(files=len(FILES) + len(texts))
    sender.close()


def test_every_form_of_the_admin_is_found(names, sender):
    """A form class of ours has its fields in some page that was read."""
    # The pages of one kind of row are alike, and so are those of the libraries.
    read = [
        look(pages.address(route, names).made(), names, sender)
        for route in ROUTES
        if route not in LEFT_OUT
        and not route.startswith(("admin/auth/", "admin/waffle/", "admin/events/"))
        and "history" not in route
    ]
    read += [after_action(action, "coupon_request", names, sender) for action in ("approve", "decline")]
    seen = {name for page in read for form in page.forms for name in [*form.fields, *form.files]}
    ours = {kind for kind in _below(forms.BaseForm) if kind.__module__.startswith("enterprise_access.")}
    assert {"AddIntentionForm", "ImportForm", "LearnerForm", "OverrideForm"} <= {kind.__name__ for kind in ours}
    wanted = {f"{kind.__name__}.{name}": name for kind in ours for name in getattr(kind, "base_fields", {})}
    assert {where for where, name in wanted.items() if not {name, f"{name}_0"} & seen} == set()


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
