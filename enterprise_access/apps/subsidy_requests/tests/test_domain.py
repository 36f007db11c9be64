"""When a request is open, how lists show it, and which batches follow a refusal."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from attrs import frozen

from enterprise_access.apps.subsidy_requests.domain.enrolling import EnrollmentState, choose_one_each
from enterprise_access.apps.subsidy_requests.domain.granting import (
    Split,
    after_refusal,
    coupon_group,
    is_license_group,
    license_group,
)
from enterprise_access.apps.subsidy_requests.domain.requests import (
    LearnerRequestState,
    is_open,
    learner_request_state,
    open_key,
)
from enterprise_access.apps.subsidy_requests.domain.states import (
    RequestAction,
    RequestOutcome,
    RequestState,
    SubsidyType,
    request_transition,
)


def key(**about: Any) -> str:
    usual: dict[str, Any] = {
        "subsidy_type": SubsidyType.COUPON,
        "customer_uuid": UUID(int=1),
        "lms_user_id": 7,
        "course_id_folded": "a",
    }
    return open_key(**{**usual, **about})


def test_the_key_of_a_request_is_the_one_that_is_stored():
    """For licenses the course does not count: a learner holds one license of a customer."""
    for kind, course in ((SubsidyType.COUPON, "a"), (SubsidyType.LICENSE, "")):
        stored = sha256(f"{kind.value}|{UUID(int=1)}|7|{course}".encode()).hexdigest()
        assert key(subsidy_type=kind) == stored


def test_two_requests_are_for_the_same_where_kind_customer_learner_and_course_are():
    assert key() == key()
    assert key().isalnum()
    assert len(key()) == 64
    others = [
        key(subsidy_type=SubsidyType.LEARNER_CREDIT),
        key(customer_uuid=UUID(int=2)),
        key(lms_user_id=8),
        key(course_id_folded="b"),
    ]
    assert len({key(), *others}) == 5


def test_a_learner_has_one_open_request_for_a_license_whatever_the_course():
    licenses = {key(subsidy_type=SubsidyType.LICENSE, course_id_folded=course) for course in ("", "a", "b")}
    assert len(licenses) == 1


@pytest.mark.parametrize("state", RequestState)
def test_what_is_undecided_is_open_and_approved_credit_is_too(state):
    undecided = state in (RequestState.REQUESTED, RequestState.PENDING, RequestState.ERROR)
    assert is_open(subsidy_type=SubsidyType.LICENSE, state=state) is undecided
    is_open_credit = undecided or state is RequestState.APPROVED
    assert is_open(subsidy_type=SubsidyType.LEARNER_CREDIT, state=state) is is_open_credit


@pytest.mark.parametrize("state", RequestState)
def test_a_failure_shows_while_the_request_can_still_be_decided(state):
    can_be = state in (RequestState.REQUESTED, RequestState.APPROVED)
    fails_anyway = state is RequestState.ERROR
    assert (learner_request_state(state, error_reason="x") is LearnerRequestState.FAILED) is (can_be or fails_anyway)
    assert (learner_request_state(state, error_reason="") is LearnerRequestState.FAILED) is fails_anyway


def test_what_is_granted_waits_for_its_learner():
    assert learner_request_state(RequestState.PENDING, error_reason="") is LearnerRequestState.WAITING
    assert learner_request_state(RequestState.FULFILLED, error_reason="") is LearnerRequestState.ACCEPTED


@pytest.mark.parametrize("kind", SubsidyType)
def test_doing_again_what_was_done_is_no_refusal(kind):
    done = request_transition(subsidy_type=kind, state=RequestState.APPROVED, action=RequestAction.APPROVE)
    assert (done.outcome, done.state) == (RequestOutcome.NO_CHANGE, RequestState.APPROVED)
    again = request_transition(subsidy_type=kind, state=RequestState.DECLINED, action=RequestAction.DECLINE)
    is_credit = kind is SubsidyType.LEARNER_CREDIT
    assert again.outcome is (RequestOutcome.REFUSED if is_credit else RequestOutcome.NO_CHANGE)


@pytest.mark.parametrize(
    ("kind", "state"),
    [(SubsidyType.LEARNER_CREDIT, RequestState.APPROVED), (SubsidyType.LICENSE, RequestState.PENDING)],
)
def test_learner_credit_is_approved_at_once_and_a_license_is_granted_first(kind, state):
    done = request_transition(subsidy_type=kind, state=RequestState.REQUESTED, action=RequestAction.APPROVE)
    assert (done.outcome, done.state) == (RequestOutcome.DONE, state)


def test_requests_are_grouped_by_what_they_wait_for():
    assert license_group(UUID(int=1)) == "license 00000000-0000-0000-0000-000000000001"
    assert coupon_group(5) == "coupon 5"
    assert is_license_group(license_group(UUID(int=1)))
    assert not is_license_group(coupon_group(5))


@pytest.mark.parametrize(
    ("batch", "unassigned", "split"),
    [
        ("abc", 2, Split(batches=["ab"], left_out="c")),
        ("abc", 0, Split(batches=[], left_out="abc")),
        ("abc", 3, Split(batches=["a", "bc"])),
        ("abcd", None, Split(batches=["ab", "cd"])),
        ("a", None, Split(left_out="a")),
        ("a", 1, Split(left_out="a")),
    ],
)
def test_after_a_refusal_the_first_get_what_there_is_or_the_cause_is_found_by_halving(batch, unassigned, split):
    assert after_refusal(batch, unassigned=unassigned) == split


@frozen
class Approved:
    name: str
    lms_user_id: int


def test_of_what_is_approved_together_each_learners_oldest_request_is_chosen():
    one, two, three, four = Approved("a", 1), Approved("b", 2), Approved("c", 1), Approved("d", 2)
    assert choose_one_each([one, two, three, four]) == ([one, two], [three, four])
    assert choose_one_each([two, one]) == ([two, one], [])
    assert choose_one_each([]) == ([], [])


def test_two_requests_that_look_the_same_are_two():
    assert choose_one_each([Approved("a", 1), Approved("a", 1)]) == ([Approved("a", 1)], [Approved("a", 1)])


def test_which_enrollments_are_over():
    assert [state for state in EnrollmentState if state.is_over] == ["enrolled", "not_enrolled"]
