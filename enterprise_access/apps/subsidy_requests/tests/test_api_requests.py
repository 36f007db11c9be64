"""License and coupon code requests over REST: learners ask and take back, admins see and decide."""

from uuid import uuid4

import pytest

from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.tasks import fill_titles
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    AMY,
    BEN,
    COUPON,
    DEMO,
    HAL,
    LICENSE,
    LINUX,
    grant,
    made,
    states,
    takes,
)
from enterprise_access.lib import breaker
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX

pytestmark = pytest.mark.django_db

LICENSES = "/api/v1/license-requests/"
CODES = "/api/v1/coupon-code-requests/"
KINDS = [(LICENSES, LICENSE), (CODES, COUPON)]
ASKED = {"enterprise_customer_uuid": str(ACME), "course_id": DEMO}
COMMON = {
    "uuid",
    "lms_user_id",
    "email",
    "course_id",
    "course_title",
    "course_partners",
    "enterprise_customer_uuid",
    "state",
    "reviewed_at",
    "reviewer_lms_user_id",
    "decline_reason",
    "created",
    "modified",
    "error_reason",
}
OWN = {LICENSE: {"subscription_plan_uuid", "license_uuid"}, COUPON: {"coupon_id", "coupon_code"}}


def uuids(answer):
    assert answer.status_code == 200, answer.json()
    return [row["uuid"] for row in answer.json()["results"]]


@pytest.fixture(params=KINDS, ids=["license", "coupon"])
def address(request):
    """Each kind in turn, for a customer that takes requests of it."""
    takes(request.param[1])
    return request.param


# --- learners ---------------------------------------------------------------------------------------------------------


def test_a_learner_asks_and_finds_the_request_in_the_next_list(world, api_as, address):
    path, kind = address
    answer = api_as("hal").post(path, ASKED, format="json")
    assert (answer.status_code, set(answer.json())) == (201, COMMON | OWN[kind])
    body = answer.json()
    assert (body["state"], body["lms_user_id"], body["email"]) == ("requested", HAL, "hal@example.com")
    assert (body["course_id"], body["course_title"]) == (DEMO, "edX Demonstration Course")
    [partner] = body["course_partners"]
    assert (partner.keys(), partner["name"]) == ({"uuid", "name"}, "edX University")
    mine = {"enterprise_customer_uuid": str(ACME), "user__email": "HAL@example.com", "state": "requested"}
    assert uuids(api_as("hal").get(path, mine)) == [body["uuid"]]
    assert api_as("hal").get(f"{path}{body['uuid']}/").json() == body


def test_asking_again_returns_the_open_request(world, api_as, address):
    path, _ = address
    first, second = (api_as("hal").post(path, ASKED, format="json") for _ in range(2))
    assert (second.status_code, second.json()["uuid"]) == (200, first.json()["uuid"])
    declined = SubsidyRequest.objects.get()
    SubsidyRequest.objects.update(state=RequestState.DECLINED.value, open_key=None)
    third = api_as("hal").post(path, ASKED, format="json")
    assert (third.status_code, third.json()["uuid"] != str(declined.pk)) == (201, True)


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        (None, "requests_disabled"),
        ({"subsidy_requests_enabled": False}, "requests_disabled"),
        ({"subsidy_type": ""}, "subsidy_type_not_set_up"),
    ],
    ids=["no configuration", "off", "no type"],
)
def test_what_the_customer_does_not_take_is_refused(world, api_as, setting, code):
    if setting is not None:
        takes(**{"subsidy_type": LICENSE, **setting} if "subsidy_type" not in setting else {"subsidy_type": None})
    answer = api_as("hal").post(LICENSES, ASKED, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not SubsidyRequest.objects.exists()


def test_a_course_in_no_catalog_is_refused_and_an_unknown_one_is_taken(simulator, api_as):
    takes(LICENSE)
    answer = api_as("hal").post(LICENSES, {**ASKED, "course_id": "NowhereX+NONE1"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "content_not_in_catalog")
    simulator.faults.add("unreachable", "catalog.*", times=None)
    answer = api_as("hal").post(LICENSES, {**ASKED, "course_id": LINUX}, format="json")
    assert (answer.status_code, answer.json()["course_title"], answer.json()["course_partners"]) == (201, None, None)
    simulator.faults.clear()
    breaker._breaker_of.cache_clear()
    fill_titles()
    filled = SubsidyRequest.objects.get()
    assert "Linux" in filled.course_title
    assert [partner["name"] for partner in filled.course_partners] == ["LinuxFoundationX University"]
    # A request that was made before partners were kept gets them, and keeps its title.
    SubsidyRequest.objects.update(course_partners=None, course_title="As it was")
    fill_titles()
    assert [*SubsidyRequest.objects.values_list("course_title", "course_partners")] == [
        ("As it was", filled.course_partners)
    ]


def test_a_license_can_be_asked_for_without_a_course_and_a_code_cannot(world, api_as):
    takes(LICENSE)
    answer = api_as("hal").post(LICENSES, {"enterprise_customer_uuid": str(ACME)}, format="json")
    assert (answer.status_code, answer.json()["course_id"]) == (201, None)
    for body in ({}, {"course_id": ""}, {"course_id": None}, {"course_id": 7}):
        answer = api_as("hal").post(CODES, {"enterprise_customer_uuid": str(ACME), **body}, format="json")
        assert (answer.status_code, list(answer.json()["extra"]["fields"])) == (400, ["course_id"])


@pytest.mark.parametrize("username", ["heidi", "outsider", "enterprise_access_worker"])
def test_only_learners_of_the_customer_ask(world, api_as, username):
    takes(LICENSE)
    assert api_as(username).post(LICENSES, ASKED, format="json").status_code == 403
    assert not SubsidyRequest.objects.exists()


def test_a_request_is_taken_back_while_it_is_undecided(world, api_as, address):
    path, kind = address
    row, decided, other = made(HAL, kind=kind), made(HAL, kind=kind, state=RequestState.APPROVED), made(ADA, kind=kind)
    hal = api_as("hal")
    for _ in range(2):
        assert hal.delete(f"{path}{row.pk}/").status_code == 204
    assert hal.delete(f"{path}{decided.pk}/").status_code == 422
    assert hal.delete(f"{path}{other.pk}/").status_code == 404
    assert api_as("amy_admin").delete(f"{path}{other.pk}/").status_code == 404
    assert states(row, decided, other) == ["cancelled", "approved", "requested"]


def test_learners_see_themselves_only_and_admins_their_customer(world, api_as, address):
    path, kind = address
    rows = {
        name: str(made(learner, kind=kind, customer=customer, email=f"{name}@example.com").pk)
        for name, learner, customer in (("ada", ADA, ACME), ("ben", BEN, ACME), ("heidi", 2001, GLOBEX))
    }
    assert uuids(api_as("ada").get(path)) == [rows["ada"]]
    assert uuids(api_as("ada").get(path, {"user__email": "ben@example.com"})) == []
    assert set(uuids(api_as("amy_admin").get(path))) == {rows["ada"], rows["ben"]}
    assert uuids(api_as("amy_admin").get(path, {"enterprise_customer_uuid": str(GLOBEX)})) == []
    assert uuids(api_as("amy_admin").get(path, {"user__email": "amy_admin@example.com"})) == []
    assert set(uuids(api_as("enterprise_access_worker").get(path))) == set(rows.values())
    assert uuids(api_as("outsider").get(path, {"enterprise_customer_uuid": str(ACME)})) == []
    for name, status in (("ada", 200), ("ben", 404), ("heidi", 404), ("amy_admin", 200), ("outsider", 404)):
        assert api_as(name).get(f"{path}{rows['ada']}/").status_code == status, name


# --- lists ------------------------------------------------------------------------------------------------------------


def test_what_the_admin_portal_asks_for_as_errored_is_shown(world, api_as):
    failed = made(ADA, state=RequestState.ERROR)
    made(BEN, state=RequestState.FULFILLED)
    asked = {"state": "requested,declined,cancelled,errored"}
    assert uuids(api_as("amy_admin").get(LICENSES, asked)) == [str(failed.pk)]


def test_filters_orders_and_counts(world, api_as, django_assert_num_queries):
    rows = {
        "a": made(ADA, email="ada@example.com", course_title="Linux", course_id=LINUX),
        "b": made(BEN, email="ben@example.com", course_title="Demo", state=RequestState.DECLINED),
        "c": made(HAL, email="hal@example.com", course_title="Demo", state=RequestState.PENDING),
    }
    names = {str(row.pk): name for name, row in rows.items()}
    amy = api_as("amy_admin")

    def found(**asked):
        return "".join(names[uuid] for uuid in uuids(amy.get(LICENSES, asked)))

    assert found() == "cba"
    assert found(state="requested,declined") == "ba"
    assert found(state="nonsense") == ""
    assert found(state="", search="", ordering="") == "cba"
    assert found(course_id=LINUX.upper()) == "a"
    assert found(search="DEMO") == "cb"
    assert found(search="hal@") == "c"
    assert found(uuid=str(rows["b"].pk)) == "b"
    assert found(ordering="user__email") == "abc"
    assert found(ordering="-course_title,user__email") == "abc"
    assert found(ordering="requestDetails") == "cba"
    assert found(page="2", page_size="2") == "a"
    assert amy.get(LICENSES, {"page": "9"}).status_code == 404
    for wrong in ({"enterprise_customer_uuid": "nope"}, {"uuid": "nope"}, {"states": "requested"}):
        assert amy.get(LICENSES, wrong).status_code == 400, wrong
    overview = amy.get(f"{LICENSES}overview/", {"enterprise_customer_uuid": str(ACME)})
    assert {row["state"]: row["count"] for row in overview.json()} == {"requested": 1, "declined": 1, "pending": 1}
    with django_assert_num_queries(4):
        found()


def test_the_overview_of_a_customer_without_requests_is_an_empty_list(world, api_as, address):
    path, _ = address
    about = {"enterprise_customer_uuid": str(ACME), "search": ""}
    assert api_as("amy_admin").get(f"{path}overview/", about).json() == []
    assert api_as("ada").get(f"{path}overview/", about).status_code == 403
    assert (
        api_as("amy_admin").get(f"{path}overview/", {**about, "enterprise_customer_uuid": str(GLOBEX)}).status_code
        == 403
    )
    assert api_as("amy_admin").get(f"{path}overview/").status_code == 400


# --- admins -----------------------------------------------------------------------------------------------------------


def decision(*rows, customer=ACME, **about):
    return {
        "enterprise_customer_uuid": str(customer),
        "subsidy_request_uuids": [str(getattr(row, "pk", row)) for row in rows],
        **about,
    }


def test_an_admin_approves_and_a_worker_grants(world, api_as):
    rows = [made(HAL, email="hal@example.com"), made(BEN, email="ben@example.com")]
    amy = api_as("amy_admin")
    plan = {"subscription_plan_uuid": str(ACME_ANNUAL), "send_notification": True}
    answer = amy.post(f"{LICENSES}approve/", decision(*rows, **plan), format="json")
    assert [row["state"] for row in answer.json()] == ["pending", "pending"]
    assert answer.json()[0]["reviewer_lms_user_id"] == AMY
    grant()
    row = api_as("hal").get(f"{LICENSES}{rows[0].pk}/").json()
    assert (row["state"], row["subscription_plan_uuid"], row["license_uuid"] is None) == (
        "approved",
        str(ACME_ANNUAL),
        False,
    )
    again = amy.post(f"{LICENSES}approve/", decision(*rows, **plan), format="json")
    assert (again.status_code, again.json()) == (200, [])


@pytest.mark.parametrize("coupon", [12, "12"])
def test_an_admin_approves_codes_of_a_coupon(world, api_as, coupon):
    row = made(HAL, kind=COUPON)
    answer = api_as("amy_admin").post(f"{CODES}approve/", decision(row, coupon_id=coupon), format="json")
    assert [(one["state"], one["coupon_id"]) for one in answer.json()] == [("pending", 12)]


def test_an_admin_declines_with_a_reason(world, api_as, address):
    path, kind = address
    row = made(HAL, kind=kind)
    amy = api_as("amy_admin")
    for expected in (["declined"], []):
        answer = amy.post(f"{path}decline/", decision(row, decline_reason="No budget"), format="json")
        assert [one["state"] for one in answer.json()] == expected
    shown = amy.get(f"{path}{row.pk}/").json()
    assert (shown["decline_reason"], shown["reviewer_lms_user_id"]) == ("No budget", AMY)


@pytest.mark.parametrize("verb", ["approve", "decline"])
def test_who_may_decide_on_what(world, api_as, address, verb):
    path, kind = address
    about = {"subscription_plan_uuid": str(ACME_ANNUAL)} if kind is LICENSE else {"coupon_id": 1}
    about = about if verb == "approve" else {}
    row, foreign = made(HAL, kind=kind), made(2001, kind=kind, customer=GLOBEX)

    def status(username, *rows, **body):
        return api_as(username).post(f"{path}{verb}/", decision(*rows, **about, **body), format="json").status_code

    assert status("hal", row) == 403
    assert status("outsider", row) == 403
    assert status("amy_admin", foreign, customer=GLOBEX) == 403
    assert status("amy_admin", row, foreign) == 404
    assert status("amy_admin", row, uuid4()) == 404
    assert status("amy_admin") == 400
    assert status("amy_admin", "nope") == 400
    assert status("amy_admin", row, misspelled=1) == 400
    assert states(row, foreign) == ["requested", "requested"]


def test_a_decided_request_is_refused_by_name(world, api_as):
    approved, open_one = made(HAL, state=RequestState.APPROVED), made(ADA)
    answer = api_as("amy_admin").post(f"{LICENSES}decline/", decision(approved, open_one), format="json")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "request_state")
    assert body["extra"]["requests"] == [{"uuid": str(approved.pk), "state": "approved"}]
    assert states(open_one) == ["requested"]


def test_what_goes_wrong_upstream_is_a_503_without_internals(simulator, api_as):
    row = made(HAL)
    simulator.faults.add("status", "license_manager.subscriptions", times=None, status=500, body="Traceback: secret")
    about = {"subscription_plan_uuid": str(ACME_ANNUAL)}
    answer = api_as("amy_admin").post(f"{LICENSES}approve/", decision(row, **about), format="json")
    assert answer.status_code == 503
    assert "secret" not in answer.content.decode()


# --- configurations ---------------------------------------------------------------------------------------------------

CONFIGURATIONS = "/api/v1/customer-configurations/"


def shown(**about):
    return {
        "enterprise_customer_uuid": str(ACME),
        "subsidy_requests_enabled": False,
        "subsidy_type": None,
        "changed_by_lms_user_id": AMY,
        "notification_cadence": "daily",
        "last_remind_date": None,
        "attempt_auto_enrollment": False,
        **about,
    }


def test_an_admin_makes_a_configuration_once(world, api_as):
    amy, mine = api_as("amy_admin"), {"enterprise_customer_uuid": str(ACME)}
    answer = amy.post(CONFIGURATIONS, mine, format="json")
    assert (answer.status_code, answer.json()) == (201, shown())
    again = amy.post(CONFIGURATIONS, {**mine, "subsidy_type": "coupon"}, format="json")
    assert (again.status_code, again.json()) == (200, shown())
    for username in ("ada", "amy_admin", "enterprise_access_worker"):
        assert api_as(username).get(f"{CONFIGURATIONS}{ACME}/").json() == shown()
        assert api_as(username).get(CONFIGURATIONS).json()["results"] == [shown()]
    for username in ("heidi", "outsider"):
        assert api_as(username).get(f"{CONFIGURATIONS}{ACME}/").status_code == 404
        assert api_as(username).get(CONFIGURATIONS).json()["results"] == []
    for username in ("ada", "heidi"):
        assert api_as(username).post(CONFIGURATIONS, mine, format="json").status_code == 403


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"subsidy_type": "budget"}, {"subsidy_type": "learner_credit"}),
        ({"subsidy_type": "license", "send_notification": True}, {"subsidy_type": "license"}),
        ({"subsidy_requests_enabled": True}, {"subsidy_requests_enabled": True}),
        ({"attempt_auto_enrollment": False}, {}),
        ({"attempt_auto_enrollment": True}, {"attempt_auto_enrollment": True}),
        ({"notification_cadence": "weekly"}, {"notification_cadence": "weekly"}),
    ],
    ids=str,
)
def test_an_admin_changes_what_is_named(world, api_as, changes, expected):
    takes(None, subsidy_requests_enabled=False)
    answer = api_as("amy_admin").patch(f"{CONFIGURATIONS}{ACME}/", changes, format="json")
    assert (answer.status_code, answer.json()) == (200, shown(**expected))


@pytest.mark.parametrize(
    "changes",
    [
        {"subsidy_type": "x"},
        {"subsidy_requests_enabled": "maybe"},
        {"other": 1},
        {"notification_cadence": "hourly"},
        {"attempt_auto_enrollment": "sometimes"},
    ],
)
def test_a_change_that_makes_no_sense_declines_nothing(world, api_as, changes):
    takes(LICENSE)
    row = made(HAL)
    body = {"subsidy_type": "coupon", **changes}
    assert api_as("amy_admin").patch(f"{CONFIGURATIONS}{ACME}/", body, format="json").status_code == 400
    assert states(row) == ["requested"]


def test_who_may_change_a_configuration(world, api_as):
    change = {"subsidy_requests_enabled": False}
    assert api_as("amy_admin").patch(f"{CONFIGURATIONS}{ACME}/", change, format="json").status_code == 404
    takes(LICENSE)
    takes(LICENSE, customer=GLOBEX)
    for username, customer, status in (("ada", ACME, 403), ("amy_admin", GLOBEX, 404), ("heidi", GLOBEX, 403)):
        answer = api_as(username).patch(f"{CONFIGURATIONS}{customer}/", change, format="json")
        assert answer.status_code == status, username
