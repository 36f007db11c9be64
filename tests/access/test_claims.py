"""Tokens that are signed properly and say what the LMS does not say: refused in our shape everywhere, never a 5xx."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from simulator.app import Simulator
from tests.access.scene import filled
from tests.access.table import ROWS, Row
from tests.access.test_table import sent
from tests.fuzz.hostile import VALUES
from tests.sampling import some

pytestmark = pytest.mark.django_db

HUGE = 2**63
# A claim, and what no LMS would write there.
NO_PERSON: dict[str, list[Any]] = {
    "user_id": [True, False, [], [1001], {}, {"a": 1}, "", "1001", 1001.0, 0, -1, HUGE, 10**400, float("inf")],
    "preferred_username": ["x" * 151, [], ["ada"], {}, {"a": 1}, 5, True, "", " ", "a\x00b", "\n", " ada"],
}
# Roles that grant nothing, whatever the token's owner might think.
ROLES: list[Any] = [
    "enterprise_openedx_operator:*", {}, 5, True, [None], [5], [[]], [{}], [["enterprise_openedx_operator:*"]],
    ["enterprise_learner:" + "x" * 10_000], [":" * 5], ["enterprise_openedx_operator"], ["enterprise_learner:*"],
]  # fmt: skip
# What grants less than the token's owner might think, and makes nothing fail.
ODD: dict[str, list[Any]] = {
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


ROUTES = {str(row): row for row in ROWS if row.path.startswith("/api/v1/")}
# What fails for a claim does so where the token is read; every route does that in the same way.
ROUTES_FOR_EACH = 8 * VALUES


@pytest.fixture
def simulator(scene):
    return scene.simulator


@pytest.fixture
def names(scene):
    return scene.names


def client_with(simulator: Simulator, **claims: Any) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"JWT {simulator.tokens.token_for('ada', **claims)}")
    return client


def answers(client: APIClient, names: dict[str, object], routes: Mapping[str, Row] = ROUTES):
    """Call the routes with every method that they have, and undo what came of it."""
    for row in routes.values():
        with transaction.atomic():
            yield row, client.generic(row.method, filled(row.path, names), **sent(row, names))
            transaction.set_rollback(True)


@pytest.mark.parametrize("claim", NO_PERSON)
def test_a_token_that_names_no_person_is_refused_by_every_route(claim, simulator, names):
    for value in NO_PERSON[claim]:
        for row, answer in answers(client_with(simulator, **{claim: value}), names):
            body = json.loads(answer.content)
            assert (answer.status_code, body["code"]) == (401, "token_malformed"), (value, row, answer.content)
            assert claim in body["detail"], (value, row)
            assert set(body) == {"code", "detail", "extra", "request_id"}, (value, row)


@pytest.mark.parametrize("claim", ODD)
def test_an_odd_claim_makes_no_route_fail(claim, simulator, names):
    """Each value at some of the routes, another one at the others; at all of them with `make test-fuzz`."""
    for value in ODD[claim]:
        client = client_with(simulator, **{claim: value})
        for row, answer in answers(client, names, some(ROUTES, f"{claim}={value!r:.99}", count=ROUTES_FOR_EACH)):
            assert answer.status_code < 500, (value, row, answer.content)


@pytest.mark.parametrize("value", ROLES, ids=lambda value: str(value)[:30])
def test_odd_roles_are_no_role(value, simulator, names):
    for row, answer in answers(client_with(simulator, roles=value), names):
        assert answer.status_code == row.always_for_nobody, (row, answer.content)


def test_a_token_without_a_user_id_is_no_learner(simulator, names):
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
