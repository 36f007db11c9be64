"""Which customer is shown, and how enrollments are grouped: rules on values."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from attrs import frozen

from enterprise_access.apps.bff.domain.choosing import (
    WantedCustomer,
    choose,
    is_search_disabled,
    shows_integration_warning,
)
from enterprise_access.apps.bff.domain.enrollments import ShownEnrollment, course_key_of, group_by_progress
from enterprise_access.apps.bff.domain.problems import LICENSES


@frozen
class Customer:
    slug: str
    uuid: UUID


ACME, GLOBEX = Customer("acme", uuid4()), Customer("globex", uuid4())
BY_SLUG, BY_UUID = WantedCustomer(slug="acme"), WantedCustomer(uuid=ACME.uuid)


def make_enrollment(**about: Any) -> ShownEnrollment:
    usual: dict[str, Any] = {
        **dict.fromkeys(("course_type", "org_name", "mode", "pacing", "product_source", "micromasters_title")),
        **dict.fromkeys(("start_date", "end_date", "enroll_by", "resume_course_run_url", "link_to_course")),
        "course_run_id": "course-v1:edX+DemoX+2026",
        "course_run_status": "in_progress",
        "course_key": "edX+DemoX",
        "title": "Demo",
        "created": datetime(2026, 1, 1, tzinfo=UTC),
        "is_enrollment_active": True,
        "is_revoked": False,
        "has_emails_enabled": False,
        "notifications": (),
        "link_to_certificate": None,
    }
    return ShownEnrollment(**usual | about)


@pytest.mark.parametrize(
    "wanted", [BY_SLUG, BY_UUID, WantedCustomer(slug="ACME"), WantedCustomer(uuid=ACME.uuid, slug="globex")]
)
def test_the_wanted_customer_is_shown_to_whom_it_has(wanted):
    choice = choose(wanted=wanted, linked=[GLOBEX, ACME], active=GLOBEX, staff=None)
    assert (choice.shown, choice.is_linked, choice.should_switch) == (ACME, True, True)


def test_nothing_is_to_be_switched_when_the_wanted_customer_is_active():
    assert not choose(wanted=BY_SLUG, linked=[ACME], active=ACME, staff=None).should_switch


def test_without_any_active_customer_the_wanted_one_becomes_it():
    assert choose(wanted=BY_SLUG, linked=[ACME], active=None, staff=None).should_switch


def test_a_link_comes_before_the_view_of_staff():
    choice = choose(wanted=BY_SLUG, linked=[ACME], active=ACME, staff=ACME)
    assert (choice.staff, choice.is_linked) == (None, True)


def test_staff_see_the_wanted_customer_and_belong_to_none():
    choice = choose(wanted=BY_SLUG, linked=[GLOBEX], active=GLOBEX, staff=ACME)
    assert (choice.shown, choice.staff, choice.is_linked, choice.should_switch) == (ACME, ACME, False, False)


def test_a_uuid_that_is_not_the_learners_leads_to_the_active_customer():
    choice = choose(wanted=BY_UUID, linked=[GLOBEX], active=GLOBEX, staff=None)
    assert (choice.shown, choice.is_linked, choice.should_switch) == (GLOBEX, True, False)


def test_a_slug_that_is_not_the_learners_leads_nowhere():
    assert choose(wanted=BY_SLUG, linked=[GLOBEX], active=GLOBEX, staff=None).shown is None


def test_who_belongs_nowhere_is_shown_nothing():
    choice = choose(wanted=BY_UUID, linked=[], active=None, staff=None)
    assert (choice.shown, choice.is_linked) == (None, False)


@pytest.mark.parametrize(
    ("provider", "search", "integrations", "disabled", "warned"),
    [
        (True, False, True, True, False),
        (True, False, False, True, False),
        (True, True, True, False, True),
        (False, False, True, False, True),
        (False, True, False, False, False),
    ],
)
def test_search_is_off_where_a_system_of_the_customers_own_replaces_it(
    provider, search, integrations, disabled, warned
):
    off = is_search_disabled(has_identity_provider=provider, is_search_enabled=search)
    assert off is disabled
    assert shows_integration_warning(is_search_disabled=off, has_active_integrations=integrations) is warned


def test_every_group_is_there_and_a_new_progress_is_in_none():
    rows = [make_enrollment(course_run_status=name) for name in ("completed", "in_progress", "brand_new")]
    groups = group_by_progress(rows)
    assert {name: len(found) for name, found in groups.items()} == {
        "in_progress": 1,
        "upcoming": 0,
        "completed": 1,
        "saved_for_later": 0,
    }


def test_a_course_with_a_certificate_cannot_be_left():
    assert make_enrollment().can_unenroll
    assert not make_enrollment(link_to_certificate="https://certificates.example.com/1").can_unenroll
    assert not make_enrollment(course_run_status="unenrolled").can_unenroll


def test_the_address_of_a_certificate_is_not_in_what_is_printed():
    assert "certificates.example.com" not in repr(
        make_enrollment(link_to_certificate="https://certificates.example.com/1")
    )


@pytest.mark.parametrize(
    ("run", "course"), [("course-v1:edX+DemoX+2026_T1", "edX+DemoX"), ("edX/DemoX/2014", "edX/DemoX/2014")]
)
def test_a_run_key_names_its_course(run, course):
    assert course_key_of(run) == course


def test_what_failed_is_told_by_a_code_and_not_by_a_neighbours_text():
    assert LICENSES.failed("lms timeout").developer_message == "The learner's licenses could not be loaded: lms timeout"
