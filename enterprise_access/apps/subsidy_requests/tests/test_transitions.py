"""The tables keep to the rules: every state and action, open keys, and what a change of the type does."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from enterprise_access.apps.subsidy_requests.domain.requests import is_open
from enterprise_access.apps.subsidy_requests.domain.states import (
    RequestAction,
    RequestOutcome,
    RequestState,
    SubsidyType,
    request_transition,
)
from enterprise_access.apps.subsidy_requests.errors import (
    ConfigurationInvalid,
    ConfigurationUnknown,
    RequestStateRefused,
    RequestUnknown,
)
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.configurations import TYPE_CHANGED, change_configuration
from enterprise_access.apps.subsidy_requests.services.people import forget_learner
from enterprise_access.apps.subsidy_requests.services.reviewing import decline
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests, move
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    AMY,
    BEN,
    COUPON,
    CREDIT,
    HAL,
    LICENSE,
    LINUX,
    made,
    review,
    states,
    story,
    takes,
)
from enterprise_access.lib import clock
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


def _possible(kind: SubsidyType, state: RequestState) -> bool:
    return kind is not CREDIT or state is not RequestState.PENDING


STATES = [(kind, state) for kind in SubsidyType for state in RequestState if _possible(kind, state)]


@pytest.mark.parametrize(("kind", "state"), STATES)
def test_a_stored_request_does_what_the_rules_say(kind, state):
    for action in RequestAction:
        row = made(kind=kind, state=state)
        _act(row, action)
        row.delete()


def _act(row, action):
    """Apply an action to a request, and check everything that it writes."""
    state = row.state
    expected = request_transition(subsidy_type=row.kind, state=RequestState(state), action=action)
    again = {"open_key": row.own_open_key} if action is RequestAction.REQUEST_AGAIN else {}
    due = {"due_at": clock.now(), "work_group": "license x"} if expected.state is RequestState.PENDING else {}
    with transaction.atomic():
        rows = lock_requests(SubsidyRequest.objects.filter(pk=row.pk))
        if expected.outcome is RequestOutcome.REFUSED:
            with pytest.raises(RequestStateRefused) as refused:
                move(rows, action, now=clock.now(), **again, **due)
            assert refused.value.extra == {"requests": [{"uuid": str(row.pk), "state": state}]}
        else:
            changed = move(rows, action, now=clock.now(), actor_lms_user_id=AMY, **again, **due)
            assert bool(changed) is (expected.outcome is RequestOutcome.DONE)
    row.refresh_from_db()
    assert row.state == expected.state
    assert (row.open_key is not None) is is_open(subsidy_type=row.kind, state=expected.state)
    moved = expected.outcome is RequestOutcome.DONE
    assert story(row) == ([(expected.state.value, "")] if moved else [])
    assert row.history.count() == 1 + moved
    assert row.latest_action_type == expected.state.value


def test_one_refused_request_keeps_the_others_as_they_are():
    rows = [made(ADA), made(BEN, state=RequestState.FULFILLED), made(HAL)]
    with pytest.raises(RequestStateRefused):
        decline(review(*rows), subsidy_type=LICENSE, reason="")
    assert states(*rows) == ["requested", "fulfilled", "requested"]


def test_a_request_of_another_customer_or_kind_does_not_exist():
    mine = made(ADA)
    for other in (made(BEN, customer=GLOBEX), made(BEN, kind=COUPON)):
        with pytest.raises(RequestUnknown):
            decline(review(mine, other), subsidy_type=LICENSE, reason="")
    assert states(mine) == ["requested"]


@pytest.mark.parametrize(("kind", "is_same"), [(LICENSE, True), (COUPON, False), (CREDIT, False)])
def test_a_learner_has_one_open_request_for_the_same_thing(kind, is_same):
    made(kind=kind)
    with pytest.raises(IntegrityError), transaction.atomic():
        made(kind=kind)
    if is_same:
        with pytest.raises(IntegrityError), transaction.atomic():
            made(kind=kind, course_id=LINUX)
    else:
        made(kind=kind, course_id=LINUX)


def test_the_database_refuses_a_pending_request_without_a_due_time():
    row = made()
    with pytest.raises(IntegrityError), transaction.atomic():
        SubsidyRequest.objects.filter(pk=row.pk).update(state=RequestState.PENDING.value)


def test_a_new_type_declines_what_is_undecided_and_nothing_else():
    takes(LICENSE)
    now = clock.now()
    undecided = [
        made(ADA),
        made(BEN, state=RequestState.PENDING),
        made(HAL, state=RequestState.ERROR),
    ]
    kept = [
        made(1009, state=RequestState.PENDING, sent_at=now),
        made(1010, state=RequestState.APPROVED),
        made(ADA, kind=COUPON),
        made(ADA, customer=GLOBEX),
    ]
    before = states(*kept)
    change_configuration(customer_uuid=ACME, changes={"subsidy_type": "coupon"}, actor_lms_user_id=AMY, now=now)
    assert (states(*undecided), states(*kept)) == (["declined"] * 3, before)
    for row in undecided:
        row.refresh_from_db()
        assert (row.decline_reason, row.reviewer_lms_user_id, row.due_at) == (TYPE_CHANGED, AMY, None)


def test_switching_requests_off_and_on_decides_nothing():
    takes(LICENSE)
    row = made()
    for is_on in (False, True):
        changes = {"subsidy_requests_enabled": is_on}
        change_configuration(customer_uuid=ACME, changes=changes, actor_lms_user_id=AMY, now=clock.now())
    assert states(row) == ["requested"]


def test_a_type_in_use_is_not_taken_away():
    takes(LICENSE)
    with pytest.raises(ConfigurationInvalid):
        change_configuration(customer_uuid=ACME, changes={"subsidy_type": ""}, actor_lms_user_id=AMY, now=clock.now())
    with pytest.raises(ConfigurationUnknown):
        change_configuration(customer_uuid=uuid4(), changes={}, actor_lms_user_id=AMY, now=clock.now())


def test_a_retired_person_is_in_no_table():
    row, decided = made(ADA), made(BEN)
    decline(review(decided, reviewer_lms_user_id=ADA), subsidy_type=LICENSE, reason="")
    assert forget_learner(lms_user_id=ADA) == {"subsidy requests": 1, "history of subsidy requests": 2}
    assert not SubsidyRequest.objects.filter(pk=row.pk).exists()
    decided.refresh_from_db()
    assert decided.reviewer_lms_user_id is None
    assert not SubsidyRequest.history.filter(reviewer_lms_user_id=ADA).exists()
    assert not decided.actions.filter(actor_lms_user_id=ADA).exists()


def test_the_history_has_no_address():
    names = {column.name for column in SubsidyRequest.history.model._meta.get_fields()}
    assert not {"email", "email_folded"} & names
