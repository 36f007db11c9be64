"""Assignments keep their promise: money is held exactly while they are allocated."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.content_assignments.domain.bulk import BulkAction, BulkOutcome, BulkRow, bulk
from enterprise_access.apps.content_assignments.domain.showing import Action, LearnerState, learner_state, recent_action
from enterprise_access.apps.content_assignments.domain.states import (
    ActionOutcome,
    AssignmentAction,
    AssignmentState,
    MoneyMove,
    transition,
)


@given(actions=st.lists(st.tuples(st.sampled_from(AssignmentAction), st.booleans()), max_size=20))
def test_money_is_held_exactly_while_allocated(actions):
    state, held, spent = AssignmentState.ALLOCATED, True, False
    for action, is_open in actions:
        done = transition(state=state, action=action, is_attempt_open=is_open)
        if done.outcome is not ActionOutcome.DONE:
            assert (done.state, done.money) == (state, MoneyMove.NONE)
            continue
        state = done.state
        if done.money is MoneyMove.HOLD:
            held, spent = True, False
        if done.money is MoneyMove.SPEND:
            held, spent = False, True
        if done.money is MoneyMove.RELEASE:
            held, spent = False, False
        assert held == (state is AssignmentState.ALLOCATED)
        assert spent == (state is AssignmentState.ACCEPTED)


def row(number: int, state: AssignmentState, *, is_open: bool = False) -> BulkRow:
    return BulkRow(
        uuid=UUID(int=number),
        configuration="C1",
        state=state,
        learner_state=LearnerState.WAITING if state is AssignmentState.ALLOCATED else None,
        is_attempt_open=is_open,
    )


rows = st.lists(st.tuples(st.sampled_from(AssignmentState), st.booleans()), min_size=1, max_size=6).map(
    lambda drawn: [row(number, state, is_open=is_open) for number, (state, is_open) in enumerate(drawn)]
)


@given(rows=rows, action=st.sampled_from(BulkAction))
def test_a_call_does_all_of_it_or_nothing(rows, action):
    uuids = None if action.value.endswith("-all") else [one.uuid for one in rows]
    done = bulk(action=action, configuration="C1", uuids=uuids, filters={}, rows=rows)
    assert not (done.changed and done.refused)
    assert bool(done.refused) == (done.outcome is BulkOutcome.REFUSED)


@pytest.mark.parametrize(
    ("filters", "outcome"),
    [
        ({}, BulkOutcome.DONE),
        ({"search": "x", "ordering": "-recent_action_time", "page": "1", "page_size": "5"}, BulkOutcome.DONE),
        ({"learner_state__in": "waiting,failed"}, BulkOutcome.DONE),
        ({"learner_state__in": ""}, BulkOutcome.DONE),
        ({"learner_state__in": ",".join(LearnerState)}, BulkOutcome.DONE),
        ({"state": "errored"}, BulkOutcome.NOT_FOUND),
        ({"search": "x", "state": "errored"}, BulkOutcome.NOT_FOUND),
        ({"state": "allocated,errored"}, BulkOutcome.INVALID),
        ({"state": "nonsense"}, BulkOutcome.INVALID),
        ({"learner_state__in": "waiting,nonsense"}, BulkOutcome.INVALID),
        ({"serach": "x"}, BulkOutcome.INVALID),
        ({"learner_state__contains": "x"}, BulkOutcome.INVALID),
    ],
)
def test_a_filter_that_is_not_understood_changes_nothing(filters, outcome):
    rows = [row(1, AssignmentState.ALLOCATED)]
    done = bulk(action=BulkAction.CANCEL_ALL, configuration="C1", uuids=None, filters=filters, rows=rows)
    assert done.outcome is outcome
    assert bool(done.changed) == (outcome is BulkOutcome.DONE)


@pytest.mark.parametrize("action", [BulkAction.REMIND, BulkAction.REMIND_ALL])
def test_a_learner_is_reminded_of_what_is_allocated_even_while_it_is_being_redeemed(action):
    open_row = row(1, AssignmentState.ALLOCATED, is_open=True)
    uuids = [open_row.uuid] if action is BulkAction.REMIND else None
    done = bulk(action=action, configuration="C1", uuids=uuids, filters={}, rows=[open_row])
    assert (done.outcome, done.changed) == (BulkOutcome.DONE, (open_row.uuid,))


def test_reminding_of_what_has_failed_is_refused():
    failed = row(1, AssignmentState.ERRORED)
    done = bulk(action=BulkAction.REMIND, configuration="C1", uuids=[failed.uuid], filters={}, rows=[failed])
    assert (done.outcome, done.refused) == (BulkOutcome.REFUSED, (failed.uuid,))


@pytest.mark.parametrize(("seconds", "shown"), [(0, "assigned"), (1, "reminded")])
def test_a_reminder_shows_only_after_the_allocation(seconds, shown):
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    sent = noon + timedelta(seconds=seconds)
    reminder = Action(action_type="reminded", created=noon, completed_at=sent, error_reason=None)
    recent = recent_action(allocated_at=noon, actions=[reminder])
    assert (recent.action_type, recent.timestamp) == (shown, sent)


@pytest.mark.parametrize(("error", "state"), [("email_in_use", LearnerState.FAILED), (None, LearnerState.WAITING)])
def test_a_link_that_failed_counts_more_than_a_mail_that_was_sent(error, state):
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    actions = [
        Action(action_type="notified", created=noon, completed_at=noon, error_reason=None),
        Action(action_type="learner_linked", created=noon, completed_at=None, error_reason=error),
    ]
    assert learner_state(state=AssignmentState.ALLOCATED, allocated_at=noon, actions=actions) is state


def test_the_last_try_to_link_counts():
    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    tries = [
        Action(action_type="learner_linked", created=noon, completed_at=None, error_reason="email_in_use"),
        Action(action_type="learner_linked", created=noon + timedelta(hours=1), completed_at=noon, error_reason=None),
    ]
    for actions in (tries, tries[::-1]):
        state = learner_state(state=AssignmentState.ALLOCATED, allocated_at=noon, actions=actions)
        assert state is LearnerState.NOTIFYING
