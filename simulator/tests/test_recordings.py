"""Our answers have the status and the shape of the recorded ones."""

from __future__ import annotations

import functools
import json
import re
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask import Flask

from simulator.app import simulator_of
from simulator.world import World

from .conftest import Ask
from .recorded_cases import CASES, ELSEWHERE, EXPIRED, NOT_SPOKEN, RECORDINGS, Case
from .recorded_subsidy_cases import ADA, SUBSIDY_CASES, SUBSIDY_ELSEWHERE
from .shapes import Shape, differences, shape_of, vocabulary_of


@functools.cache
def vocabulary(service: str) -> Shape:
    files = sorted((RECORDINGS / service).glob("*.json"))
    return vocabulary_of(json.loads(path.read_text())["response"]["body"] for path in files)


@pytest.mark.parametrize("case", [*CASES, *SUBSIDY_CASES], ids=lambda case: case.recording)
def test_our_answer_has_the_status_and_shape_of_the_recorded_one(
    case: Case, world: World, app: Flask, ask: Ask
) -> None:
    recorded = json.loads((RECORDINGS / f"{case.recording}.json").read_text())["response"]
    if case.prepare:
        case.prepare(world)
    response = send(case, world, app, ask)
    assert response.status_code == recorded["status"], response.text[:300]
    assert content_type(response.headers) == content_type(recorded["headers"])
    if not response.content or "html" in response.headers["Content-Type"]:
        assert response.text.strip() == (recorded["body"] or "").strip()
        return
    service = case.recording.split("/")[0]
    assert differences(shape_of(response.json()), shape_of(recorded["body"]), vocabulary(service)) == []
    if recorded["status"] >= 400:
        assert without_data(response.json()) == without_data(recorded["body"])


def test_every_recording_is_reproduced_or_listed_with_a_reason() -> None:
    services = ("lms", "edx-platform", "enterprise-catalog", "license-manager", "enterprise-subsidy")
    files = {f"{name}/{path.stem}" for name in services for path in (RECORDINGS / name).glob("*.json")}
    cases = [*CASES, *SUBSIDY_CASES]
    listed = {case.recording for case in cases} | ELSEWHERE.keys() | SUBSIDY_ELSEWHERE.keys()
    spoken = {name for name in files if not name.startswith(NOT_SPOKEN)}
    assert spoken == listed


def send(case: Case, world: World, app: Flask, ask: Ask) -> requests.Response:
    caller, headers, tokens = case.caller, dict(case.headers), simulator_of(app).tokens
    if headers == EXPIRED:
        headers["Authorization"] = f"JWT {tokens.token_for('ada', expires_in=timedelta(seconds=-1))}"
    if caller == "<ada without e-mail>":
        caller, headers["Authorization"] = None, f"JWT {tokens.token_for('ada', email=None)}"
    query = case.query
    if isinstance(query, dict):
        query = {name: filled(world, str(value)) for name, value in query.items()}
    about = {} if case.body is None else {"json": case.body}
    path = case.path
    if "<of-ada>" in path:
        [row] = [row for row in world.tables.ledger_transactions if row.lms_user_id == ADA]
        path = path.replace("<of-ada>", str(row.uuid))
    return ask(case.method, path, caller=caller, params=query, headers=headers, **about)


def filled(world: World, text: str) -> str:
    """Put the activation key of a learner, or the ECU id, in the place that the table holds free for it."""
    if text.startswith("<key:"):
        return str(world.licenses_of(text[5:-1])[0].activation_key)
    return str(world.links_of(text[1:-1])[0].id) if text.startswith("<") else text


def content_type(headers: Any) -> str:
    return str(headers.get("Content-Type", "")).split(";")[0]


def without_data(body: Any) -> Any:
    """Blank out what is data in an error body: numbers, run keys, uuids."""
    if isinstance(body, dict) and {"successes", "failures"} <= body.keys():
        return sorted(body)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|course-v1:[^' \"]+|\d+", "#", json.dumps(body))
