"""Allocating: nobody twice, nothing by halves, no address that is none."""

from datetime import UTC, datetime, timedelta
from string import ascii_lowercase

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.content_assignments.domain.allocation import (
    Account,
    AllocationCase,
    AllocationOutcome,
    AllocationRequest,
    AssignmentRow,
    BudgetUse,
    RequestedContent,
    allocate,
)
from enterprise_access.apps.content_assignments.domain.emails import (
    MAX_EMAILS,
    fold_email,
    is_cleared,
    normalize_emails,
)
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.subsidy_access_policies.domain.policies import PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)

CASE = AllocationCase(
    budget=BudgetUse(
        policy_type=PolicyType.ASSIGNED,
        is_active=True,
        is_retired=False,
        late_redemption_allowed_until=None,
        spend_limit_cents=1000,
        used_cents=0,
    ),
    subsidy=Account(period=SubsidyPeriod(start=None, expiration=None), balance_cents=1000, promised_cents=0),
    content=RequestedContent(is_in_catalog=True, price_cents=100, enroll_by=None),
    request=AllocationRequest(learner_emails=["a@example.com"], content_key="A+B", content_price_cents=100),
    users={},
    rows=(),
)

addresses = st.sampled_from("abcdef").map(lambda name: f"{name}@example.com")
spelled = st.builds(lambda address, loud: address.upper() if loud else address, addresses, st.booleans())


@given(
    emails=st.lists(spelled, max_size=8),
    states=st.dictionaries(addresses, st.sampled_from(AssignmentState)),
    limit=st.none() | st.integers(0, 800),
)
def test_all_or_nothing_and_each_person_once(emails, states, limit):
    rows = [
        AssignmentRow(learner_email=email.title(), lms_user_id=None, content_key="a+b", state=state)
        for email, state in states.items()
    ]
    case = evolve(
        CASE,
        budget=evolve(CASE.budget, spend_limit_cents=limit),
        request=evolve(CASE.request, learner_emails=emails),
        rows=rows,
    )
    done = allocate(case, now=NOON)
    told = [*done.created, *done.updated, *done.no_change]
    if done.outcome is AllocationOutcome.DONE:
        assert sorted(told) == sorted({fold_email(email) for email in emails})
        assert done.newly_held_cents == 100 * (len(done.created) + len(done.updated))
        assert limit is None or not done.changes_rows or done.newly_held_cents <= limit
    else:
        assert told == []
        assert done.newly_held_cents == 0


def test_a_cleared_row_belongs_to_one_address_only():
    cleared = AssignmentRow(learner_email=None, lms_user_id=7, content_key="A+B", state=AssignmentState.EXPIRED)
    request = evolve(CASE.request, learner_emails=["a@example.com", "b@example.com"])
    case = evolve(CASE, rows=[cleared], users={"A@example.com": 7, "b@example.com": 7}, request=request)
    done = allocate(case, now=NOON)
    assert (done.updated, done.created) == (("a@example.com",), ("b@example.com",))


@pytest.mark.parametrize("key", [None, "", "  ", 5])
def test_content_without_a_key_is_invalid(key):
    case = evolve(CASE, request=evolve(CASE.request, content_key=key))
    assert allocate(case, now=NOON).outcome is AllocationOutcome.INVALID


@pytest.mark.parametrize("content", [None, RequestedContent(is_in_catalog=None, price_cents=100, enroll_by=None)])
def test_a_catalog_that_could_not_be_asked_is_unknown_and_not_no(content):
    assert allocate(evolve(CASE, content=content), now=NOON).reason is CreditReason.CATALOG_UNAVAILABLE


@pytest.mark.parametrize(
    "bad",
    ["", "a", "a@", "@example.com", "a@b", "a b@example.com", "a@example..com", ".a@example.com", "a.@example.com",
     "a@-example.com", "a@example.com, b@example.com", "a@example.com\nb", "a@1.2.3.4", "a@@example.com", None, 5,
     f"{'a' * 250}@example.com"],
)  # fmt: skip
def test_one_address_that_is_none_spoils_all(bad):
    assert normalize_emails(["good@example.com", bad]) is None


@pytest.mark.parametrize(
    "good", ["a+tag@example.com", "o'neil@sub.example.co.uk", "x_y-z@ex-ample.museum", "a@münchen.de", "1@example.com"]
)
def test_addresses_that_are_in_use_are_accepted(good):
    assert normalize_emails([f" {good} "]) == (good,)


def test_the_limit_counts_people_and_not_spellings():
    people = [
        f"{one}{other}{number}@example.com" for one in ascii_lowercase for other in ascii_lowercase for number in "12"
    ]
    allowed = people[:MAX_EMAILS]
    assert normalize_emails([*allowed, *(one.upper() for one in allowed)]) == tuple(allowed)
    assert normalize_emails(people[: MAX_EMAILS + 1]) is None
    assert normalize_emails("a@example.com") is None


def test_an_address_that_stands_for_a_cleared_one_is_known():
    assert is_cleared(" Somebody@Retired.INVALID ")
    assert not is_cleared("somebody@example.com")


@pytest.mark.parametrize("emails", [None, 5, {"a@example.com": 1}, {"a@example.com"}])
def test_only_a_list_is_a_list_of_addresses(emails):
    assert normalize_emails(emails) is None


def test_an_address_has_at_most_254_characters():
    longest = f"{'a' * (254 - len('@example.com'))}@example.com"
    assert normalize_emails([longest]) == (longest,)
    assert normalize_emails([f"a{longest}"]) is None


def test_an_assignment_of_another_course_is_another_one():
    other = AssignmentRow(
        learner_email="a@example.com", lms_user_id=None, content_key="X+Y", state=AssignmentState.ALLOCATED
    )
    assert allocate(evolve(CASE, rows=[other]), now=NOON).created == ("a@example.com",)


def test_late_redemption_lets_staff_assign_what_has_no_place_in_time_any_more():
    over = evolve(CASE.content, enroll_by=NOON - timedelta(days=1))
    assert allocate(evolve(CASE, content=over), now=NOON).reason is CreditReason.BEYOND_ENROLLMENT_DEADLINE
    late = evolve(CASE.budget, late_redemption_allowed_until=NOON + timedelta(days=1))
    assert allocate(evolve(CASE, content=over, budget=late), now=NOON).created == ("a@example.com",)


def test_an_assignment_with_an_address_is_not_that_of_another_address_of_its_account():
    kept = AssignmentRow(
        learner_email="b@example.com", lms_user_id=7, content_key="A+B", state=AssignmentState.ALLOCATED
    )
    done = allocate(evolve(CASE, rows=[kept], users={"a@example.com": 7}), now=NOON)
    assert done.created == ("a@example.com",)


def test_what_is_assigned_already_needs_no_money():
    row = AssignmentRow(
        learner_email="a@example.com", lms_user_id=None, content_key="A+B", state=AssignmentState.ALLOCATED
    )
    overdrawn = evolve(CASE.subsidy, balance_cents=0, promised_cents=100)
    done = allocate(evolve(CASE, rows=[row], subsidy=overdrawn), now=NOON)
    assert (done.outcome, done.no_change) == (AllocationOutcome.DONE, ("a@example.com",))
