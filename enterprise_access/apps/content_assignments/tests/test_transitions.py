"""Allocating and every change of state: the money moves with the row, all of a call happens or nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest

from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.errors import (
    AllocationInvalid,
    AllocationRefused,
    AssignmentTransitionRefused,
    AssignmentUnknown,
)
from enterprise_access.apps.content_assignments.selectors.people import list_assignments_of
from enterprise_access.apps.content_assignments.services import redeeming, transitions
from enterprise_access.apps.content_assignments.services.allocating import allocate_for_request
from enterprise_access.apps.content_assignments.services.people import clear_emails, forget_learner, see_learner
from enterprise_access.apps.content_assignments.services.signals import assignment_changed
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.models import Reservation
from enterprise_access.lib import clock

from .scene import (
    ADA,
    BEN,
    DEMO,
    DEMO_RUN,
    PRICE,
    Assignment,
    actions_of,
    allocate,
    allocated,
    allocated_cents,
    begin_redeeming,
    check_money,
    held_cents,
    make_assigned_budget,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture
def policy(world):
    return make_assigned_budget()


class TestAllocating:
    def test_each_person_gets_a_row_that_holds_money_once(self, policy):
        done = allocate(policy, ["Ada@Example.com", "ben@example.com", " ada@example.com"])
        assert [row.learner_email for row in done.created] == ["Ada@Example.com", "ben@example.com"]
        row = done.created[0]
        assert (row.content_title, row.is_assigned_course_run, row.learner_state) == (
            "edX Demonstration Course",
            False,
            "notifying",
        )
        assert row.content_quantity == -PRICE
        assert row.configuration_uuid == policy.assignment_configuration
        assert Notification.objects.filter(kind="assignment_allocated").count() == 2
        check_money(policy)
        again = allocate(policy, ["ADA@example.com", "ben@example.com"], price=PRICE + 100)
        assert (again.created, again.updated, len(again.no_change)) == ([], [], 2)
        assert held_cents(policy) == 2 * PRICE
        assert Notification.objects.count() == 2

    def test_a_run_has_its_course_as_parent(self, policy):
        row = allocated(policy, key=DEMO_RUN)
        assert (row.is_assigned_course_run, row.parent_content_key) == (True, DEMO)

    def test_an_ended_row_begins_another_life(self, policy):
        row = allocated(policy)
        transitions.cancel([row.pk], now=clock.now())
        Assignment.objects.filter(pk=row.pk).update(acknowledged_at=clock.now())
        done = allocate(policy, ["ada@example.com"])
        assert [one.pk for one in done.updated] == [row.pk]
        row.refresh_from_db()
        assert (row.state, row.cancelled_at, row.acknowledged_at, row.learner_state) == (
            "allocated",
            None,
            None,
            "notifying",
        )
        assert Notification.objects.filter(subject=row.pk, kind="assignment_allocated").count() == 2
        assert row.history.count() == 3
        check_money(policy)

    @pytest.mark.parametrize(
        ("about", "key", "price", "reason"),
        [
            ({"active": False}, DEMO, PRICE, "policy_expired"),
            ({}, "edX+Unknown", PRICE, "content_not_in_catalog"),
            ({}, DEMO, 100, "PriceValidationError"),
            ({"spend_limit": 2 * PRICE - 1}, DEMO, PRICE, "policy_spend_limit_reached"),
            ({"spend_limit": 10**9}, DEMO, PRICE, None),
        ],
    )
    def test_what_stands_against_one_stands_against_all(self, about, key, price, reason):
        policy = make_assigned_budget(**about)
        emails = ["ada@example.com", "ben@example.com"]
        if reason is None:
            emails = [f"p{number}@example.com" for number in range(40)]
            reason = "not_enough_value_in_subsidy"
        with pytest.raises(AllocationRefused) as refused:
            allocate(policy, emails, key=key, price=price)
        assert refused.value.reason.value == reason
        assert not Assignment.objects.exists()
        check_money(policy)

    @pytest.mark.parametrize(("emails", "price"), [([], PRICE), (["nope"], PRICE), (["a@b.com"], 10.5), ([7], PRICE)])
    def test_what_makes_no_sense_is_invalid(self, policy, emails, price):
        with pytest.raises(AllocationInvalid):
            allocate(policy, emails, price=price)

    def test_float_noise_of_clients_is_a_price(self, policy):
        assert allocated(policy, price=14900.000000000002).price_cents == PRICE

    def test_a_thousand_people_are_a_constant_number_of_statements(self, policy, django_assert_max_num_queries):
        policy.subsidy.balance = 10**9
        policy.subsidy.save()
        type(policy).objects.filter(pk=policy.pk).update(spend_limit=10**9)
        policy.refresh_from_db()
        emails = [f"p{number}@example.com" for number in range(20)]
        with django_assert_max_num_queries(40):
            allocate(policy, emails)
        with django_assert_max_num_queries(20):
            assert len(allocate(policy, emails).no_change) == 20

    def test_a_request_is_allocated_in_the_callers_transaction(self, policy):
        about = {"policy_uuid": policy.pk, "lms_user_id": ADA, "email": "ada@example.com", "content_key": DEMO}
        row = allocate_for_request(**about, amount_cents=PRICE, actor=9, now=clock.now())
        assert (row.lms_user_id, row.state) == (ADA, "allocated")
        check_money(policy)
        with pytest.raises(AssignmentTransitionRefused):
            allocate_for_request(**about, amount_cents=PRICE, actor=9, now=clock.now())
        about["content_key"] = DEMO_RUN
        row = allocate_for_request(**about, amount_cents=PRICE, actor=9, now=clock.now())
        assert (row.is_assigned_course_run, row.parent_content_key) == (True, DEMO)
        about["content_key"] = "edX+Other"
        with pytest.raises(BudgetRefused):
            allocate_for_request(**about, amount_cents=10**9, actor=9, now=clock.now())
        assert Assignment.objects.count() == 2


class TestTransitions:
    def test_cancelling_frees_the_money_once_and_all_or_nothing(self, policy):
        rows = allocate(policy, ["ada@example.com", "ben@example.com"]).created
        heard = []
        assignment_changed.connect(hear := lambda assignments, action, **_: heard.append((len(assignments), action)))
        transitions.cancel([row.pk for row in rows], now=clock.now(), actor_lms_user_id=9)
        assert heard == [(2, "cancel")]
        assignment_changed.disconnect(hear)
        check_money(policy)
        assert held_cents(policy) == 0
        assert transitions.cancel([rows[0].pk], now=clock.now()) == []
        assert actions_of(rows[0].pk) == [("cancelled", "")]
        with pytest.raises(AssignmentUnknown):
            transitions.cancel([uuid4()], now=clock.now())

    def test_nothing_ends_while_it_is_being_redeemed(self, policy):
        rows = allocate(policy, ["ada@example.com", "ben@example.com"]).created
        begin_redeeming(rows[0])
        for end in (
            lambda: transitions.cancel([row.pk for row in rows], now=clock.now()),
            lambda: transitions.expire([rows[0].pk], reason=ExpirationReason.NINETY_DAYS_PASSED, now=clock.now()),
            lambda: transitions.error(rows[0].pk, reason="x", now=clock.now()),
        ):
            with pytest.raises(AssignmentTransitionRefused) as refused:
                end()
            assert refused.value.refused == {rows[0].pk: "redemption_in_progress"}
        assert set(Assignment.objects.values_list("state", flat=True)) == {"allocated"}

    def test_a_redemption_is_accepted_and_a_refused_one_changes_no_state(self, policy):
        row = allocated(policy)
        redeeming.lock_for_redemption(assignment_uuid=row.pk)
        redeeming.note_failed_redemption(assignment_uuid=row.pk, now=clock.now())
        row.refresh_from_db()
        assert row.state == "allocated"
        assert actions_of(row.pk) == [("redeemed", "enrollment_error")]
        begin_redeeming(row)
        done = redeeming.accept(assignment_uuid=row.pk, transaction_uuid=uuid4(), lms_user_id=ADA, now=clock.now())
        assert (done.state, done.lms_user_id, done.learner_state) == ("accepted", ADA, "")
        assert Reservation.objects.get(assignment_uuid=row.pk).kind == "redemption"
        with pytest.raises(AssignmentTransitionRefused):
            transitions.cancel([row.pk], now=clock.now())
        with pytest.raises(AssignmentTransitionRefused):
            redeeming.lock_for_redemption(assignment_uuid=row.pk)

    @pytest.mark.parametrize(("state", "shown"), [("expired", "expired"), ("errored", "failed")])
    def test_what_ends_by_itself_frees_the_money(self, policy, state, shown):
        row = allocated(policy)
        if state == "expired":
            transitions.expire([row.pk], reason=ExpirationReason.SUBSIDY_EXPIRED, now=clock.now())
        else:
            transitions.error(row.pk, reason="internal_api_error", now=clock.now())
        row.refresh_from_db()
        assert (row.state, row.learner_state) == (state, shown)
        assert allocated_cents(policy) == 0
        check_money(policy)


class TestPeople:
    def test_a_learner_gets_the_assignments_of_their_address_when_first_seen(self, policy):
        row = allocated(policy, "Ada@Example.com")
        assert list_assignments_of([ADA], policy_uuids=[policy.pk])[ADA] == []
        assert see_learner(ADA, "ADA@example.com", clock.now()) == 1
        assert [one.pk for one in list_assignments_of([ADA], policy_uuids=[policy.pk])[ADA]] == [row.pk]
        assert see_learner(BEN, "ada@example.com", clock.now()) == 0
        assert Reservation.objects.get(assignment_uuid=row.pk).lms_user_id == ADA
        check_money(policy)
        # The account is known from now on.
        assert allocated(policy, "ada@example.com", key=DEMO_RUN).lms_user_id == ADA

    def test_a_cleared_address_leaves_the_account_and_no_trace(self, policy):
        row = allocated(policy)
        see_learner(ADA, "ada@example.com", clock.now())
        transitions.cancel([row.pk], now=clock.now())
        assert clear_emails([row.pk], now=clock.now() + timedelta(days=1)) == 1
        row.refresh_from_db()
        assert (row.lms_user_id, row.learner_email.endswith("@retired.invalid")) == (ADA, True)
        assert not row.history.filter(learner_email__contains="ada").exists()

    def test_retiring_takes_the_person_out_and_leaves_the_money(self, policy):
        row = allocated(policy)
        see_learner(ADA, "ada@example.com", clock.now())
        assert forget_learner(lms_user_id=ADA, now=clock.now())["assignments"] == 1
        row.refresh_from_db()
        assert (row.lms_user_id, row.state) == (None, "allocated")
        check_money(policy)
