"""The LMS's reads: drifting order, narrowed lists, the lagging replica, tokens."""

from __future__ import annotations

import json
from datetime import timedelta

import jwt
import pytest
from flask import Flask

from simulator.app import simulator_of
from simulator.seed import ACME, GLOBEX, NO_STAFF_KEY, NO_STAFF_SECRET, WORKER_KEY, WORKER_SECRET
from simulator.world import World

from .conftest import Ask, Clock

LEARNERS = "/lms/enterprise/api/v1/enterprise-learner/"
ENROLLMENTS = "/lms/enterprise/api/v1/enterprise-course-enrollment/"
FOR_ADMINS = "/lms/enterprise/api/v1/enterprise-course-enrollment-admin/"
DEMO = "course-v1:edX+DemoX+2026_T1"


def usernames(ask: Ask, **query: object) -> list[str]:
    response = ask("GET", LEARNERS, params=query, caller=query.pop("caller", "enterprise_access_worker"))
    return [row["user"]["username"] for row in response.json()["results"]]


def test_the_default_order_drifts_when_a_learner_is_enrolled(world: World, ask: Ask, clock: Clock) -> None:
    page_1 = usernames(ask, enterprise_customer=ACME, page_size=10)
    last = usernames(ask, enterprise_customer=ACME, page_size=100)[15]
    clock.move(seconds=1)
    world.link(username=last, customer="acme")
    page_2 = usernames(ask, enterprise_customer=ACME, page_size=10, page=2)
    assert page_2[0] == page_1[-1]
    assert last not in page_2


def test_an_explicit_order_does_not_drift(world: World, ask: Ask, clock: Clock) -> None:
    before = usernames(ask, enterprise_customer=ACME, ordering="user_id", page_size=5)
    clock.move(seconds=1)
    world.link(username="max", customer="acme")
    assert usernames(ask, enterprise_customer=ACME, ordering="user_id", page_size=5) == before


def test_filters_narrow_together(ask: Ask) -> None:
    assert usernames(ask, username="FRANK", enterprise_customer=GLOBEX) == ["frank"]
    assert usernames(ask, user_ids="1001,2003,2003", active="true") == ["frank", "ada"]
    assert usernames(ask, email="ada@EXAMPLE.com") == ["ada"]
    assert usernames(ask, user_ids="1001,1002", username="ben") == ["ben"]
    assert usernames(ask, enterprise_customer_uuid=ACME, role="enterprise_admin") == ["amy_admin"]


def test_pages_hold_ten_rows_and_never_more_than_a_hundred(world: World, ask: Ask) -> None:
    for number in range(120):
        world.add_learner(username=f"learner{number}", customer="acme")
    assert len(usernames(ask, enterprise_customer=ACME)) == 10
    assert len(usernames(ask, enterprise_customer=ACME, page_size=500)) == 100


def test_a_malformed_number_is_a_500(ask: Ask) -> None:
    response = ask("GET", LEARNERS, params={"user_id": "abc"})
    assert response.status_code == 500
    assert "Server Error" in response.text


def test_a_worker_without_staff_rights_sees_nothing_and_is_not_told(ask: Ask) -> None:
    response = ask("GET", LEARNERS, params={"username": "ada"}, caller="worker_without_staff")
    assert (response.status_code, response.json()["count"]) == (200, 0)
    path = f"/lms/enterprise/api/v1/enterprise-customer/{ACME}/"
    assert ask("GET", path, caller="worker_without_staff").status_code == 404


def test_the_enterprise_list_lags_while_the_replica_is_frozen(world: World, ask: Ask) -> None:
    link_id = world.links_of("ada")[0].id
    world.freeze_replica()
    world.enroll(username="ada", run_key=DEMO, customer="acme")

    def count() -> int:
        return int(ask("GET", ENROLLMENTS, params={"enterprise_customer_user": link_id}).json()["count"])

    assert count() == 0
    staff_view = ask("GET", FOR_ADMINS, params={"lms_user_id": 1001, "enterprise_uuid": ACME}).json()
    assert staff_view["count"] == 1
    world.catch_up_replica()
    assert count() == 1


def test_enrollments_vanish_with_the_link_and_come_back(world: World, ask: Ask) -> None:
    link_id = world.links_of("erin")[0].id
    query = {"enterprise_customer_user": link_id}
    world.unlink(username="erin", customer="acme")
    assert ask("GET", ENROLLMENTS, params=query).json()["count"] == 0
    world.link(username="erin", customer="acme")
    assert ask("GET", ENROLLMENTS, params=query).json()["count"] == 1


def test_the_staff_list_is_empty_without_consent_and_hides_audit_without_audit_reporting(
    world: World, ask: Ask
) -> None:
    world.enroll(username="heidi", run_key=DEMO, customer="globex", mode="verified")
    world.enroll(username="heidi", run_key="course-v1:KIx+STATS1+2026_T1", customer="globex", mode="audit")
    query = {"lms_user_id": 2001, "enterprise_uuid": GLOBEX}
    assert ask("GET", FOR_ADMINS, params=query).json()["count"] == 0
    world.change_customer(customer="globex", has_data_sharing_consent=True)
    groups = ask("GET", FOR_ADMINS, params=query).json()["results"]
    assert [row["mode"] for row in groups["in_progress"]] == ["verified"]


def test_platform_pages_follow_to_the_end_and_ignore_page_size(world: World, ask: Ask) -> None:
    for number in range(150):
        run = world.add_open_course(key=f"BulkX+C{number:03d}")
        world.enroll(username="ada", run_key=run.key)
    path = "/lms/api/enrollment/v1/enrollments"
    first = ask("GET", path, params={"username": "ada,erin", "page_size": 5}).json()
    second = ask("GET", first["next"].removeprefix("http://simulator.test")).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 52, None)
    runs = {row["course_id"] for row in first["results"] + second["results"]}
    assert len(runs) == 152


def test_modes_that_expired_are_shown_only_on_request(ask: Ask) -> None:
    path = "/lms/api/enrollment/v1/course/course-v1:ColumbiaX+BUS5+2026"
    shown = [mode["slug"] for mode in ask("GET", path, caller=None).json()["course_modes"]]
    everything = ask("GET", path, caller=None, params={"include_expired": "1"}).json()["course_modes"]
    assert shown == ["audit"]
    assert [mode["slug"] for mode in everything] == ["audit", "verified"]


def test_a_run_without_modes_answers_with_a_default_audit_mode(ask: Ask) -> None:
    body = ask("GET", "/lms/api/enrollment/v1/course/course-v1:CaltechX+NOMODE+2026", caller=None).json()
    assert [mode["slug"] for mode in body["course_modes"]] == ["audit"]


@pytest.mark.parametrize(
    ("key", "secret", "username"),
    [(WORKER_KEY, WORKER_SECRET, "enterprise_access_worker"), (NO_STAFF_KEY, NO_STAFF_SECRET, "worker_without_staff")],
)
def test_client_credentials_give_the_token_of_a_worker(
    app: Flask, ask: Ask, key: str, secret: str, username: str, world: World
) -> None:
    form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret, "token_type": "jwt"}
    body = ask("POST", "/lms/oauth2/access_token", caller=None, data=form).json()
    assert (body["token_type"], body["expires_in"]) == ("JWT", 3600)
    claims = simulator_of(app).tokens.claims_of(body["access_token"])
    assert claims["preferred_username"] == username
    assert secret not in json.dumps([call.body for call in world.journal.calls()])


def test_a_wrong_secret_gives_no_token(ask: Ask) -> None:
    form = {"grant_type": "client_credentials", "client_id": WORKER_KEY, "client_secret": "guess"}
    response = ask("POST", "/lms/oauth2/access_token", caller=None, data=form)
    assert (response.status_code, response.json()) == (401, {"error": "invalid_client"})


def test_tokens_verify_with_the_published_keys_and_name_the_roles(app: Flask, ask: Ask, world: World) -> None:
    tokens = simulator_of(app).tokens
    key_set = jwt.PyJWKSet.from_dict(ask("GET", "/lms/oauth2/jwks", caller=None).json())
    token = tokens.token_for("frank")
    claims = jwt.decode(
        token, key_set.keys[0].key, algorithms=["RS512"], audience="openedx", options={"verify_exp": False}
    )
    assert claims["roles"] == [f"enterprise_learner:{GLOBEX}", f"enterprise_learner:{ACME}"]
    assert (claims["user_id"], claims["administrator"]) == (world.user("frank").id, False)


def test_only_the_jwt_scheme_counts_as_credentials(app: Flask, ask: Ask, clock: Clock) -> None:
    token = simulator_of(app).tokens.token_for("ada")
    headers = {"Authorization": f"Bearer {token}"}
    body = ask("GET", LEARNERS, caller=None, headers=headers).json()
    assert body == {"detail": "Authentication credentials were not provided."}
    clock.move(hours=2)
    headers = {"Authorization": f"JWT {token}"}
    assert ask("GET", LEARNERS, caller=None, headers=headers).json() == {"detail": "Invalid token."}


def test_a_token_of_another_key_is_refused(ask: Ask) -> None:
    forged = jwt.encode({"preferred_username": "ada", "exp": 4_000_000_000}, "x" * 64, algorithm="HS512")
    assert ask("GET", LEARNERS, caller=None, headers={"Authorization": f"JWT {forged}"}).status_code == 401


def test_an_expired_token_can_be_made(app: Flask, ask: Ask) -> None:
    token = simulator_of(app).tokens.token_for("ada", expires_in=timedelta(seconds=-1))
    assert ask("GET", LEARNERS, caller=None, headers={"Authorization": f"JWT {token}"}).status_code == 401


def test_customers_are_filtered_by_slug_and_uuid(ask: Ask) -> None:
    path = "/lms/enterprise/api/v1/enterprise-customer/"
    slugs = [
        [row["slug"] for row in ask("GET", f"{path}?{query}").json()["results"]]
        for query in ("slug=acme", f"uuid={ACME}")
    ]
    assert slugs == [["acme"], ["acme"]]
    assert ask("GET", f"{path}?slug=dormant").json()["results"] == []


# --- groups ----------------------------------------------------------------------------------------------------------


def test_a_group_says_whose_it_is_to_those_who_may_see_it(world: World, ask: Ask) -> None:
    group = world.add_group(customer="acme", name="North").uuid
    path = f"/lms/enterprise/api/v1/enterprise-group/{group}/"
    found = ask("GET", path, caller="enterprise_access_worker")
    assert (found.status_code, found.json()["enterprise_customer"]) == (200, str(ACME))
    for one in (path, f"{path}learners/"):
        assert ask("GET", one, caller="ada").status_code == 403
        unknown = one.replace(str(group), str(GLOBEX))
        assert ask("GET", unknown, caller="enterprise_access_worker").status_code == 404
