"""What the public cases of learner credit do not try: staff who redeem, and facts that a rule must not lack."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from attrs import evolve

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.redemption.domain.assignments import Assignment, PayingAssignment
from enterprise_access.apps.redemption.domain.case import LearnerFacts, PolicyFacts, RedeemCase, RunFacts, SubsidyFacts
from enterprise_access.apps.redemption.domain.eligibility import CreditRule, RedeemVerdict, _View, can_redeem
from enterprise_access.apps.subsidy_access_policies.domain.policies import PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CASE = RedeemCase(
    policy=PolicyFacts(
        policy_type=PolicyType.ASSIGNED,
        is_active=True,
        is_retired=False,
        is_browse_and_request_on=False,
        groups=frozenset(),
        late_redemption_allowed_until=None,
        spend_limit_cents=100_00,
        learner_spend_limit_cents=None,
        learner_enrollment_limit=None,
        spent_cents=0,
        held_cents=0,
        allocated_cents=0,
    ),
    learner=LearnerFacts(
        is_linked=True, memberships={}, spent_cents=0, held_cents=0, redemptions=0, redemptions_held=0
    ),
    run=RunFacts(
        run_key="course-v1:A+B+C",
        course_key="A+B",
        is_in_catalog=True,
        has_metadata=True,
        run_dollars="19.99",
        course_dollars=None,
        enroll_by=None,
    ),
    subsidy=SubsidyFacts(
        period=SubsidyPeriod(start=None, expiration=None),
        balance_cents=100_00,
        promised_cents=0,
    ),
    enrollment=None,
    transactions=[],
    assignments=[],
)


def test_staff_redeem_from_an_assigned_budget_without_an_assignment():
    assert can_redeem(CASE, now=NOW) == RedeemVerdict(rule=CreditRule.C8, reason=CreditReason.NOT_ASSIGNED)
    assert can_redeem(evolve(CASE, allocates=True), now=NOW).price_cents == 19_99


def test_the_assignment_that_would_pay_is_named_also_where_a_rule_refuses():
    own = Assignment(
        uuid=UUID(int=1),
        content_key="A+B",
        is_assigned_course_run=False,
        state=AssignmentState.ALLOCATED,
        allocated_at=NOW,
        amount_cents=19_99,
    )
    case = evolve(CASE, assignments=[own])
    assert can_redeem(case, now=NOW).assignment == own
    refused = can_redeem(evolve(case, subsidy=None), now=NOW)
    assert (refused.reason, refused.assignment) == (CreditReason.SUBSIDY_UNAVAILABLE, own)


def test_a_rule_that_is_asked_too_early_says_so():
    view = _View(case=evolve(CASE, subsidy=None), now=NOW, paying=PayingAssignment(), catalog_or_assigned_price=None)
    with pytest.raises(ValueError, match=r"^A run without a price does not get this far\.$"):
        _ = view.price
    with pytest.raises(ValueError, match=r"^An account that could not be asked does not get this far\.$"):
        _ = view.subsidy
