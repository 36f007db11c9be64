"""The API document is true: whatever it allows to be sent gets an answer that it describes, and nothing breaks.

Requests are made up from the document (schemathesis), sensible ones and others, and sent in this process as an
operator, an admin of the customer and a learner. They are the same ones each time. DOCUMENT_EXAMPLES says how many are
made up for each operation, caller and kind.
"""

import os
from collections.abc import Mapping
from typing import Any

import pytest
import requests
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from simulator.app import Simulator
from tests.access.callers import Who, client_of
from tests.access.personal_data import ADDRESS, TOKEN

EXAMPLES = int(os.environ.get("DOCUMENT_EXAMPLES", "2"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Whose values are tried where the document asks for one: made-up ones lead nowhere but to a 404.
NAMES = {
    "enterprise_customer_uuid": "customer",
    "lms_user_id": "learner",
    "intention_uuid": "intention",
    "realization_uuid": "realization",
    "attempt_id": "attempt",
    "course_key": "course",
    "run_key": "run",
    "slug": "course_type",
}


def _operations() -> dict[str, Any]:
    document: Any = SchemaGenerator().get_schema(request=None, public=True)
    results: Any = schemathesis.openapi.from_dict(document).get_all_operations()
    operations = [result.ok() for result in results]
    return {operation.label: operation for operation in operations if operation.path.startswith("/api/v1/")}


OPERATIONS = _operations()
APP = WSGIHandler()
made_up = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_in_the_document(label, scene, settings, tally):
    # Nobody works here; whoever asks to wait for it need not.
    settings.REALIZE_WAIT_MAX_SECONDS = 0.01
    counted = tally.of("test-fuzz")
    for who in (Who.OPERATOR, Who.ADMIN, Who.LEARNER):
        headers = _token_of(who, scene.simulator)
        for mode in GenerationMode:
            try:
                counted.add(requests_made_up=_ask_all(label, mode, who, headers, scene.names))
            except Unsatisfiable:
                # What takes nothing, or any text, cannot be asked wrongly.
                if mode is not GenerationMode.NEGATIVE:
                    raise


def _ask_all(
    label: str, mode: GenerationMode, who: Who, headers: Mapping[str, str], names: Mapping[str, object]
) -> int:
    """Send what is made up for an operation, with and without real names in it; return how many requests it were."""
    requests_sent = 0

    @made_up
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        nonlocal requests_sent
        note(f"Sent as {who}.")
        requests_sent += 2
        _ask(case, headers, {})
        _ask(case, headers, names)

    ask()
    return requests_sent


def _ask(case: Any, headers: Mapping[str, str], names: Mapping[str, object]) -> None:
    """Send what was made up, with real names put in for some; look at the answer, and undo what came of it."""
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            values.update({name: str(names[kind]) for name, kind in NAMES.items() if name in values and kind in names})
    with transaction.atomic():
        answer = case.call(base_url="http://testserver", headers=dict(headers), app=APP)
        transaction.set_rollback(True)
    case.validate_response(answer, checks=CHECKS)
    if answer.status_code >= 400:
        assert [*ADDRESS.findall(answer.text), *TOKEN.findall(answer.text)] == []


def _token_of(who: Who, simulator: Simulator) -> dict[str, str]:
    client: Any = client_of(who, simulator)
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"]}


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (418, b"{}"), (401, b"<html>"), (401, b'{"code": 1}')])
def test_an_answer_that_is_not_in_the_document_is_noticed(status, body):
    operation = OPERATIONS["GET /api/v1/default-enterprise-enrollment-intentions/learner-status/"]
    answer = requests.Response()
    answer.status_code, answer._content = status, body
    answer.headers["Content-Type"] = "application/json"
    answer.request = requests.Request("GET", "http://testserver/").prepare()
    with pytest.raises(FailureGroup):
        operation.Case().validate_response(answer, checks=CHECKS)
