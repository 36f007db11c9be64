"""What always holds for learner credit, whatever happened on a day ([M1] to [M7] of the tests' names)."""

from collections import Counter

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.tests.credit_day import LEARNERS, RUNS, Day
from enterprise_access.apps.redemption.tests.ledgers import assert_totals_agree, is_enrolled, transactions
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Reservation
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from simulator.ledger_rows import LedgerTransaction, TransactionState

OF_MONEY = {
    CreditReason.NOT_ENOUGH_VALUE,
    CreditReason.POLICY_SPEND_LIMIT,
    CreditReason.LEARNER_SPEND_LIMIT,
    CreditReason.LEARNER_ENROLLMENT_LIMIT,
}


def check_always(day: Day) -> None:
    """Check what holds after every step."""
    attempts = {str(attempt.pk): attempt for attempt in RedemptionAttempt.objects.all()}
    rows = [row for row in transactions(day.world) if row.idempotency_key in attempts]
    never_over(day)
    never_twice(rows)
    # [M3], as far as our own rows go.
    assert_totals_agree()
    nothing_hangs(attempts)
    promises_stand()
    only_as_asked(attempts, rows)


def never_over(day: Day) -> None:
    """[M1] What is promised never exceeds the limit. (What other tools spend can.)"""
    for policy in day.budgets:
        totals = PolicyTotals.objects.filter(policy=policy).first()
        if totals is not None and policy.spend_limit is not None:
            assert totals.held + totals.allocated <= policy.spend_limit, "promised more than the limit"


def never_twice(rows: list[LedgerTransaction]) -> None:
    """[M2] One open attempt, and one transaction of ours that pays, for a learner and run, or an assignment."""
    paying = Counter((row.lms_user_id, row.content_key) for row in rows if pays(row))
    assert set(paying.values()) <= {1}, f"paid twice: {paying}"
    open_attempts = RedemptionAttempt.objects.open().values_list("lms_user_id", "content_key_folded")
    assert set(Counter(open_attempts).values()) <= {1}, "two open attempts"
    assigned = RedemptionAttempt.objects.open().exclude(assignment_uuid=None).values_list("assignment_uuid", flat=True)
    assert set(Counter(assigned).values()) <= {1}, "two open attempts of one assignment"


def pays(row: LedgerTransaction) -> bool:
    return row.state is TransactionState.COMMITTED and not row.is_reversed


def nothing_hangs(attempts: dict[str, RedemptionAttempt]) -> None:
    """[M4] What is open is due some time, or visibly dead; and only what is open holds money."""
    for attempt in attempts.values():
        if attempt.open_for is not None:
            is_seen = attempt.due_at or attempt.state == AttemptState.DEAD.value or attempt.failed_at
            assert is_seen, f"an attempt hangs: {attempt.state}"
    held = Reservation.objects.filter(state="held", kind="redemption").values_list("attempt_uuid", flat=True)
    holding = {str(pk) for pk in held}
    open_ones = {key for key, attempt in attempts.items() if attempt.open_for is not None}
    assert holding <= open_ones, "money is held for an attempt that ended"


def promises_stand() -> None:
    """[M6] Money stays put aside for every assignment that stands."""
    for row in LearnerContentAssignment.objects.filter(state="allocated"):
        (promise,) = Reservation.objects.filter(open_assignment_uuid=row.pk)
        assert (promise.state, promise.amount) == ("held", row.price_cents), "an assignment without money"
    for state, assigned in (("approved", "allocated"), ("accepted", "accepted")):
        of_requests = SubsidyRequest.objects.filter(state=state).values_list("assignment_uuid", flat=True)
        rows = LearnerContentAssignment.objects.filter(pk__in=of_requests, state=assigned)
        assert rows.count() == len(of_requests), f"a request is {state}, and its assignment is not {assigned}"
    refused = RedemptionAttempt.objects.filter(assignment_uuid__isnull=False, calls=0)
    assert not OF_MONEY & set(refused.values_list("reason", flat=True)), "an assignment was refused for lack of money"


def only_as_asked(attempts: dict[str, RedemptionAttempt], rows: list[LedgerTransaction]) -> None:
    """[M7] What the ledger wrote under our key is for the learner, the run and the budget of the attempt."""
    for row in rows:
        attempt = attempts[row.idempotency_key]
        asked = (attempt.lms_user_id, attempt.content_key, attempt.policy_id)
        assert (row.lms_user_id, row.content_key, row.policy_uuid) == asked, "redeemed otherwise than asked"


def check_settled(day: Day) -> None:
    """Check what holds when everything has settled and one reconciliation has run."""
    assert not RedemptionAttempt.objects.open().exists()
    assert_totals_agree()
    rows = [row for row in transactions(day.world) if row.state is TransactionState.COMMITTED]
    for policy in day.budgets:
        # [M3] with the ledger.
        totals = PolicyTotals.objects.filter(policy=policy).first()
        spent = sum(-row.quantity for row in rows if row.policy_uuid == policy.pk and not row.is_reversed)
        assert ((totals.held, totals.spent) if totals else (0, 0)) == (0, spent)
    paid_means_enrolled(day, rows)
    accepted_means_paid(rows)


def accepted_means_paid(rows: list[LedgerTransaction]) -> None:
    """[M3] Each accepted assignment has a transaction that pays, each its own."""
    paying = {row.uuid for row in rows if pays(row)}
    paid_by = list(LearnerContentAssignment.objects.filter(state="accepted").values_list("transaction_uuid", flat=True))
    assert len(set(paid_by)) == len(paid_by), "one transaction pays for two assignments"
    assert set(paid_by) <= paying, "an assignment is accepted, and its money is not spent"


def paid_means_enrolled(day: Day, rows: list[LedgerTransaction]) -> None:
    """[M5] Who is charged by us is enrolled, and who is enrolled was charged, or staff decided."""
    by_key = {row.idempotency_key: row for row in rows}
    for attempt in RedemptionAttempt.objects.all():
        paid = by_key.get(str(attempt.pk))
        assert (paid is not None) <= (attempt.state == AttemptState.COMMITTED.value), attempt.state
        if paid is not None and not paid.is_reversed and attempt.lms_user_id:
            assert is_enrolled(day.world, LEARNERS[attempt.lms_user_id], attempt.content_key)
    charged = {(row.lms_user_id, row.content_key) for row in rows}
    for learner, name in LEARNERS.items():
        for run in RUNS:
            is_known = (learner, run) in charged | day.given_away
            assert is_known or not is_enrolled(day.world, name, run), f"{name} is enrolled in {run} and was not charged"
