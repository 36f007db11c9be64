"""The rules of policy types, sameness and spend limits, each in one place."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from enterprise_access.apps.subsidy_access_policies.domain.policies import (
    TYPE_RULES,
    AccessMethod,
    Limit,
    LimitProblem,
    PolicyType,
    SpendLimitProblem,
    SpendLimits,
    SubsidyPeriod,
    active_key,
    is_late_redemption_allowed,
    limit_problems,
    spend_limit_problem,
)
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_every_type_has_its_rules():
    assert set(TYPE_RULES) == set(PolicyType)


@pytest.mark.parametrize("policy_type", PolicyType)
@pytest.mark.parametrize("limit", Limit)
def test_a_limit_is_accepted_exactly_where_the_table_has_it(policy_type, limit):
    problem = limit_problems(policy_type=policy_type, limits={Limit.SPEND: 100, limit: 100}).get(limit)
    assert problem == (None if limit in TYPE_RULES[policy_type].limits else LimitProblem.NOT_ALLOWED)


def test_an_assigned_budget_needs_a_spend_limit():
    assert limit_problems(policy_type=PolicyType.ASSIGNED, limits={}) == {Limit.SPEND: LimitProblem.REQUIRED}


def test_a_limit_is_not_negative():
    found = limit_problems(policy_type=PolicyType.PER_LEARNER_SPEND, limits={Limit.SPEND: -1})
    assert found == {Limit.SPEND: LimitProblem.NEGATIVE}
    assert limit_problems(policy_type=PolicyType.PER_LEARNER_SPEND, limits={Limit.SPEND: 0}) == {}


def key(**changes):
    same = {
        "is_active": True,
        "customer_uuid": UUID(int=1),
        "subsidy_uuid": UUID(int=2),
        "catalog_uuid": UUID(int=3),
        "access_method": AccessMethod.DIRECT,
        "policy_type": PolicyType.PER_LEARNER_SPEND,
        "display_name": "Team North",
    }
    return active_key(**{**same, **changes})


def test_names_that_differ_in_case_and_spaces_are_the_same_budget():
    assert key() == key(display_name=" team  NORTH ")
    assert key(display_name=None) == key(display_name=" ")
    assert key(display_name=None).endswith("|")


def test_the_key_of_a_budget_is_the_one_that_is_stored():
    ids = [f"{number:032x}" for number in (1, 2, 3)]
    assert key() == "|".join([*ids, AccessMethod.DIRECT.value, PolicyType.PER_LEARNER_SPEND.value, "team north"])


def test_the_instant_at_which_late_redemption_ends_is_too_late():
    assert is_late_redemption_allowed(until=NOON, now=NOON - timedelta(microseconds=1))
    assert not is_late_redemption_allowed(until=NOON, now=NOON)
    assert not is_late_redemption_allowed(until=None, now=NOON)


def test_an_account_is_active_from_its_start_and_until_its_end():
    period = SubsidyPeriod(start=NOON, expiration=NOON + timedelta(days=1))
    instant = timedelta(microseconds=1)
    asked = [NOON - instant, NOON, NOON + timedelta(days=1) - instant, NOON + timedelta(days=1)]
    assert [period.is_active(now=now) for now in asked] == [False, True, True, False]


def test_what_is_unknown_is_not_no():
    assert {reason for reason in CreditReason if reason.is_unknown} == {
        CreditReason.LEARNER_STATE_UNKNOWN,
        CreditReason.CONTENT_PRICE_UNKNOWN,
        CreditReason.CATALOG_UNAVAILABLE,
        CreditReason.SUBSIDY_UNAVAILABLE,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"customer_uuid": UUID(int=9)},
        {"subsidy_uuid": UUID(int=9)},
        {"catalog_uuid": UUID(int=9)},
        {"access_method": AccessMethod.REQUEST},
        {"policy_type": PolicyType.PER_LEARNER_ENROLLMENT},
        {"display_name": "Team South"},
        {"is_active": False},
    ],
)
def test_what_makes_two_budgets_different(change):
    assert key(**change) != key()


@pytest.mark.parametrize(
    ("limit", "is_active", "problem"),
    [
        (None, True, None),
        (600, True, None),
        (601, True, SpendLimitProblem.ABOVE_DEPOSITS),
        (601, False, None),
        (100, True, None),
        (99, True, SpendLimitProblem.BELOW_USED),
        (99, False, SpendLimitProblem.BELOW_USED),
    ],
)
def test_spend_limits_of_an_account_never_exceed_its_deposits(limit, is_active, problem):
    bounds = SpendLimits(deposits_cents=1000, others_cents=400, used_cents=100)
    assert spend_limit_problem(spend_limit_cents=limit, is_active=is_active, bounds=bounds) == problem
