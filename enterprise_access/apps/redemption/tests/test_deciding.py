"""Staff decide about redemptions that need attention, and people are taken out of the records."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from enterprise_access.apps.redemption.domain.eligibility import CreditRule
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.selectors import look_at_redemptions, read_redemptions
from enterprise_access.apps.redemption.services import forget_learner
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.intending import note_refusal
from enterprise_access.apps.redemption.tasks import prune_refusals
from enterprise_access.apps.redemption.tests.ledgers import (
    ADA,
    PRICE,
    assert_totals_agree,
    begin,
    charged,
    know_learners,
    make_policy,
    order,
)
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals
from enterprise_access.apps.subsidy_access_policies.tests.ledger import redeemed
from enterprise_access.lib import clock
from enterprise_access.lib.health import HealthLevel

pytestmark = pytest.mark.django_db
LIST = reverse("admin:redemption_redemptionattempt_changelist")


@pytest.fixture
def dead(simulator, world):
    """Return an attempt that the ledger refuses as our fault."""
    know_learners()
    make_policy()
    simulator.faults.add("status", "subsidy.redeem", status=400, times=1)
    attempt = begin(make_policy())
    work_on_attempts()
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.DEAD.value
    return attempt


def decide(staff, attempt, decision: str) -> tuple[str, str]:
    page = staff.post(reverse("admin:decide_redemption", args=[attempt.pk]), {"decision": decision}, follow=True)
    attempt.refresh_from_db()
    return attempt.state, " ".join(str(message) for message in page.context["messages"])


def held(attempt) -> int:
    return PolicyTotals.objects.get(pk=attempt.policy_id).held


def test_the_list_and_the_page_show_what_needs_attention(staff, dead):
    assert "Needs attention" in staff.get(LIST).content.decode()
    assert (
        "Check and decide"
        in staff.get(reverse("admin:redemption_redemptionattempt_change", args=[dead.pk])).content.decode()
    )
    page = staff.get(reverse("admin:decide_redemption", args=[dead.pk])).content.decode()
    assert "No transaction for this learner and run" in page
    assert "not enrolled in a paid mode" in page
    assert look_at_redemptions().level is HealthLevel.DEGRADED
    counts, oldest = read_redemptions(clock.now())
    # It waits for staff, and not for a worker.
    assert (counts.values["dead",], oldest.values[()]) == (1, 0)


def test_it_did_not_happen_gives_the_money_back(staff, dead):
    assert held(dead) == PRICE
    assert decide(staff, dead, "not_paid")[0] == "refused"
    assert held(dead) == 0
    assert_totals_agree()


def test_it_happened_needs_a_transaction_that_the_ledger_lists(staff, world, dead):
    state, said = decide(staff, dead, "paid")
    assert (state, "lists no committed transaction" in said) == ("dead", True)
    row = redeemed(world, None)
    assert decide(staff, dead, "not_paid")[0] == "dead"
    assert decide(staff, dead, "paid")[0] == "committed"
    assert dead.transaction_uuid == row.uuid
    assert_totals_agree()


def test_trying_again_charges_once(staff, world, dead):
    assert decide(staff, dead, "again")[0] == "in_doubt"
    with time_machine.travel(clock.now() + timedelta(seconds=1)):
        work_on_attempts()
    dead.refresh_from_db()
    assert (dead.state, charged(world)) == ("committed", PRICE)


def test_what_does_not_need_attention_is_not_decided(staff, world):
    know_learners()
    attempt = begin(make_policy())
    assert decide(staff, attempt, "not_paid")[0] == "sending"
    assert staff.get(reverse("admin:decide_redemption", args=[attempt.policy_id])).status_code == 404


def test_a_retired_learner_is_not_named_any_more_and_the_open_attempt_is_left_to_staff(world):
    know_learners()
    begin(make_policy(), metadata={"geag_first_name": "A"})
    assert forget_learner(lms_user_id=ADA) == {"redemption attempts": 1}
    attempt = RedemptionAttempt.objects.get()
    assert (attempt.lms_user_id, attempt.metadata, attempt.state) == (None, {}, "dead")
    work_on_attempts()
    assert RedemptionAttempt.objects.get().calls == 0
    attempt.save()
    assert str(attempt.pk) in attempt.open_for


def test_old_refusals_are_forgotten_and_attempts_that_held_money_are_kept(world, settings):
    know_learners()
    policy = make_policy()
    world.quirks.ledger_lms_answers.append("500")
    begin(policy)
    work_on_attempts()
    note_refusal(order(policy), reason=CreditReason.NOT_ENOUGH_VALUE, rule=CreditRule.C9, now=clock.now())
    prune_refusals()
    assert RedemptionAttempt.objects.count() == 2
    with time_machine.travel(clock.now() + timedelta(days=settings.ATTEMPTS_KEPT_DAYS + 1)):
        prune_refusals()
    assert RedemptionAttempt.objects.get().reason == CreditReason.ENROLLMENT_FAILED
