"""Sending what no client of ours would send, and looking at what came of it."""

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from attrs import define, field, frozen
from django.apps import apps
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import RequestFactory

from enterprise_access.wsgi import application
from tests.fuzz.hostile import ATTRIBUTE, SCRIPT
from tests.tally import Tally

ERROR = {"code", "detail", "extra", "request_id"}
# Of a refusal of learner credit; that of a price says in a sentence of its own what is wrong with it.
REFUSAL = {"reason", "user_message", "metadata", "policy_uuids"}
# Of the processor's time, for one request. Nothing that is sent to us may keep a worker busy.
MOST_SECONDS = 2.0
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


@frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_page(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("text/html")

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def is_shaped(self) -> bool:
        """Whether this is an error in the one shape, or a refusal of learner credit: a list of reasons."""
        try:
            told = json.loads(self.content)
        except ValueError:
            return False
        if isinstance(told, list):
            return (
                self.status == 422 and bool(told) and all(set(reason) - {"error_message"} == REFUSAL for reason in told)
            )
        return set(told) == ERROR


def encoded(value: str) -> str:
    """Return a text for an address; half a character becomes bytes that are no UTF-8."""
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


@define
class Sender:
    """Sends to the entry point of the process, as a server does; what comes of a request is undone.

    `problems` are what must not be. A request is refused with a status from 400 on, and then leaves every row as it is;
    so it does where a form is shown again (`success_is_redirect`).
    """

    headers: Mapping[str, str]
    tally: Tally
    success_is_redirect: bool = False
    problems: list[str] = field(factory=list)
    _before: dict[str, Any] | None = None

    def send(
        self,
        what: str,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer | None:
        """Send, look, and undo; return None where something is wrong already. `path` and `query` are encoded."""
        request: Any = RequestFactory().generic(method, path, body, QUERY_STRING=query)
        environ = {**request.environ, **self.headers, "PATH_INFO": unquote_to_bytes(path).decode("latin-1")}
        # As a server does: who reads on after the end gets nothing.
        environ["wsgi.input"] = BytesIO(body)
        if body:
            environ["CONTENT_TYPE"] = content_type
        environ |= headers or {}
        crashes: list[BaseException] = []
        writes: list[str] = []
        self._before = self._before or _rows()
        started = time.process_time()
        with _noticing(crashes, writes), transaction.atomic():
            answer = _called(environ)
            took = time.process_time() - started
            is_refused = answer.status >= 400 or (self.success_is_redirect and answer.status == 200)
            after = _rows() if writes and is_refused else None
            transaction.set_rollback(True)
        self.tally.add(requests=1)
        seen = _problems(answer, crashes)
        if took > MOST_SECONDS:
            seen.append(f"{took:.1f} seconds of work")
        if after is not None and after != self._before:
            changed = [name for name, rows in after.items() if rows != self._before[name]]
            changed = [name for name in changed if name not in _may_change(method, path, answer.status)]
            seen += [f"refused with {answer.status}, and changed {', '.join(changed)}"] if changed else []
        self.problems += [f"{method} {path[:150]}?{query[:80]} ({what}): {problem}" for problem in seen]
        return None if seen else answer

    def close(self) -> None:
        """Say what was lost, and fail if it was anything."""
        self.tally.lose(wrong_answers=len(self.problems))
        assert not self.problems, "\n".join([f"{len(self.problems)} wrong answers:", *self.problems[:60]])


def _called(environ: dict[str, Any]) -> Answer:
    heard: list[Any] = []
    entry: Any = application
    ends = (request_started, request_finished)
    # As Django's own test client does: the connection is in a transaction that the test undoes.
    for signal in ends:
        signal.disconnect(close_old_connections)
    try:
        parts = entry(environ, lambda status, headers: heard.extend((status, headers)))
        content = b"".join(parts)
        parts.close()
    finally:
        for signal in ends:
            signal.connect(close_old_connections)
    return Answer(int(heard[0].split()[0]), dict(heard[1]), content)


@contextmanager
def _noticing(crashes: list[BaseException], writes: list[str]) -> Iterator[None]:
    """Note what crashes inside, and what is written."""

    def crashed(**_: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            crashes.append(error)

    def watched(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.lstrip().startswith(WRITES):
            writes.append(sql)
        return execute(sql, params, many, context)

    got_request_exception.connect(crashed)
    try:
        with connection.execute_wrapper(watched):
            yield
    finally:
        got_request_exception.disconnect(crashed)


def _problems(answer: Answer, crashes: list[BaseException]) -> list[str]:
    if crashes or answer.status >= 500:
        why = "".join(f" {type(error).__name__}: {str(error)[:150]}" for error in crashes) or f" {answer.text[:200]}"
        return [f"{answer.status}{why}"]
    if answer.is_page and (SCRIPT in answer.text or ATTRIBUTE in answer.text):
        return ["it comes back as it is, in a page"]
    if any("Hostile" in name for name in answer.headers):
        return ["it became a header"]
    return []


# Sessions note who is there; modes of runs and accounts are copies of what the LMS and the ledger say, which a refused
# request may have asked for.
MAY_CHANGE = {"sessions.Session", "content_metadata.RunModes", "subsidy_access_policies.Subsidy"}
COPIES = frozenset({"customers.EnterpriseLearner", "customers.LearnerEnrollment"})
# An override is refused by facts that are read for it, and what they say of earlier enrollments is written down.
OVERRIDES = "/api/v1/default-enterprise-enrollment-overrides/"
SEEN_FIRST = COPIES | {
    "default_enrollments.DefaultEnterpriseEnrollmentRealization",
    "default_enrollments.HistoricalDefaultEnterpriseEnrollmentRealization",
}


# A redemption that the rules refuse is on record, with the reason.
REDEEM = re.compile(r"/api/v1/policy-redemption/[^/]+/redeem/")
TRIED = COPIES | {"redemption.RedemptionAttempt"}


def _may_change(method: str, path: str, status: int) -> frozenset[str]:
    """Return what a refused request may change: copies that its answer is made from, and what is noted of it."""
    if method == "GET":
        return COPIES
    if (path, status) == (OVERRIDES, 409):
        return SEEN_FIRST
    return TRIED if status == 422 and REDEEM.fullmatch(path) else frozenset()


def _rows() -> dict[str, list[Any]]:
    """Return every row of every table."""
    models = [model for model in apps.get_models() if model._meta.label not in MAY_CHANGE and model._meta.managed]
    return {model._meta.label: sorted(map(repr, model._base_manager.values_list())) for model in models}
