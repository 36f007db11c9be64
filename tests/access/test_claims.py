"""Tokens that are signed properly and say what the LMS does not say: refused in our shape everywhere, never a 5xx."""

import json
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from simulator.app import Simulator
from tests.access.scene import filled, make_scene
from tests.access.table import ROWS
from tests.access.test_table import sent

pytestmark = pytest.mark.django_db

HUGE = 2**63
# A claim, and what no LMS would write there.
NO_PERSON: dict[str, list[Any]] = {
    "user_id": [True, False, [], [1001], {}, {"a": 1}, "", "1001", 1001.0, 0, -1, HUGE, 10**400, float("inf")],
    "preferred_username": ["x" * 151, [], ["ada"], {}, {"a": 1}, 5, True, "", " ", "a\x00b", "\n", " ada"],
}
# What grants less than the token's owner might think, and makes nothing fail.
ODD: dict[str, list[Any]] = {
    "roles": [
        "enterprise_openedx_operator:*", {}, 5, True, [None], [5], [[]], [{}], [["enterprise_openedx_operator:*"]],
        ["enterprise_learner:" + "x" * 10_000], [":" * 5], ["enterprise_openedx_operator"], ["enterprise_learner:*"],
    ],
    "email": [True, 5, [], ["a"], {}],
    "is_restricted": [None, 5, [], "no", {}],
    "filters": [None, 5, "x", {}, [5]],
    "scopes": [None, 5, "x", {}, [5]],
    "iss": ["", "https://elsewhere.example.com"],
    "version": [None, 5, "x", {}, [5], "0", "9.9.9"],
    "exp": ["x", [], {}, True],
    "iat": ["x", [], {}, True],
    "nbf": ["x", [], {}],
    "aud": [5, {}, [5], []],
    "sub": [5, [], {}],
    "administrator": [5, [], "yes"],
}  # fmt: skip


def cases(claims):
    return [pytest.param(name, value, id=f"{name}={str(value)[:30]}") for name in claims for value in claims[name]]


def client_with(simulator: Simulator, **claims: Any) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"JWT {simulator.tokens.token_for('ada', **claims)}")
    return client


def answers(client: APIClient, names: dict[str, object]):
    """Call every route with every method, and undo what came of it."""
    for row in (row for row in ROWS if row.path.startswith("/api/v1/")):
        with transaction.atomic():
            yield row, client.generic(row.method, filled(row.path, names), **sent(row, names))
            transaction.set_rollback(True)


@pytest.mark.parametrize(("claim", "value"), cases(NO_PERSON))
def test_a_token_that_names_no_person_is_refused_by_every_route(claim, value, simulator):
    names = make_scene()
    for row, answer in answers(client_with(simulator, **{claim: value}), names):
        body = json.loads(answer.content)
        assert (answer.status_code, body["code"]) == (401, "token_malformed"), (row, answer.content)
        assert claim in body["detail"]
        assert set(body) == {"code", "detail", "extra", "request_id"}


@pytest.mark.parametrize(("claim", "value"), cases(ODD))
def test_an_odd_claim_makes_no_route_fail(claim, value, simulator):
    names = make_scene()
    for row, answer in answers(client_with(simulator, **{claim: value}), names):
        assert answer.status_code < 500, (row, answer.content)


@pytest.mark.parametrize("value", ODD["roles"])
def test_odd_roles_are_no_role(value, simulator):
    names = make_scene()
    for row, answer in answers(client_with(simulator, roles=value), names):
        assert answer.status_code == row.always_for_nobody, (row, answer.content)


def test_a_token_without_a_user_id_is_no_learner(simulator):
    names = make_scene()
    for row, answer in answers(client_with(simulator, user_id=None), names):
        assert answer.status_code < 500, (row, answer.content)
        assert "bffs" not in row.path or answer.status_code == 403


@pytest.mark.parametrize(("claim", "value"), [("user_id", True), ("preferred_username", [])])
def test_a_cookie_with_such_a_token_is_told_the_same(claim, value, simulator):
    client = APIClient()
    head, claims, signature = simulator.tokens.token_for("ada", **{claim: value}).split(".")
    client.cookies["edx-jwt-cookie-header-payload"] = f"{head}.{claims}"
    client.cookies["edx-jwt-cookie-signature"] = signature
    answer = client.get("/api/v1/course-types/")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_malformed")
