"""Clients whose neighbour is a function of the test."""

import itertools
import json
from urllib.parse import parse_qsl, urlsplit

from enterprise_access.lib.http import Limits, Transport, WorkerSession
from enterprise_access.lib.http.scripted import Reply, ScriptedAdapter

LIMITS = Limits(connect_seconds=1, read_seconds=2, total_seconds=30)


def answer(body, *, status=200, **headers):
    """Return a JSON answer."""
    return Reply(status=status, headers={"Content-Type": "application/json", **headers}, body=json.dumps(body).encode())


class Neighbour:
    """Gives `replies` one after the other, and then the last again, and remembers what it was asked."""

    def __init__(self, *replies):
        rest = itertools.chain(replies, itertools.repeat(replies[-1] if replies else None))
        self._adapter = ScriptedAdapter(lambda _: self._next(rest))

    @staticmethod
    def _next(replies):
        reply = next(replies)
        if reply is None:
            raise AssertionError("nothing should have been sent")
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def client(self, kind):
        session = WorkerSession("https://lms.test", "worker", "secret")
        session.mount("https://", self._adapter)
        return kind(
            Transport(
                service="neighbour",
                base_url="https://neighbour.test",
                session=session,
                limits=LIMITS,
                sleep=lambda _: None,
            )
        )

    @property
    def sent(self):
        return self._adapter.sent

    @property
    def timeouts(self):
        return self._adapter.timeouts

    @property
    def asked(self):
        """Return path and decoded query of every request, as sent."""
        urls = [urlsplit(request.url) for request in self.sent]
        return [(url.path, parse_qsl(url.query, keep_blank_values=True)) for url in urls]

    @property
    def bodies(self):
        return [json.loads(request.body) for request in self.sent]

    @property
    def authorizations(self):
        return [request.headers["Authorization"] for request in self.sent]
