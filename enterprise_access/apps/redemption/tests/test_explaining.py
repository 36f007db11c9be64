"""explain for learner credit: page, command and API say the same; and staff redeem for a learner."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from enterprise_access.apps.content_assignments.tests.scene import make_assigned_budget
from enterprise_access.apps.redemption.models import RedemptionAttempt, RedemptionTrigger
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.tests.ledgers import (
    ADA,
    PRICE,
    RUN,
    begin,
    is_enrolled,
    know_learners,
    make_policy,
)
from enterprise_access.apps.subsidy_access_policies.tests.ledger import redeemed
from enterprise_access.apps.subsidy_requests.tests.made import make_asked_budget
from enterprise_access.lib import clock
from simulator.ledger import reverse as reverse_in_ledger
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db
OPERATOR = "enterprise_access_worker"
EXPLAIN = f"/api/v1/policy-redemption/enterprise-customer/{ACME}/explain/"
FORCE = reverse("admin:force_redemption")


@pytest.fixture
def policy(world):
    know_learners()
    return make_policy(display_name="Team North", spend_limit=PRICE - 1)


def test_page_command_and_api_say_the_same(staff, api_as, policy, capsys):
    asked = {"lms_user_id": ADA, "content_key": RUN}
    told = api_as("amy_admin").get(EXPLAIN, asked).json()
    (one,) = told["policies"]
    assert (one["rule"], one["reason"], one["compared"]["spend_limit_cents"]) == (
        "C10",
        "policy_spend_limit_reached",
        PRICE - 1,
    )
    assert one["balance_read_at"]
    assert told["enrollments_read_at"]
    call_command("explain_credit", "acme", str(ADA), RUN)
    printed = capsys.readouterr().out
    for text in (
        "Team North: policy_spend_limit_reached (C10)",
        "Spend limit: $148.99",
        "Spend limit per learner: No limit",
    ):
        assert text in printed
    assert re.search(r"Balance read: \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", printed)
    call_command("explain_credit", "acme", str(ADA), RUN, "--json")
    assert json.loads(capsys.readouterr().out)["policies"][0]["reason"] == one["reason"]
    page = staff.get(reverse("admin:explain_credit"), {"customer": "acme", **asked}).content.decode()
    for text in (
        "policy_spend_limit_reached",
        "Spend limit</th><td>$148.99",
        "Spend limit per learner</th><td>No limit",
        "<p>The learner is told: ",
    ):
        assert text in page
    assert str(policy.pk) not in page


def test_admins_are_not_told_what_a_learner_did_at_another_customer(api_as, policy):
    begin(make_policy(customer_uuid=GLOBEX))
    asked = {"lms_user_id": ADA, "content_key": RUN}
    assert api_as("amy_admin").get(EXPLAIN, asked).json()["attempts"] == []
    (attempt,) = api_as(OPERATOR).get(EXPLAIN.replace(str(ACME), str(GLOBEX)), asked).json()["attempts"]
    assert attempt["amount_cents"] == PRICE


@pytest.mark.parametrize("state", ["committed", "committed, refunded"])
def test_page_and_command_tell_who_paid_and_a_refund(staff, world, capsys, state):
    know_learners()
    transaction = redeemed(world, make_policy(display_name="Team North").pk)
    if "refunded" in state:
        reverse_in_ledger(world, transaction)
    call_command("explain_credit", "acme", str(ADA), RUN)
    told = f"${PRICE // 100}.00 from Team North ({state})"
    assert told in capsys.readouterr().out
    asked = {"customer": "acme", "lms_user_id": ADA, "content_key": RUN}
    assert reverse("admin:explain_credit") in staff.get(reverse("admin:index")).content.decode()
    assert told in staff.get(reverse("admin:explain_credit"), asked).content.decode()


def test_a_budget_that_takes_requests_says_that_none_was_approved(api_as, world):
    know_learners()
    asked = make_asked_budget()
    told = api_as("amy_admin").get(EXPLAIN, {"lms_user_id": ADA, "content_key": RUN}).json()
    ada = api_as("ada")
    (shown,) = ada.get(EXPLAIN.replace("explain", "can-redeem"), {"content_key": RUN}).json()
    refused = ada.post(
        f"/api/v1/policy-redemption/{asked.pk}/redeem/", {"lms_user_id": ADA, "content_key": RUN}, format="json"
    )
    sentences = [
        told["policies"][0]["text"],
        shown["display_reason"]["user_message"],
        refused.json()[0]["user_message"],
    ]
    assert sentences == ["You can't enroll right now because you have no approved request for this course."] * 3
    # Where another budget pays for what is assigned, there is more to it than a request.
    make_assigned_budget()
    (shown,) = ada.get(EXPLAIN.replace("explain", "can-redeem"), {"content_key": RUN}).json()
    assert "not assigned to you" in shown["display_reason"]["user_message"]


@pytest.mark.parametrize("wrong", [("unknown", "7", RUN), ("acme", "0", RUN), ("acme", "7", "edX+DemoX")])
def test_the_command_says_what_it_needs(world, wrong):
    with pytest.raises(CommandError):
        call_command("explain_credit", *wrong)


def test_the_page_says_what_it_needs(staff):
    page = staff.get(reverse("admin:explain_credit"), {"customer": "unknown", "lms_user_id": 7, "content_key": "x"})
    assert page.status_code == 200
    assert "neither a course key" in page.content.decode()


def test_staff_redeem_after_the_deadline_and_see_how_it_ended(staff, world):
    know_learners()
    world.change_run(run_key=RUN, enrollment_end=clock.now() - timedelta(days=1))
    policy = make_policy()
    form = {"policy": str(policy.pk), "lms_user_id": ADA, "content_key": RUN}
    assert "waived" in staff.get(FORCE).content.decode()
    page = staff.post(FORCE, form, follow=True)
    attempt = RedemptionAttempt.objects.get()
    assert (attempt.trigger, attempt.allow_late, attempt.state) == (RedemptionTrigger.FORCED, True, "sending")
    assert str(attempt.pk) in page.redirect_chain[-1][0]
    with time_machine.travel(clock.now() + timedelta(seconds=1)):
        work_on_attempts()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.reason, is_enrolled(world)) == ("committed", "", True)


def test_other_rules_hold_for_staff_too(staff, world, policy):
    form = {"policy": str(policy.pk), "lms_user_id": ADA, "content_key": RUN}
    staff.post(FORCE, form)
    assert RedemptionAttempt.objects.get().reason == "policy_spend_limit_reached"
    redeemed(world, None)
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        assert "by another tool" in staff.post(FORCE, form).content.decode()
    assert "There is no budget" in staff.post(FORCE, {**form, "policy": str(ACME)}).content.decode()
