"""Which of a learner's licenses is shown, and what is still to be done about them."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from enterprise_access.apps.licenses.domain import (
    Activate,
    Agreement,
    AutoApply,
    LicenseProblem,
    LicenseStatus,
    OwnLicense,
    OwnLicenses,
    OwnPlan,
    ProblemCode,
    by_status,
    choose_shown_license,
    in_order_of_showing,
    next_step,
)
from enterprise_access.apps.licenses.domain.own import licenses_to_activate, may_auto_apply

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LINKED: dict[str, Any] = {"is_linked": True, "has_identity_provider": True}

PLAN = OwnPlan(
    uuid=UUID(int=99),
    title="Annual plan",
    catalog_uuid=UUID(int=98),
    is_active=True,
    is_current=True,
    starts_at=NOON,
    expires_at=NOON,
    days_until_expiration=30,
    days_until_expiration_including_renewals=30,
    should_auto_apply_licenses=False,
)
AGREEMENT = Agreement(
    uuid=UUID(int=97),
    default_catalog_uuid=None,
    available_catalog_uuids=(),
    net_days_until_expiration=30,
    auto_apply_plan_uuid=PLAN.uuid,
    enable_auto_applied_subscriptions_with_universal_link=False,
    disable_expiration_notifications=False,
    has_custom_license_expiration_messaging_v2=None,
    modal_header_text_v2=None,
    expired_subscription_modal_messaging_v2=None,
    button_label_in_modal_v2=None,
    url_for_button_in_modal_v2=None,
)


def make_license(number: int = 1, status: str = "activated", **plan: Any) -> OwnLicense:
    return OwnLicense(
        uuid=UUID(int=number),
        status=LicenseStatus(status),
        plan=evolve(PLAN, **plan),
        user_email="ada@example.com",
        activated_at=None,
        revoked_at=None,
        last_reminded_at=None,
        activation_key=UUID(int=1000 + number),
    )


def own(*licenses: OwnLicense, agreement: Agreement | None = AGREEMENT) -> OwnLicenses:
    return OwnLicenses(licenses=licenses, agreement=agreement, fetched_at=NOON)


# --- What is shown ---------------------------------------------------------------------------------------------------


def test_licenses_of_current_plans_come_first_and_otherwise_the_order_stays():
    old, first, future, second = (make_license(number, is_current=number in (2, 4)) for number in (1, 2, 3, 4))
    assert in_order_of_showing([old, first, future, second]) == (first, second, old, future)


def test_a_plan_that_is_switched_off_does_not_count_as_current():
    off, on = make_license(1, is_active=False), make_license(2)
    assert in_order_of_showing([off, on]) == (on, off)


def test_every_shown_status_is_there_when_there_is_no_license():
    assert by_status([]) == {LicenseStatus.ACTIVATED: (), LicenseStatus.ASSIGNED: (), LicenseStatus.REVOKED: ()}


def test_licenses_of_another_status_are_in_no_group():
    groups = by_status([make_license(1, "unassigned"), make_license(2, "something new")])
    assert [rows for rows in groups.values() if rows] == []


def test_a_license_is_grouped_by_its_status_current_plans_first():
    old, now = make_license(1, is_current=False), make_license(2)
    assert by_status([old, make_license(3, "revoked"), now])[LicenseStatus.ACTIVATED] == (now, old)


def test_activated_is_shown_before_assigned_before_revoked_in_whatever_order_they_are_told():
    licenses = [make_license(1, "activated"), make_license(2, "assigned"), make_license(3, "revoked")]
    for told in permutations(licenses):
        assert choose_shown_license(told) == licenses[0]
    for told in permutations(licenses[1:]):
        assert choose_shown_license(told) == licenses[1]


def test_an_activated_license_of_an_expired_plan_is_shown_before_an_assigned_one():
    expired = make_license(1, is_current=False)
    assert choose_shown_license([make_license(2, "assigned"), expired]) == expired


def test_of_two_activated_ones_that_of_the_current_plan_is_shown():
    assert choose_shown_license([make_license(1, is_current=False), make_license(2)]) == make_license(2)


def test_nothing_is_shown_where_there_is_nothing():
    assert choose_shown_license([]) is None


# --- What is activated -----------------------------------------------------------------------------------------------


def test_every_assigned_license_of_a_current_plan_is_activated():
    licenses = [make_license(1, "assigned"), make_license(2, "assigned"), make_license(3, "revoked")]
    assert licenses_to_activate(licenses) == (licenses[0], licenses[1])


def test_nothing_is_activated_where_a_current_plan_has_an_activated_license():
    assert licenses_to_activate([make_license(1, "assigned"), make_license(2, "activated")]) == ()


def test_an_activated_license_of_an_expired_plan_is_not_enough():
    waiting = make_license(1, "assigned")
    assert licenses_to_activate([make_license(2, is_current=False), waiting]) == (waiting,)


@pytest.mark.parametrize("plan", [{"is_current": False}, {"is_active": False}])
def test_what_license_manager_would_refuse_to_activate_is_left_alone(plan):
    assert licenses_to_activate([make_license(1, "assigned", **plan)]) == ()


def test_a_license_without_its_key_cannot_be_activated():
    assert licenses_to_activate([evolve(make_license(1, "assigned"), activation_key=None)]) == ()


# --- What is applied automatically -----------------------------------------------------------------------------------


def test_who_has_no_license_may_take_one_where_the_customer_wants_it_so():
    assert may_auto_apply(own(), **LINKED)


@pytest.mark.parametrize("status", ["activated", "assigned", "revoked"])
@pytest.mark.parametrize("is_current", [True, False])
def test_who_has_or_had_a_license_may_not(status, is_current):
    assert not may_auto_apply(own(make_license(1, status, is_current=is_current)), **LINKED)


def test_who_is_not_linked_may_not():
    assert not may_auto_apply(own(), is_linked=False, has_identity_provider=True)


def test_without_an_agreement_nobody_may():
    assert not may_auto_apply(own(agreement=None), **LINKED)


def test_without_a_plan_for_it_nobody_may():
    assert not may_auto_apply(own(agreement=evolve(AGREEMENT, auto_apply_plan_uuid=None)), **LINKED)


@pytest.mark.parametrize(("days", "may"), [(1, True), (0, False), (-1, False), (None, False)])
def test_the_customers_plans_must_be_known_to_last(days, may):
    assert may_auto_apply(own(agreement=evolve(AGREEMENT, net_days_until_expiration=days)), **LINKED) is may


@pytest.mark.parametrize(
    ("provider", "link", "may"), [(True, False, True), (False, True, True), (True, True, True), (False, False, False)]
)
def test_the_customer_signs_learners_in_or_lets_them_in_by_a_link(provider, link, may):
    agreement = evolve(AGREEMENT, enable_auto_applied_subscriptions_with_universal_link=link)
    assert may_auto_apply(own(agreement=agreement), is_linked=True, has_identity_provider=provider) is may


# --- The next step ---------------------------------------------------------------------------------------------------


def test_what_waits_is_activated():
    waiting = make_license(1, "assigned")
    assert next_step(own(waiting), **LINKED) == Activate((waiting,))


def test_who_has_none_takes_one():
    assert next_step(own(), **LINKED) == AutoApply(AGREEMENT.uuid)


@pytest.mark.parametrize("status", ["activated", "revoked"])
def test_otherwise_nothing_is_to_be_done(status):
    assert next_step(own(make_license(1, status)), **LINKED) is None


# --- Words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", list(ProblemCode))
def test_every_problem_has_a_sentence_for_each_of_its_readers(code):
    problem = LicenseProblem(code=code, because="timeout")
    assert problem.developer_message.endswith("(timeout).")
    assert LicenseProblem(code=code).developer_message.endswith(".")
    assert problem.user_message.endswith(".")
    assert "timeout" not in problem.user_message
