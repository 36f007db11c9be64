"""What the LMS is asked, byte for byte where it matters; and what is never sent."""

from typing import Any
from uuid import UUID

import pytest
import requests

from enterprise_access.lib.errors import (
    UpstreamChanged,
    UpstreamError,
    UpstreamReason,
    UpstreamRefused,
    UpstreamUnavailable,
)
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.lms.types import EnrollItem
from enterprise_access.upstream.tests.neighbours import Neighbour, answer
from enterprise_access.upstream.tests.recorded import recording

ACME = UUID("7ae10000-0000-4000-8000-000000000001")
LICENSE = UUID("11ce0000-0000-4000-8000-000000000021")
RUN = "course-v1:AX+ENR+R1"
NO_UUID: Any = "11ce"
EMPTY = answer({"results": [], "next": None})
NOTHING_DONE = answer({"successes": [], "pending": [], "failures": []}, status=201)
LEARNER = "/enterprise/api/v1/enterprise-learner/"


def recorded(name, service="lms"):
    return recording(service, name).reply


def ask(neighbour):
    return neighbour.client(LmsClient)


# --- links ------------------------------------------------------------------------------------------------------------


def test_links_are_asked_for_in_an_order_that_does_not_shift():
    neighbour = Neighbour(EMPTY)
    assert ask(neighbour).list_learner_links(customer_uuid=ACME) == ()
    assert neighbour.asked == [
        (LEARNER, [("page_size", "100"), ("ordering", "user_id"), ("enterprise_customer", str(ACME))])
    ]


def test_links_of_many_learners_are_asked_for_a_hundred_at_a_time_and_each_once():
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_learner_links(customer_uuid=ACME, lms_user_ids=[*range(1, 151), 1, 2])
    ids = [dict(query)["user_ids"].split(",") for _, query in neighbour.asked]
    assert [len(piece) for piece in ids] == [100, 50]
    assert [int(user_id) for piece in ids for user_id in piece] == list(range(1, 151))


def test_all_pages_of_links_are_read():
    neighbour = Neighbour(recorded("learner-200-backfill-page-1"), recorded("learner-200-backfill-page-3"))
    assert len(ask(neighbour).list_learner_links(customer_uuid=ACME)) == 18
    assert dict(neighbour.asked[1][1])["page"] == "2"


def test_the_learners_of_a_customer_come_a_page_at_a_time():
    neighbour = Neighbour(recorded("learner-200-backfill-page-1"), recorded("learner-200-backfill-page-3"))
    links = ask(neighbour).iterate_learner_links(customer_uuid=ACME)
    assert next(links).lms_user_id == 5
    assert len(neighbour.sent) == 1
    assert len(list(links)) == 17
    assert [dict(query)["ordering"] for _, query in neighbour.asked] == ["user_id"] * 2


def test_links_by_username():
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_learner_links(username="o+neill")
    assert "username=o%2Bneill" in neighbour.sent[0].url


def test_no_learners_is_not_every_learner():
    neighbour = Neighbour()
    assert ask(neighbour).list_learner_links(customer_uuid=ACME, lms_user_ids=[]) == ()


@pytest.mark.parametrize(
    ("reply", "visible"), [("learner-200-username-customer", True), ("learner-200-empty-unknown", False)]
)
def test_a_worker_account_without_rights_is_told_by_a_learner_it_should_see(reply, visible):
    assert ask(Neighbour(recorded(reply))).is_learner_visible(lms_user_id=1001) is visible


# --- customers --------------------------------------------------------------------------------------------------------


def test_a_customer_is_found_by_its_slug_even_if_the_filter_is_ignored():
    client = ask(Neighbour(recorded("customer-list-200"), EMPTY))
    assert client.find_customer(slug="acme").uuid == ACME
    assert client.find_customer(slug="acm") is None


def test_the_slug_is_the_filter():
    neighbour = Neighbour(EMPTY)
    assert ask(neighbour).find_customer(slug="acme") is None
    assert neighbour.asked == [("/enterprise/api/v1/enterprise-customer/", [("slug", "acme"), ("page_size", "100")])]


# --- enrolling --------------------------------------------------------------------------------------------------------


def test_items_are_sent_as_recorded_but_nobody_is_notified():
    neighbour = Neighbour(NOTHING_DONE)
    transaction = UUID("7a000000-0000-4000-8000-000000000031")
    ask(neighbour).enroll(
        customer_uuid=ACME,
        items=[
            EnrollItem(lms_user_id=1002, course_run_key=RUN, license_uuid=LICENSE),
            EnrollItem(
                lms_user_id=1008, course_run_key=RUN, transaction_id=transaction, is_default_auto_enrollment=False
            ),
        ],
    )
    (path, query) = neighbour.asked[0]
    assert path == f"/enterprise/api/v1/enterprise-customer/{ACME}/enroll_learners_in_courses/"
    assert query == []
    assert neighbour.bodies == [
        {
            "enrollments_info": [
                {
                    "user_id": 1002,
                    "course_run_key": RUN,
                    "license_uuid": str(LICENSE),
                    "is_default_auto_enrollment": True,
                },
                {"user_id": 1008, "course_run_key": RUN, "transaction_id": str(transaction)},
            ],
            "notify": False,
        }
    ]


@pytest.mark.parametrize(
    "item",
    [
        EnrollItem(lms_user_id=0, course_run_key=RUN, license_uuid=LICENSE),
        EnrollItem(lms_user_id=1002, course_run_key="AX+ENR", license_uuid=LICENSE),
        EnrollItem(lms_user_id=1002, course_run_key=RUN),
        EnrollItem(lms_user_id=1002, course_run_key=RUN, license_uuid=LICENSE, transaction_id=LICENSE),
        EnrollItem(lms_user_id=1002, course_run_key=RUN, license_uuid=NO_UUID),
    ],
)
def test_one_malformed_item_keeps_the_whole_call_at_home(item):
    good = EnrollItem(lms_user_id=1002, course_run_key=RUN, license_uuid=LICENSE)
    with pytest.raises(UpstreamRefused) as caught:
        ask(Neighbour()).enroll(customer_uuid=ACME, items=[good, item])
    assert (caught.value.reason, caught.value.may_have_happened) == (UpstreamReason.REFUSED_LOCALLY, False)


@pytest.mark.parametrize(
    ("reply", "kind", "reason", "may_have_happened"),
    [
        (requests.ReadTimeout(), UpstreamUnavailable, UpstreamReason.TIMEOUT, True),
        (requests.ConnectTimeout(), UpstreamUnavailable, UpstreamReason.TIMEOUT, False),
        (requests.ConnectionError(), UpstreamUnavailable, UpstreamReason.CONNECTION, True),
        (answer("oops", status=500), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
        (answer("oops", status=502), UpstreamUnavailable, UpstreamReason.SERVER_ERROR, True),
        (answer({}, status=429), UpstreamUnavailable, UpstreamReason.THROTTLED, False),
        (recorded("enroll-400-empty"), UpstreamRefused, UpstreamReason.BAD_REQUEST, False),
        (recorded("enroll-401"), UpstreamRefused, UpstreamReason.AUTHENTICATION, False),
        (recorded("enroll-403-learner"), UpstreamRefused, UpstreamReason.FORBIDDEN, False),
        (recorded("enroll-404-unknown-customer"), UpstreamRefused, UpstreamReason.NOT_FOUND, False),
        (answer({}, status=200), UpstreamChanged, UpstreamReason.UNEXPECTED_STATUS, True),
        (answer({}, status=201), UpstreamChanged, UpstreamReason.UNKNOWN_SHAPE, True),
        (answer({"detail": "conflict"}, status=409), UpstreamChanged, UpstreamReason.UNKNOWN_SHAPE, True),
    ],
)
def test_what_is_not_known_about_an_enrollment_is_said(reply, kind, reason, may_have_happened):
    neighbour = Neighbour(reply)
    with pytest.raises(UpstreamError) as caught:
        ask(neighbour).enroll(customer_uuid=ACME, items=[EnrollItem(1002, RUN, license_uuid=LICENSE)])
    assert (type(caught.value), caught.value.reason) == (kind, reason)
    assert caught.value.may_have_happened is may_have_happened
    # Twice only after a 401, which means that nothing was done.
    assert len(neighbour.sent) == (2 if reason is UpstreamReason.AUTHENTICATION else 1)


def test_enrolling_may_be_silent_for_longer_than_reading():
    neighbour = Neighbour(NOTHING_DONE)
    client = LmsClient(ask(neighbour).transport, enroll_read_seconds=25)
    client.enroll(customer_uuid=ACME, items=[EnrollItem(1002, RUN, license_uuid=LICENSE)])
    assert neighbour.timeouts == [(1, 25)]


# --- enrollments ------------------------------------------------------------------------------------------------------


def test_platform_enrollments_of_many_learners_are_asked_for_a_hundred_at_a_time():
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_platform_enrollments(usernames=[f"learner{number}" for number in range(130)])
    names = [dict(query)["username"].split(",") for _, query in neighbour.asked]
    assert [len(piece) for piece in names] == [100, 30]
    assert {path for path, _ in neighbour.asked} == {"/api/enrollment/v1/enrollments"}


def test_platform_enrollments_follow_the_cursor_on_our_own_host():
    neighbour = Neighbour(
        recorded("enrollments-200-first-of-two-pages", "edx-platform"),
        recorded("enrollments-200-two-learners", "edx-platform"),
    )
    assert len(ask(neighbour).list_platform_enrollments(usernames=["alice"])) == 7
    assert neighbour.asked[1] == (
        "/api/enrollment/v1/enrollments",
        [("username", "alice"), ("cursor", "cD0yMDI2LTA4LTAxKzAwJTNBMDAlM0EwMC4wMDAwMDAlMkIwMCUzQTAw")],
    )
    assert neighbour.sent[1].url.startswith("https://neighbour.test/")


def test_a_run_in_the_path_is_percent_encoded():
    neighbour = Neighbour(recorded("course-200-include-expired", "edx-platform"))
    ask(neighbour).get_run_modes(course_run_key=RUN)
    assert neighbour.sent[0].url == (
        "https://neighbour.test/api/enrollment/v1/course/course-v1%3AAX%2BENR%2BR1?include_expired=1"
    )


def test_a_run_in_the_query_is_percent_encoded():
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_enterprise_enrollments(enterprise_customer_user_id=2, course_run_key=RUN)
    assert neighbour.sent[0].url.endswith("course_id=course-v1%3AAX%2BENR%2BR1")


def test_a_400_about_anything_else_does_not_mean_that_the_run_is_unknown():
    with pytest.raises(UpstreamRefused):
        ask(Neighbour(answer({"message": "Bad request"}, status=400))).get_run_modes(course_run_key=RUN)


def test_portal_enrollments_are_asked_for_as_the_learner():
    neighbour = Neighbour(answer([]))
    client = ask(neighbour)
    assert client.list_portal_enrollments(learner_token="own.token", customer_uuid=ACME, is_active=True) == ()
    assert neighbour.authorizations == ["JWT own.token"]
    assert dict(neighbour.asked[0][1]) == {"enterprise_id": str(ACME), "is_active": "true"}


# --- malformed input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_customer(customer_uuid="acme"),
        lambda client: client.find_customer(slug="a/b"),
        lambda client: client.list_learner_links(),
        lambda client: client.list_learner_links(customer_uuid="acme"),
        lambda client: client.list_learner_links(lms_user_ids=["1"]),
        lambda client: client.list_learner_links(username="a,b"),
        lambda client: client.enroll(customer_uuid=ACME, items=[]),
        lambda client: client.get_run_modes(course_run_key="AX+ENR"),
        lambda client: client.list_enterprise_enrollments(enterprise_customer_user_id=0),
        lambda client: client.list_enterprise_enrollments(enterprise_customer_user_id=1, course_run_key="x"),
        lambda client: client.list_enterprise_enrollments_admin(customer_uuid=ACME, lms_user_id=-1),
        lambda client: client.list_portal_enrollments(learner_token="a b", customer_uuid=ACME),
    ],
)
def test_malformed_input_is_not_sent(call):
    with pytest.raises(UpstreamRefused) as caught:
        call(ask(Neighbour()))
    assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY


def test_a_name_that_cannot_be_sent_is_unknown_and_the_others_are_asked_for():
    neighbour = Neighbour(answer({"results": [], "next": None}))
    rows = ask(neighbour).list_platform_enrollments(usernames=["Ana Maria", "a,b"])
    assert [dict(query)["username"] for _, query in neighbour.asked] == ["Ana Maria"]
    assert rows.unknown_among(["Ana Maria", "a,b"], told=()) == {"a,b"}
