"""Quotes for default enrollments: one answer for many learners, at the price of one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_access.apps.redemption.services.quoting import quote_default_enrollments
from enterprise_access.apps.redemption.tests.ledgers import ADA, PRICE, RUN, begin, make_policy
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.tests.ledger import redeemed
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold
from simulator.seed import ACME

pytestmark = pytest.mark.django_db
UNLINKED = 987_654


@pytest.fixture
def learners(world) -> list[int]:
    return [ADA, *(world.add_learner(username=f"quoted{number}", customer="acme").id for number in range(5))]


@pytest.fixture
def policy(learners):
    return make_policy(pays_for_default_enrollments=True)


def quoted(learners: list[int]) -> dict[int, Any]:
    wanted = [(learner, RUN) for learner in learners]
    quotes = quote_default_enrollments(customer_uuid=ACME, wanted=wanted, now=clock.now())
    return {learner: quotes[learner, fold(RUN)] for learner in learners}


@pytest.mark.parametrize("is_cold", [True, False])
def test_more_learners_take_no_more_statements(world, learners, policy, is_cold):
    def count(some: list[int]) -> int:
        if not is_cold:
            quoted(some)
        with CaptureQueriesContext(connection) as statements:
            quotes = quoted(some)
        assert {(quote.policy_uuid, quote.cents) for quote in quotes.values()} == {(policy.pk, PRICE)}
        return len(statements)

    count([ADA])
    # (What is asked about one learner alone takes fewer, where a database answers several statements at once.)
    assert count(learners[1:3]) == count(learners[1:])


def test_each_learner_has_an_answer_of_their_own(world, learners, policy):
    redeemed(world, None, learner=learners[1])
    begin(policy, learner=learners[2])
    quotes = quoted([*learners, UNLINKED])
    reasons = [quotes[learner].reason for learner in (ADA, learners[1], learners[2], UNLINKED)]
    assert reasons == [None, CreditReason.ALREADY_ENROLLED, None, CreditReason.LEARNER_NOT_IN_ENTERPRISE]


def test_what_the_ledger_does_not_say_of_one_learner_is_unknown_for_that_one(simulator, learners, policy):
    quoted(learners[1:])
    simulator.faults.add("status", "subsidy.admin_transactions", status=503, times=None)
    quotes = quoted(learners)
    assert quotes.pop(ADA).reason is CreditReason.LEARNER_STATE_UNKNOWN
    assert {quote.reason for quote in quotes.values()} == {None}


def test_links_and_enrollments_of_all_are_one_call_each(world, learners, policy):
    quoted(learners)
    endpoints = [call.endpoint for call in world.journal.calls()]
    assert (endpoints.count("lms.learners"), endpoints.count("platform.enrollments")) == (1, 1)
