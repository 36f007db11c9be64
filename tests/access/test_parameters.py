"""What a route does not know is refused and named: an answer that ignored it would be taken for what was asked."""

import json
from urllib.parse import quote

import pytest
from django.db import transaction

from simulator.seed import ACME
from tests.access.callers import Who, client_of
from tests.access.scene import filled
from tests.access.table import ATTEMPTS, INTENTIONS, REALIZATIONS, ROWS

pytestmark = pytest.mark.django_db

OURS = [row for row in ROWS if row.path.startswith((INTENTIONS, REALIZATIONS, ATTEMPTS))]
# About one learner: whose, is said by lms_user_id alone.
ABOUT_LEARNERS = [INTENTIONS + name for name in ("explain/", "learner-status/")]
REALIZE = INTENTIONS + "realize/"


@pytest.fixture
def simulator(scene):
    return scene.simulator


@pytest.fixture
def names(scene):
    return scene.names


def with_more(path: str, more: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{more}"


@pytest.mark.parametrize("row", [row for row in OURS if row.method == "GET" or row.path == REALIZE], ids=str)
def test_a_parameter_that_nobody_knows_is_named(row, simulator, names):
    body = {} if row.method == "GET" else {"data": filled(row.body, names), "format": "json"}
    for name in ("email", "username", "nonsense", "lms_user_ids", "LMS_USER_ID"):
        path = with_more(filled(row.path, names), f"{name}=ada%40example.com")
        answer = getattr(client_of(Who.OPERATOR, simulator), row.method.lower())(path, **body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), name
        assert repr(name) in answer.json()["detail"]


@pytest.mark.parametrize("row", [row for row in OURS if row.body], ids=str)
def test_a_member_of_a_body_that_nobody_knows_is_named(row, simulator, names):
    body = {**filled(row.body, names), "email": "x"}
    answer = client_of(Who.OPERATOR, simulator).generic(
        row.method, filled(row.path, names), json.dumps(body), content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["extra"]["fields"]) == ["email"]


@pytest.mark.parametrize("who", [Who.OPERATOR, Who.ADMIN])
@pytest.mark.parametrize("path", [*ABOUT_LEARNERS, REALIZE])
def test_staff_have_to_say_which_learner_is_meant(path, who, simulator):
    client, named = client_of(who, simulator), {"enterprise_customer_uuid": str(ACME)}
    answer = client.post(path, named, format="json") if path == REALIZE else client.get(path, named)
    assert answer.status_code == 400
    assert "lms_user_id" in answer.json()["detail"]


@pytest.mark.parametrize("path", [*ABOUT_LEARNERS, REALIZE])
def test_learners_mean_themselves(path, simulator):
    client, named = client_of(Who.LEARNER, simulator), {"enterprise_customer_uuid": str(ACME)}
    with transaction.atomic():
        answer = client.post(path, named, format="json") if path == REALIZE else client.get(path, named)
    assert answer.status_code in {200, 202}


@pytest.mark.parametrize("path", [*ABOUT_LEARNERS, REALIZE])
@pytest.mark.parametrize("who", [Who.NOBODY, Who.FOREIGN_ADMIN, Who.FOREIGN_LEARNER])
def test_who_has_no_role_is_refused_before_being_told_what_is_missing(path, who, simulator):
    client, named = client_of(who, simulator), {"enterprise_customer_uuid": str(ACME)}
    answer = client.post(path, named, format="json") if path == REALIZE else client.get(path, named)
    assert answer.status_code == 403


# A raw plus sign in an address is a space.
@pytest.mark.parametrize("key", ["edX+DemoX", "course-v1:edX+DemoX+2026_T1"])
@pytest.mark.parametrize("path", [INTENTIONS, INTENTIONS + "preview/"])
def test_a_raw_plus_sign_in_a_key_is_refused_with_a_hint_and_a_quoted_one_is_understood(path, key, simulator):
    client = client_of(Who.OPERATOR, simulator)
    address = f"{path}?enterprise_customer_uuid={ACME}&content_key="
    answer = client.get(address + key)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_content_key")
    assert "%2B" in answer.json()["detail"]
    assert client.get(address + quote(key)).status_code == 200


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("path", [ATTEMPTS, REALIZATIONS])
def test_a_raw_plus_sign_in_an_instant_is_refused_with_a_hint(path, name, simulator):
    client = client_of(Who.OPERATOR, simulator)
    assert "%2B" in client.get(f"{path}?{name}=2026-11-28T00:00:00+00:00").json()["detail"]
    assert client.get(f"{path}?{name}=2026-11-28T00:00:00%2B00:00").status_code == 200


@pytest.mark.parametrize("key", ["nonsense", "edX", "a b", "course-v1:x", "block-v1:edX+DemoX+R+type@html+block@1"])
def test_what_can_be_no_key_is_refused_and_not_answered_with_an_empty_list(key, simulator):
    answer = client_of(Who.OPERATOR, simulator).get(
        INTENTIONS, {"enterprise_customer_uuid": str(ACME), "content_key": key}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_content_key")
