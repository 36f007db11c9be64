"""The floor: what an authenticated view costs on the same server that has nothing to do but render what it is given."""

import functools
import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.api_world import COUNT
from enterprise_access.lib import clock


class FloorView(APIView):
    """Answers with prepared data."""

    throttle_scope = "read"

    def get(self, request: Request, name: str) -> Response:
        """Return what was once answered, without asking anybody."""
        return Response(_prepared(name))


@functools.lru_cache(maxsize=32)
def _prepared(name: str) -> Any:
    return json.loads((Path(os.environ["BENCH_PREPARED"]) / f"{name}.json").read_text())


def count_statements(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Count the statements of requests that ask for it; a middleware.

    Without the question for the database's time: a process asks it every 30 seconds, whatever the request is.
    """

    def counted(request: HttpRequest) -> HttpResponse:
        if COUNT not in request.headers:
            return get_response(request)
        counts = dict.fromkeys(connections, 0)

        def counting(alias: str) -> Callable[..., Any]:
            def run(execute: Callable[..., Any], statement: str, *args: Any) -> Any:
                counts[alias] += statement not in clock.QUESTIONS.values()
                return execute(statement, *args)

            return run

        with ExitStack() as stack:
            for alias in counts:
                stack.enter_context(connections[alias].execute_wrapper(counting(alias)))
            response = get_response(request)
        response.headers[COUNT] = str(counts.pop("default"))
        response.headers[f"{COUNT}-Of-Cache"] = str(sum(counts.values()))
        return response

    return counted
