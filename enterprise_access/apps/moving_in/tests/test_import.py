"""`manage.py import_enterprise_access`: what is taken over, what is not, and what a second run does."""

import re
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.management import call_command

from enterprise_access.apps.content_assignments.models import (
    LearnerContentAssignment,
    LearnerContentAssignmentAction,
    LinkRequest,
)
from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.services.people import clear_emails, forget_learner
from enterprise_access.apps.moving_in.tests import peer
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyGroupAssociation,
    PolicyTotals,
    Reservation,
    SubsidyAccessPolicy,
)
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestCustomerConfiguration
from enterprise_access.lib import clock
from enterprise_access.lib.importing import IMPORTED

pytestmark = pytest.mark.django_db

Assignment = LearnerContentAssignment
MODELS = (
    SubsidyAccessPolicy,
    PolicyGroupAssociation,
    Assignment,
    LearnerContentAssignmentAction,
    SubsidyRequest,
    SubsidyRequestCustomerConfiguration,
    RedemptionAttempt,
    Reservation,
    PolicyTotals,
)


def everything() -> list[Any]:
    """Return every column of every row that an import writes."""
    return [row for model in MODELS for row in model.objects.order_by("pk").values()]


def held() -> int:
    return sum(PolicyTotals.objects.values_list("allocated", flat=True))


def in_lines(rows, folder) -> str:
    return peer.dumped(rows, folder, is_in_lines=True)


@pytest.mark.parametrize("write", [peer.dumped, in_lines, peer.stored])
def test_everything_is_taken_over_once_and_nobody_is_mailed(take_over, write):
    printed = take_over(peer.whole(), write=write)
    assert "error" not in printed
    assert f"come to {peer.PRICE + 100} cents, and {peer.PRICE + 100} cents are held" in printed
    assert held() == peer.PRICE + 100
    call_command("verify_budgets", stdout=StringIO(), stderr=StringIO())
    taken = {row.pk: row for row in Assignment.objects.all()}
    assert taken.keys() == {peer.WAITING, peer.TAKEN, peer.CLEARED, peer.GRANTED}
    assert taken[peer.WAITING].learner_email == "Learner-30@Example.com"
    assert (taken[peer.WAITING].learner_state, taken[peer.TAKEN].transaction_uuid) == ("waiting", peer.TRANSACTION)
    # The source does not say when it was accepted: its last change stands for that.
    assert taken[peer.TAKEN].accepted_at == datetime.fromisoformat(peer.DAY_2)
    assert taken[peer.CLEARED].email_cleared_at is not None
    credit = SubsidyRequest.objects.get(pk=peer.CREDIT_REQUEST)
    assert (credit.policy_uuid, credit.assignment_uuid, credit.lms_user_id) == (peer.OPEN, peer.GRANTED, peer.ADA)
    assert (credit.latest_action_type, credit.actions.count(), credit.email) == ("approved", 2, "user-5@example.com")
    assert SubsidyRequestCustomerConfiguration.objects.get().changed_by_lms_user_id == peer.ADMIN
    forced = RedemptionAttempt.objects.get(pk=peer.FORCED)
    assert (forced.state, forced.transaction_uuid, forced.due_at) == ("committed", peer.FORCED_TRANSACTION, None)
    assert PolicyGroupAssociation.objects.get().group_uuid == peer.GROUP
    for model in (SubsidyAccessPolicy, Assignment, SubsidyRequest, SubsidyRequestCustomerConfiguration):
        assert set(model.history.values_list("history_change_reason", flat=True)) == {IMPORTED}
    assert (len(mail.outbox), Notification.objects.count(), LinkRequest.objects.count()) == (0, 0, 0)

    before = everything()
    again = take_over(peer.whole(), write=write)
    assert re.search(r"added|changed|conflict|cannot", again) is None
    assert everything() == before


def test_a_budget_that_courses_are_assigned_from_has_a_configuration(take_over):
    rows = [peer.policy(assignment_configuration=None), peer.open_policy(assignment_configuration=None), peer.asking()]
    take_over(rows)
    found = dict(SubsidyAccessPolicy.objects.values_list("pk", "assignment_configuration"))
    assert (found[peer.ASSIGNED] is not None, found[peer.OPEN]) == (True, None)
    assert re.search(r"added|changed|conflict|cannot", take_over(rows)) is None


def test_a_dry_run_reports_the_same_and_saves_nothing(take_over):
    rows = peer.with_row(peer.whole(), peer.assignment(peer.CLEARED, state="lost"))
    foretold = take_over(rows, commit=False)
    assert everything() == []
    assert foretold.replace("Dry run, nothing was saved.\n", "") == take_over(rows)


def odd(number: int) -> UUID:
    return UUID(int=500 + number)


# Rows that cannot be taken over, each with the reason that is printed for it.
ODD = [
    (peer.assignment(odd(1), state="lost"), "state: “lost” is not known here"),
    (peer.assignment(odd(2), content_quantity=5), "content_quantity: positive"),
    (peer.assignment(odd(3), content_quantity=None), "content_quantity: empty"),
    (peer.assignment(odd(4), content_quantity="x"), "content_quantity: not a whole number"),
    (peer.assignment(odd(5), content_quantity=-1 << 70), "content_quantity: too large"),
    (peer.assignment(odd(6), lms_user_id=-1), "lms_user_id: negative"),
    (peer.assignment(odd(7), learner_email=""), "learner_email: empty"),
    (peer.assignment(odd(8), content_key="x" * 256), "content_key: longer than 255"),
    (peer.assignment(odd(9), created="yesterday"), "created: not a date and time"),
    (peer.assignment(odd(10), modified=None), "modified: empty"),
    (peer.assignment(odd(11), assignment_configuration=None), "assignment_configuration_id: empty"),
    (peer.assignment(odd(12), assignment_configuration=odd(0)), "No budget here has its assignment configuration"),
    (peer.assignment(odd(13), is_assigned_course_run="x"), "is_assigned_course_run: neither true nor false"),
    (peer.assignment(odd(14), transaction_uuid="x"), "transaction_uuid: not a UUID"),
    (peer.assignment(odd(15)), "action_type: longer than 32"),
    (peer.assignment(odd(16), learner_email=" learner-30@example.COM"), "the same budget, address and content"),
    (peer.assignment(odd(17), lms_user_id=0), "lms_user_id: 0 is no account"),
    (peer.assignment(odd(18), allocated_at="9999-12-31T23:59:59Z"), "allocated_at: the year 9999 cannot be meant"),
    (peer.assignment(odd(19), expired_at="0001-01-01T00:00:00+05:00"), "expired_at: the year 1 cannot be meant"),
    (peer.policy(odd(20), policy_type="Capped"), "policy_type: “Capped” is not known here"),
    (peer.policy(odd(21), spend_limit=None), "spend_limit: A budget of this type needs this limit"),
    (peer.policy(odd(22), display_name="Budget 10"), "Another active budget is the same"),
    (peer.policy(odd(23)), "Another budget has the same configuration"),
    (peer.policy(odd(24), learner_credit_request_config=peer.ASKING), "takes no requests"),
    (peer.policy(odd(25), enterprise_customer_uuid=odd(0)), "belongs to customer"),
    (peer.policy(odd(29), access_method="x", learner_credit_request_config=odd(44)), "access_method: “x” is not known"),
    (peer.association(None, pk=26), "enterprise_group_uuid: empty"),
    (peer.association(pk=27, subsidy_access_policy=odd(0)), "is not here"),
    (peer.request_configuration(odd(28), subsidy_type="coins"), "subsidy_type: “coins” is not known here"),
    (peer.license_request(odd(30), state="pending"), "just being granted"),
    (peer.license_request(odd(31), is_removed=True), "deleted in the source"),
    (peer.license_request(odd(32), user=77), "user: not in the source"),
    (peer.license_request(odd(33), user=8), "user: not in the source, or without an LMS user id"),
    (peer.license_request(odd(34)), "of the same learner is open for the same"),
    (peer.credit_request(odd(40), learner_credit_request_config=None), "no budget has this configuration"),
    (peer.credit_request(odd(41), user=6, assignment=odd(0)), "is not here"),
    (peer.credit_request(odd(42), user=6, course_id="other"), "has the same assignment"),
    (
        peer.credit_request(odd(43), user=6, course_id="third", assignment=None, learner_credit_request_config=odd(44)),
        f"Its budget {odd(29)} is not here",
    ),
    (peer.forced(odd(50), redeemed_at=None), "It was not redeemed there"),
    (peer.forced(odd(51), redeemed_at=None, errored_at=peer.DAY_1), "It failed there"),
    (peer.forced(odd(52), content_price_cents=None), "content_price_cents: empty"),
    (peer.forced(odd(53), subsidy_access_policy=odd(0)), "is not here"),
    # Nothing of ours looks for this; a constraint of the database does.
    (peer.forced(odd(54), lms_user_id=-1), "The database refuses the row"),
]
_ODD_PARTS = [peer.action(99, odd(15), "x" * 33), peer.user(8, None)]


def test_odd_rows_are_named_with_their_reasons_and_hold_up_no_other(take_over):
    take_over(peer.whole())
    right = everything()
    for model in (RedemptionAttempt, SubsidyRequest, SubsidyRequestCustomerConfiguration):
        model.objects.all().delete()
    printed = take_over([*peer.whole(), *_ODD_PARTS, *(row for row, _ in ODD)])
    lines = printed.splitlines()
    for row, why in ODD:
        assert any(str(row["pk"]) in line and "refused" in line and why in line for line in lines), why
    assert lines[-1] == f"error: {len(ODD)} rows were not taken over; the lines above say why."
    assert "@" not in printed
    assert everything() == right
    call_command("verify_budgets", stdout=StringIO(), stderr=StringIO())


def test_what_changed_in_the_source_is_taken_over_with_its_money(take_over):
    take_over(peer.whole())
    rows = peer.with_row(peer.whole(), peer.assignment(state="cancelled", cancelled_at=peer.DAY_2))
    rows = peer.with_row(rows, peer.action(3, peer.GRANTED, "reminded", completed_at=peer.DAY_2))
    rows = peer.with_row(rows, peer.policy(spend_limit=1))
    rows = peer.with_row(rows, peer.license_request(state="declined", decline_reason="No", course_title=""))
    rows = peer.with_row(rows, peer.request_configuration(subsidy_requests_enabled=False))
    printed = take_over(rows)
    assert "error" not in printed
    assert len([line for line in printed.splitlines() if line.endswith(": changed")]) == 5
    assert (held(), Assignment.objects.get(pk=peer.WAITING).state) == (100, "cancelled")
    assert Assignment.objects.get(pk=peer.GRANTED).recent_action == "reminded"
    assert SubsidyAccessPolicy.objects.get(pk=peer.ASSIGNED).spend_limit == 1
    declined = SubsidyRequest.objects.get(pk=peer.LICENSE_REQUEST)
    assert (declined.state, declined.open_key, declined.course_title) == ("declined", None, "Demo")
    call_command("verify_budgets", stdout=StringIO(), stderr=StringIO())


def test_what_changed_here_stays_and_is_a_conflict_only_where_it_differs(take_over):
    take_over(peer.whole())
    transitions.cancel([peer.WAITING], now=clock.now())
    budget = SubsidyAccessPolicy.objects.get(pk=peer.OPEN)
    budget.display_name = "Ours"
    budget.save()
    before = everything()
    printed = take_over(peer.whole())
    assert printed.count("It was changed here since it was imported") == 2
    assert "2 rows were not taken over" in printed
    assert everything() == before


@pytest.mark.parametrize("forget", [clear_emails, forget_learner])
def test_an_import_brings_no_address_and_no_person_back(take_over, forget):
    take_over(peer.whole())
    about = {"assignment_uuids": [peer.GRANTED]} if forget is clear_emails else {"lms_user_id": peer.ADA}
    forget(**about, now=clock.now())
    gone = everything()
    take_over(peer.whole())
    assert everything() == gone


def test_a_budget_that_moved_to_another_account_is_left_to_people(take_over):
    take_over(peer.whole())
    assert "conflict" in take_over(peer.with_row(peer.whole(), peer.policy(subsidy_uuid=peer.GROUP)))
    assert SubsidyAccessPolicy.objects.get(pk=peer.ASSIGNED).subsidy_id == peer.SUBSIDY


def test_requests_of_a_budget_stay_when_it_takes_no_more_of_them(take_over):
    take_over(peer.with_row(peer.whole(), peer.asking(active=False)))
    assert SubsidyAccessPolicy.objects.get(pk=peer.OPEN).bnr_enabled is False
    assert SubsidyRequest.objects.get(pk=peer.CREDIT_REQUEST).policy_uuid == peer.OPEN
