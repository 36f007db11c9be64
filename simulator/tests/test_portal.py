"""The page that plays the learner portal, and the control interface, over HTTP."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from simulator import ledger
from simulator.app import create_app, simulator_of
from simulator.seed import ACME, ACME_CREDIT, GLOBEX, HOOLI
from simulator.world import World

DEMO = "course-v1:edX+DemoX+2026_T1"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("path", ["/", "/admin-portal/"])
def test_the_pages_are_self_contained_and_know_the_service(world: World, path: str) -> None:
    client = create_app(world, service_url="http://service.test:8000/").test_client()
    page = client.get(path).get_data(as_text=True)
    assert 'data-service-url="http://service.test:8000"' in page
    assert '<html lang="en">' in page
    assert "src=" not in page
    assert 'rel="stylesheet"' not in page


def test_learners_come_by_customer(client: FlaskClient) -> None:
    groups = {group["customer"]["slug"]: group["learners"] for group in client.get("/portal/learners").get_json()}
    assert {"ada", "frank", "grace"} <= {learner["username"] for learner in groups["acme"]}
    assert {"heidi", "frank"} <= {learner["username"] for learner in groups["globex"]}
    grace = next(learner for learner in groups["acme"] if learner["username"] == "grace")
    assert grace["is_linked"] is False


def test_signing_in_gives_a_token_and_switches_nothing(app: Flask, client: FlaskClient, world: World) -> None:
    body = client.post("/portal/sign-in", json={"username": "frank", "customer": "acme"}).get_json()
    assert simulator_of(app).tokens.claims_of(body["token"])["preferred_username"] == "frank"
    assert (body["learner"]["id"], body["customer"]["uuid"]) == (2003, str(ACME))
    assert [link.customer_uuid for link in world.links_of("frank") if link.is_active] == [GLOBEX]


def test_the_portal_selects_another_customer_of_the_learner_by_a_form(
    app: Flask, client: FlaskClient, world: World
) -> None:
    headers = {"Authorization": f"JWT {simulator_of(app).tokens.token_for('frank')}"}

    def select(customer: object) -> int:
        return client.post("/lms/enterprise/select/active/", data={"enterprise": customer}, headers=headers).status_code

    assert select(ACME) == 200
    assert [link.customer_uuid for link in world.links_of("frank") if link.is_active] == [ACME]
    assert [select(customer) for customer in (HOOLI, "acme", "")] == [400, 400, 400]
    assert client.post("/lms/enterprise/select/active/", data={"enterprise": ACME}).status_code == 401
    assert [link.customer_uuid for link in world.links_of("frank") if link.is_active] == [ACME]


def test_signing_in_leaves_the_token_in_two_cookies_of_which_scripts_can_read_one(client: FlaskClient) -> None:
    answer = client.post("/portal/sign-in", json={"username": "frank", "customer": "acme"})
    readable, signature = answer.headers.getlist("Set-Cookie")
    assert ("HttpOnly" in readable, "HttpOnly" in signature) == (False, True)
    parts = [cookie.split(";")[0].partition("=")[2] for cookie in (readable, signature)]
    assert ".".join(parts) == answer.get_json()["token"]


def test_signing_in_does_not_link_who_was_unlinked(client: FlaskClient, world: World) -> None:
    assert client.post("/portal/sign-in", json={"username": "grace", "customer": str(ACME)}).status_code == 200
    assert not world.links_of("grace")[0].is_linked


@pytest.mark.parametrize("body", [{}, {"username": "nobody", "customer": "acme"}, {"username": "ada"}])
def test_signing_in_as_nobody_is_refused_in_words(client: FlaskClient, body: dict[str, str]) -> None:
    response = client.post("/portal/sign-in", json=body)
    assert response.status_code == 404
    assert response.get_json()["error"].startswith("The world has no")


def test_leaving_a_course_shows_and_is_refused_where_there_is_none(client: FlaskClient) -> None:
    body = {"username": "erin", "course_run_key": DEMO}
    assert client.post("/portal/leave", json=body).get_json()["is_active"] is False
    rows = client.get("/portal/courses?username=erin").get_json()
    assert {row["title"]: row["is_active"] for row in rows}["edX Demonstration Course"] is False
    assert client.post("/portal/leave", json=body | {"username": "hal"}).status_code == 404
    assert client.get("/portal/courses?username=nobody").status_code == 404


def test_leaving_a_course_that_credit_paid_gives_the_money_back_once(client: FlaskClient, world: World) -> None:
    account, run = world.tables.subsidies.get(ACME_CREDIT), world.run(DEMO)
    assert account is not None
    before = ledger.balance_of(world, account.uuid)
    asked = ledger.Request(lms_user_id=1008, content_key=DEMO, policy_uuid=UUID(int=1), metadata={})
    content = ledger.Content(course=world.course(run.course_key), run=run, price=14_900)
    paid = ledger.Enrolled(status=201, fulfillment="paid")
    ledger.redeem(world, account, request=asked, content=content, enroll=lambda _: paid)
    world.enroll(username="hal", run_key=DEMO, mode="verified")
    assert ledger.balance_of(world, account.uuid) == before - 14_900
    for _ in range(2):
        client.post("/portal/leave", json={"username": "hal", "course_run_key": DEMO})
        assert ledger.balance_of(world, account.uuid) == before


def test_the_administrators_of_customers_are_listed(client: FlaskClient) -> None:
    (amy,) = client.get("/portal/admins").get_json()
    assert (amy["username"], amy["customer"]["slug"]) == ("amy_admin", "acme")


def test_the_courses_of_a_customer_come_with_run_price_and_catalogs(client: FlaskClient) -> None:
    rows = client.get("/portal/catalog?customer=acme").get_json()
    demo = next(row for row in rows if row["key"] == "edX+DemoX")
    assert (demo["run_key"], demo["price_cents"], len(demo["catalogs"])) == (DEMO, 14_900, 3)
    assert all(row["run_key"] for row in rows)
    assert client.get("/portal/catalog?customer=nowhere").status_code == 404


def test_titles_name_the_courses(client: FlaskClient) -> None:
    assert client.get("/portal/titles").get_json()["edX+DemoX"] == "edX Demonstration Course"


# -- control ----------------------------------------------------------------------------------------------------------


def test_the_control_interface_says_what_it_can_do(client: FlaskClient) -> None:
    body = client.get("/control/").get_json()
    assert "lms.enroll_learners" in body["endpoints"]
    assert "drop" in body["faults"]
    assert "advertise" in body["verbs"]
    assert "has_throttles" in body["quirks"]


def test_faults_are_switched_over_http(client: FlaskClient) -> None:
    fault = {"kind": "status", "endpoint": "catalog.health", "status": 503, "times": None}
    assert client.post("/control/faults", json=fault).status_code == 201
    assert client.get("/catalog/health/").status_code == 503
    assert client.get("/control/faults").get_json()[0]["kind"] == "status"
    client.delete("/control/faults")
    assert client.get("/catalog/health/").status_code == 200
    assert client.post("/control/faults", json={"kind": "explode", "endpoint": "x"}).status_code == 400
    assert client.post("/control/faults", json={}).status_code == 400


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("advertise_run", {"course_key": "EPFLx+Scala", "run_key": "course-v1:EPFLx+Scala+2026_A"}),
        ("close_run", {"run_key": DEMO}),
        ("unpublish_run", {"run_key": DEMO}),
        ("expire_mode", {"run_key": DEMO, "mode": "verified"}),
        ("unenroll", {"username": "erin", "run_key": DEMO}),
        ("unlink", {"username": "ada", "customer": "acme"}),
        ("relink", {"username": "grace", "customer": str(ACME)}),
        ("rename_email", {"username": "ada", "email": "countess@example.com"}),
        ("change_run", {"run_key": DEMO, "enrollment_start": "2030-01-01T00:00:00+00:00"}),
    ],
)
def test_the_world_is_changed_over_http(
    client: FlaskClient, world: World, verb: str, arguments: dict[str, str]
) -> None:
    before = len(world.journal.changes())
    response = client.post(f"/control/world/{verb}", json=arguments)
    assert response.status_code == 200, response.get_json()
    assert len(world.journal.changes()) > before


def test_a_license_is_revoked_over_http(client: FlaskClient, world: World) -> None:
    uuid = world.licenses_of("ada")[0].uuid
    body = client.post("/control/world/revoke", json={"license_uuid": str(uuid)}).get_json()
    assert (body["status"], world.license(uuid).status) == ("revoked", "revoked")


def test_wrong_verbs_and_names_are_refused_in_words(client: FlaskClient) -> None:
    assert client.post("/control/world/put", json={}).status_code == 404
    assert client.post("/control/world/close_run", json={"run_key": "none"}).status_code == 404
    assert client.post("/control/world/close_run", json={"course": "x"}).status_code == 400
    assert client.patch("/control/quirks", json={"is_evil": True}).status_code == 400
    assert client.post("/control/token", json={"username": "nobody"}).status_code == 404


def test_the_log_is_readable_over_http(client: FlaskClient) -> None:
    client.get("/catalog/health/")
    client.post("/control/world/close_run", json={"run_key": DEMO})
    log = client.get("/control/log").get_json()
    assert [call["endpoint"] for call in log["calls"]] == ["catalog.health"]
    assert [change["what"] for change in log["changes"]] == ["run closed"]
    assert client.get(f"/control/log?since={log['changes'][-1]['number']}").get_json() == {"calls": [], "changes": []}
    client.delete("/control/log")
    assert client.get("/control/log").get_json()["calls"] == []


def test_reset_undoes_everything(client: FlaskClient, world: World) -> None:
    client.post("/control/faults", json={"kind": "hang", "endpoint": "*"})
    client.patch("/control/quirks", json={"has_throttles": True})
    client.post("/control/world/unlink", json={"username": "ada", "customer": "acme"})
    client.post("/control/reset")
    assert client.get("/control/faults").get_json() == []
    assert not world.quirks.has_throttles
    assert world.links_of("ada")[0].is_linked


def test_tokens_for_anybody_expired_ones_too(app: Flask, client: FlaskClient) -> None:
    token = client.post("/control/token", json={"username": "ada"}).get_json()["token"]
    assert simulator_of(app).tokens.claims_of(token)["email"] == "ada@example.com"
    body = client.post("/control/token", json={"username": "ada", "expires_in_seconds": -5}).get_json()
    headers = {"Authorization": f"JWT {body['token']}"}
    assert client.get("/lms/enterprise/api/v1/enterprise-learner/", headers=headers).status_code == 401


def test_the_mails_of_the_service_are_on_a_page(world: World, tmp_path: Path) -> None:
    first = "Subject: Older\nTo: ada@example.com\n\nfirst\n" + "-" * 79 + "\n"
    second = 'Subject: Newer\nTo: ben@example.com\nContent-Type: text/html; charset="utf-8"\n\n<p>second</p>\n'
    (tmp_path / "one.log").write_text(first + second + "-" * 79 + "\n")
    page = create_app(world, mails_folder=tmp_path).test_client().get("/mails/").get_data(as_text=True)
    assert page.index("Newer") < page.index("Older")
    assert "&lt;p&gt;second&lt;/p&gt;" in page
    assert "does not know" in create_app(world).test_client().get("/mails/").get_data(as_text=True)
    empty = create_app(world, mails_folder=tmp_path / "none").test_client()
    assert "none yet" in empty.get("/mails/").get_data(as_text=True)


def test_a_customers_portal_has_an_address_of_its_own(client: FlaskClient) -> None:
    assert client.get("/acme").status_code == 200
    assert client.get("/nowhere").status_code == 404
