"""No request is stuck: what has failed an admin approves again or declines, and what is pending is always due."""

import pytest
from django.db import IntegrityError, transaction

from enterprise_access.apps.subsidy_requests.domain.granting import GrantProblem
from enterprise_access.apps.subsidy_requests.domain.requests import OPEN_STATES
from enterprise_access.apps.subsidy_requests.domain.states import (
    RequestAction,
    RequestState,
    SubsidyType,
    request_transition,
)
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.tests.made import (
    COUPON,
    CREDIT,
    HAL,
    LICENSE,
    made,
    make_asked_budget,
    states,
)
from simulator.seed import ACME, ACME_ANNUAL

BY_ADMINS = (RequestAction.APPROVE, RequestAction.DECLINE, RequestAction.CANCELLED)
BY_WORKERS = (RequestAction.GRANTED, RequestAction.GRANT_FAILED)


def _open_states():
    return [
        (kind, state)
        for kind, states in OPEN_STATES.items()
        for state in sorted(states)
        if kind is not CREDIT or state is not RequestState.PENDING
    ]


@pytest.mark.parametrize(("kind", "state"), _open_states())
def test_every_open_state_has_a_way_out(kind, state):
    """Of what is pending a worker finds one within a day; of everything else an admin does."""
    actions = BY_WORKERS if state is RequestState.PENDING else BY_ADMINS
    reached = {request_transition(subsidy_type=kind, state=state, action=action).state for action in actions} - {state}
    assert reached
    if state is RequestState.ERROR:
        approved = RequestState.APPROVED if kind is CREDIT else RequestState.PENDING
        assert reached == {RequestState.DECLINED, approved}


PATHS = {LICENSE: "license-requests", COUPON: "coupon-code-requests", CREDIT: "learner-credit-requests"}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", SubsidyType)
def test_what_has_failed_can_be_approved_again_and_declined(world, api_as, kind):
    about = {"policy_uuid": make_asked_budget().pk} if kind is CREDIT else {}
    row = made(HAL, kind=kind, state=RequestState.ERROR, error_reason=GrantProblem.UNEXPECTED.value, **about)
    body = {"enterprise_customer_uuid": str(ACME)}
    approving = {
        LICENSE: {"subsidy_request_uuids": [str(row.pk)], "subscription_plan_uuid": str(ACME_ANNUAL)},
        COUPON: {"subsidy_request_uuids": [str(row.pk)], "coupon_id": 7},
        CREDIT: {"learner_credit_request_uuids": [str(row.pk)], "policy_uuid": str(row.policy_uuid)},
    }[kind]
    declining = {"subsidy_request_uuid": str(row.pk)} if kind is CREDIT else {"subsidy_request_uuids": [str(row.pk)]}
    call = lambda verb, more: api_as("amy_admin").post(f"/api/v1/{PATHS[kind]}/{verb}/", body | more, format="json")  # noqa: E731
    with transaction.atomic():
        undone = transaction.savepoint()
        assert call("decline", declining).status_code == 200
        assert states(row) == ["declined"]
        transaction.savepoint_rollback(undone)
    assert call("approve", approving).status_code == 200
    assert states(row) == ["approved" if kind is CREDIT else "pending"]


@pytest.mark.django_db
@pytest.mark.parametrize("missing", [{"due_at": None}, {"work_group": ""}], ids=str)
@pytest.mark.parametrize("kind", [LICENSE, COUPON])
def test_a_pending_request_never_loses_its_due_time(kind, missing):
    row = made(HAL, kind=kind, state=RequestState.PENDING)
    with pytest.raises(IntegrityError), transaction.atomic():
        SubsidyRequest.objects.filter(pk=row.pk).update(**missing)
