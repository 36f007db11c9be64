"""An attempt whose outcome is unknown is never given up while money may have moved, and never charged twice."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.redemption.domain.settling import (
    Asked,
    Enrolled,
    LedgerCall,
    Look,
    Next,
    is_success,
    redeem_next,
)
from enterprise_access.apps.redemption.domain.transactions import Transaction
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.ledger import RUNNING, TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

ASKED = Asked(lms_user_id=7, run_key="course-v1:A+B+C", idempotency_key="K")

transactions = st.builds(
    Transaction,
    uuid=st.uuids(),
    lms_user_id=st.sampled_from([7, 8, None]),
    content_key=st.sampled_from(["course-v1:A+B+C", "course-v1:a+b+c", "course-v1:A+B+D", None]),
    state=st.sampled_from(TransactionState),
    reversal_state=st.sampled_from([None, "pending", "committed"]),
    idempotency_key=st.sampled_from(["K", "OTHER", None]),
)
looks = st.none() | st.builds(
    Look,
    transactions=st.none() | st.lists(transactions, max_size=4),
    enrolled=st.sampled_from(Enrolled),
    is_running_past_lms_limit=st.booleans(),
)
calls = st.builds(
    LedgerCall,
    status=st.sampled_from([None, 200, 201, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503]),
    code=st.sampled_from(
        [
            None,
            "new_code",
            "fulfillment_error",
            "enrollment_error",
            "content_not_found",
            "invalid_requested_price",
            "transaction_creation_error",
            "inactive_subsidy_creation_error",
        ]
    ),
    transaction=st.none() | transactions,
)


def ours(look: Look | None) -> list[Transaction]:
    listed = [] if look is None or look.transactions is None else look.transactions
    run = [one for one in listed if one.is_for(lms_user_id=7, run_key=ASKED.run_key)]
    return [one for one in run if one.idempotency_key == "K"]


@given(call=calls, look=looks, calls_left=st.integers(0, 4))
def test_money_is_given_back_or_spent_only_when_the_attempt_ends(call, look, calls_left):
    step = redeem_next(asked=ASKED, call=call, look=look, calls_left=calls_left)
    if step.next in (Next.COMMITTED, Next.REFUSED):
        assert step.reservation is not ReservationState.HELD
    else:
        assert step.reservation is ReservationState.HELD
    assert (step.next is Next.REFUSED) == (step.reason is not None)


@given(call=calls, look=looks, calls_left=st.integers(0, 4))
def test_nothing_is_refused_while_our_transaction_runs_or_is_committed(call, look, calls_left):
    step = redeem_next(asked=ASKED, call=call, look=look, calls_left=calls_left)
    if any(one.state in RUNNING or one.state is TransactionState.COMMITTED for one in ours(look)):
        assert step.next is not Next.REFUSED


@given(call=calls, look=looks)
def test_no_call_is_made_without_a_try(call, look):
    assert redeem_next(asked=ASKED, call=call, look=look, calls_left=0).next is not Next.SAME_KEY


@given(call=calls, look=looks, calls_left=st.integers(0, 4))
def test_a_running_transaction_of_another_key_is_never_joined_by_a_second_charge(call, look, calls_left):
    step = redeem_next(asked=ASKED, call=call, look=look, calls_left=calls_left)
    others = [] if look is None else [one for one in look.transactions or () if one not in ours(look)]
    running = any(one.is_running and one.is_for(lms_user_id=7, run_key=ASKED.run_key) for one in others)
    if running and not ours(look) and call.status not in (401, 403, 404, 429):
        assert step.next is not Next.SAME_KEY


@given(call=calls)
def test_success_names_the_learner_and_the_run(call):
    if is_success(asked=ASKED, call=call):
        assert call.transaction.lms_user_id == 7
        assert call.transaction.content_key.lower() == "course-v1:a+b+c"
        assert call.transaction.reversal_state is None


def test_a_success_of_another_key_waits_while_ours_still_runs():
    paid = Transaction(
        uuid=UUID(int=1),
        lms_user_id=7,
        content_key=ASKED.run_key,
        state=TransactionState.COMMITTED,
        idempotency_key="OTHER",
    )
    running = Transaction(
        uuid=UUID(int=2),
        lms_user_id=7,
        content_key=ASKED.run_key,
        state=TransactionState.PENDING,
        idempotency_key="K",
    )
    look = Look(transactions=[paid, running], enrolled=Enrolled.NO, is_running_past_lms_limit=False)
    call = LedgerCall(status=200, transaction=paid)
    assert redeem_next(asked=ASKED, call=call, look=look, calls_left=3).next is Next.WAIT


def test_a_definite_refusal_of_a_repeat_is_believed_only_after_a_look():
    call = LedgerCall(status=422, code="content_not_found")
    assert redeem_next(asked=ASKED, call=call, look=None, calls_left=4).next is Next.REFUSED
    assert redeem_next(asked=ASKED, call=call, look=None, calls_left=3).next is Next.LOOK
    nothing = Look(transactions=[], enrolled=Enrolled.NO, is_running_past_lms_limit=False)
    assert redeem_next(asked=ASKED, call=call, look=nothing, calls_left=3).next is Next.REFUSED


def test_a_look_that_could_not_list_anything_proves_no_refusal():
    call = LedgerCall(status=422, code="content_not_found")
    unread = Look(transactions=None, enrolled=Enrolled.NO, is_running_past_lms_limit=False)
    assert redeem_next(asked=ASKED, call=call, look=unread, calls_left=4).next is Next.WAIT


def test_a_transaction_beside_an_error_is_no_success():
    paid = Transaction(
        uuid=UUID(int=1),
        lms_user_id=7,
        content_key=ASKED.run_key,
        state=TransactionState.COMMITTED,
        idempotency_key="K",
    )
    assert is_success(asked=ASKED, call=LedgerCall(status=200, transaction=paid))
    assert not is_success(asked=ASKED, call=LedgerCall(status=500, transaction=paid))
    assert not is_success(asked=ASKED, call=LedgerCall(status=200))


def test_the_last_call_that_is_left_is_made():
    busy = LedgerCall(status=429)
    assert redeem_next(asked=ASKED, call=busy, look=None, calls_left=1).next is Next.SAME_KEY
    assert redeem_next(asked=ASKED, call=busy, look=None, calls_left=0).next is Next.DEAD


def test_what_another_key_has_paid_is_not_paid_again():
    paid = Transaction(
        uuid=UUID(int=1),
        lms_user_id=7,
        content_key=ASKED.run_key,
        state=TransactionState.COMMITTED,
        idempotency_key="OTHER",
    )
    look = Look(transactions=[paid], enrolled=Enrolled.UNKNOWN, is_running_past_lms_limit=False)
    step = redeem_next(asked=ASKED, call=LedgerCall(status=None), look=look, calls_left=3)
    assert (step.next, step.reservation) == (Next.COMMITTED, ReservationState.RELEASED)


def listed(state: TransactionState, key: str, run_key: str = ASKED.run_key) -> Look:
    one = Transaction(uuid=UUID(int=1), lms_user_id=7, content_key=run_key, state=state, idempotency_key=key)
    return Look(transactions=[one], enrolled=Enrolled.NO, is_running_past_lms_limit=False)


@pytest.mark.parametrize(
    ("look", "then", "reservation"),
    [
        (listed(TransactionState.PENDING, "K"), Next.WAIT, ReservationState.HELD),
        (listed(TransactionState.COMMITTED, "K"), Next.COMMITTED, ReservationState.SPENT),
        (listed(TransactionState.COMMITTED, "OTHER"), Next.COMMITTED, ReservationState.RELEASED),
        (listed(TransactionState.PENDING, "OTHER"), Next.WAIT, ReservationState.HELD),
    ],
)
def test_a_definite_refusal_of_a_repeat_does_not_count_beside_a_transaction_that_may_pay(look, then, reservation):
    call = LedgerCall(status=422, code="content_not_found")
    step = redeem_next(asked=ASKED, call=call, look=look, calls_left=3)
    assert (step.next, step.reservation) == (then, reservation)


def test_a_definite_refusal_keeps_its_reason():
    call = LedgerCall(status=422, code="content_not_found")
    for look, calls_left in (
        (None, 4),
        (Look(transactions=[], enrolled=Enrolled.NO, is_running_past_lms_limit=False), 3),
    ):
        step = redeem_next(asked=ASKED, call=call, look=look, calls_left=calls_left)
        assert step.reason is CreditReason.CONTENT_NOT_IN_CATALOG


def test_a_code_of_a_refusal_in_an_answer_that_is_none_refuses_nothing():
    call = LedgerCall(status=500, code="content_not_found")
    assert redeem_next(asked=ASKED, call=call, look=None, calls_left=4).next is Next.LOOK


def test_what_is_paid_for_another_run_does_not_pay_for_this_one():
    look = listed(TransactionState.COMMITTED, "OTHER", run_key="course-v1:A+B+D")
    step = redeem_next(asked=ASKED, call=LedgerCall(status=None), look=look, calls_left=3)
    assert step.next is Next.SAME_KEY
