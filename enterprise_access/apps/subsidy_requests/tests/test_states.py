"""Requests: what is settled stays settled, and what changes nothing says so."""

import pytest

from enterprise_access.apps.subsidy_requests.domain.states import (
    RequestAction,
    RequestOutcome,
    RequestState,
    SubsidyType,
    request_transition,
)

ALL = [(kind, state, action) for kind in SubsidyType for state in RequestState for action in RequestAction]


def test_a_state_changes_exactly_when_the_action_is_done():
    for kind, state, action in ALL:
        done = request_transition(subsidy_type=kind, state=state, action=action)
        assert (done.outcome is RequestOutcome.DONE) == (done.state is not state), (kind, state, action)


@pytest.mark.parametrize("state", RequestState)
def test_learner_credit_is_never_pending(state):
    for action in RequestAction:
        done = request_transition(subsidy_type=SubsidyType.LEARNER_CREDIT, state=state, action=action)
        assert done.state is not RequestState.PENDING or state is RequestState.PENDING


@pytest.mark.parametrize("kind", SubsidyType)
def test_a_declined_request_is_never_approved(kind):
    done = request_transition(subsidy_type=kind, state=RequestState.DECLINED, action=RequestAction.APPROVE)
    assert done.outcome is RequestOutcome.REFUSED
