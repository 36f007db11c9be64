"""The order in which budgets and assignments pay, where only the last of its criteria decides."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.redemption.domain.assignments import Assignment, PayingAssignment, paying_assignment
from enterprise_access.apps.redemption.domain.choosing import Choice, PolicyAnswer, choose_policy
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
RUN, COURSE = "course-v1:A+B+C", "A+B"


def answer(number: int, **facts: Any) -> PolicyAnswer:
    usual = {
        "assignment_pays": False,
        "reason": None,
        "expiration": None,
        "policy_available_cents": None,
        "subsidy_available_cents": None,
    }
    return PolicyAnswer(uuid=UUID(int=number), **{**usual, **facts})


def test_a_budget_of_which_no_rest_is_known_comes_after_one_with_a_rest():
    answers = [answer(1), answer(2, subsidy_available_cents=10**9)]
    assert choose_policy(answers).policy_uuid == UUID(int=2)
    assert choose_policy([answer(3), answer(1)]).policy_uuid == UUID(int=1)


def test_without_any_budget_there_is_no_reason_either():
    assert choose_policy([]) == Choice()


def assignment(number: int, state: AssignmentState, minutes: int = 0, **facts: Any) -> Assignment:
    return Assignment(
        uuid=UUID(int=number),
        content_key=COURSE,
        is_assigned_course_run=False,
        state=state,
        allocated_at=NOON + timedelta(minutes=minutes),
        **facts,
    )


def paying(*assignments: Assignment) -> PayingAssignment:
    return paying_assignment(run_key=RUN, course_key=COURSE, assignments=assignments)


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (AssignmentState.EXPIRED, CreditReason.ASSIGNMENT_EXPIRED),
        (AssignmentState.CANCELLED, CreditReason.ASSIGNMENT_CANCELLED),
    ],
)
def test_the_assignment_that_was_allocated_last_says_why_none_pays(last, reason):
    others = [assignment(1, AssignmentState.REVERSED, 1), assignment(3, AssignmentState.ERRORED, 0)]
    assert paying(*others, assignment(2, last, 2)).reason is reason


def test_of_assignments_that_were_allocated_simultaneously_the_same_one_counts_always():
    rows = [assignment(number, AssignmentState.ALLOCATED) for number in (2, 1, 3)]
    assert {paying(*rows).assignment, paying(*reversed(rows)).assignment} == {rows[1]}
    ended = [assignment(2, AssignmentState.EXPIRED), assignment(1, AssignmentState.CANCELLED)]
    assert {paying(*ended).reason, paying(*reversed(ended)).reason} == {CreditReason.ASSIGNMENT_CANCELLED}


def test_an_assignment_that_is_being_redeemed_for_another_run_pays_for_no_second_one():
    busy = assignment(1, AssignmentState.ALLOCATED, is_being_redeemed=True)
    free, ended = assignment(2, AssignmentState.ALLOCATED, 1), assignment(3, AssignmentState.EXPIRED, 2)
    assert paying(busy, free, ended).assignment == free
    assert paying(busy, ended) == PayingAssignment(reason=CreditReason.REDEMPTION_IN_PROGRESS)
    of_run = evolve(busy, content_key=RUN, is_assigned_course_run=True)
    assert paying(of_run, free).assignment == free
    assert paying(of_run, ended) == PayingAssignment(reason=CreditReason.REDEMPTION_IN_PROGRESS)
    assert paying(evolve(busy, content_key="edX+Other"), ended).reason is CreditReason.ASSIGNMENT_EXPIRED
