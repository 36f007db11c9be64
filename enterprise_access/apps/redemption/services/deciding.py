"""Staff decide about attempts that need attention, with what the ledger and the platform say."""

from uuid import UUID

from attrs import frozen

from enterprise_access.apps.redemption.domain.settling import Enrolled
from enterprise_access.apps.redemption.domain.transactions import AttemptState, Transaction
from enterprise_access.apps.redemption.errors import AttemptNotDead, EvidenceAgainst, RedemptionAttemptUnknown
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services import recording
from enterprise_access.apps.redemption.services.ledger import list_run, news_of, transaction_of
from enterprise_access.apps.redemption.services.platform import read_enrolled
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.lib import clock
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.waking import wake
from enterprise_access.upstream.subsidy.types import LedgerTransaction

# Not the first call: definite answers are compared with the ledger's list. Three more calls are allowed.
_CALLS_OF_A_RETRY = 2


@frozen(kw_only=True)
class Evidence:
    """What is known of an attempt now. `rows` None: the ledger's list could not be read."""

    attempt: RedemptionAttempt
    rows: tuple[LedgerTransaction, ...] | None
    enrolled: Enrolled

    @property
    def paying(self) -> LedgerTransaction | None:
        """The transaction that pays for the learner and run: the attempt's own before another one."""
        committed = [row for row in self.rows or () if _as_rule(row).is_success]
        return min(committed, key=lambda row: not self.is_own(row), default=None)

    @property
    def is_own_running(self) -> bool:
        return any(self.is_own(row) and _as_rule(row).is_running for row in self.rows or ())

    def is_own(self, row: LedgerTransaction) -> bool:
        return row.idempotency_key == str(self.attempt.uuid)


def _as_rule(row: LedgerTransaction) -> Transaction:
    found = transaction_of(row)
    if found is None:
        raise ValueError("The list has no transactions in unknown states.")
    return found


def gather_evidence(*, attempt_uuid: UUID) -> Evidence:
    """Ask the ledger and the platform about an attempt. Raises RedemptionAttemptUnknown."""
    attempt = RedemptionAttempt.objects.filter(pk=attempt_uuid).first()
    if attempt is None:
        raise RedemptionAttemptUnknown(f"There is no redemption attempt {attempt_uuid}.")
    rows = list_run(attempt)
    return Evidence(attempt=attempt, rows=None if rows is None else tuple(rows), enrolled=read_enrolled(attempt))


def settle_as_paid(*, attempt_uuid: UUID) -> None:
    """Record that a dead attempt did happen, with the transaction that the ledger lists.

    Raises AttemptNotDead, and EvidenceAgainst when the ledger lists no committed transaction.
    """
    evidence = _evidence_of_dead(attempt_uuid)
    row = evidence.paying
    if row is None:
        raise EvidenceAgainst("enterprise-subsidy lists no committed transaction for this learner and run.")
    own = ReservationState.SPENT if evidence.is_own(row) else ReservationState.RELEASED
    recording.commit(attempt_uuid=attempt_uuid, news=news_of(row, evidence.attempt), reservation=own)


def settle_as_not_paid(*, attempt_uuid: UUID) -> None:
    """Record that a dead attempt did not happen, and give its money back.

    Raises AttemptNotDead, and EvidenceAgainst when the ledger cannot be asked or lists a transaction that pays or runs.
    """
    evidence = _evidence_of_dead(attempt_uuid)
    if evidence.rows is None:
        raise EvidenceAgainst("enterprise-subsidy cannot be asked now. Try again shortly.")
    if evidence.paying is not None or evidence.is_own_running:
        raise EvidenceAgainst("enterprise-subsidy lists a transaction for this learner and run that is not failed.")
    recording.refuse(attempt_uuid=attempt_uuid, reason=CreditReason.ENROLLMENT_FAILED, lease_token=None)


@retry_deadlocks
def try_again(*, attempt_uuid: UUID) -> None:
    """Let a worker take a dead attempt up again, with the same key. Raises AttemptNotDead."""
    attempt = RedemptionAttempt.objects.select_for_update().get(pk=attempt_uuid)
    _need_dead(attempt)
    now = clock.now()
    attempt.state, attempt.due_at, attempt.failures = AttemptState.IN_DOUBT.value, now, 0
    attempt.calls, attempt.first_called_at, attempt.last_status, attempt.last_code = _CALLS_OF_A_RETRY, now, None, ""
    attempt.failed_at, attempt.waiting_for = None, ""
    attempt.generation += 1
    attempt.save()
    wake(QUEUE)


def _evidence_of_dead(attempt_uuid: UUID) -> Evidence:
    evidence = gather_evidence(attempt_uuid=attempt_uuid)
    _need_dead(evidence.attempt)
    return evidence


def _need_dead(attempt: RedemptionAttempt) -> None:
    if attempt.state != AttemptState.DEAD.value:
        raise AttemptNotDead("Only an attempt that needs attention is decided here.")
