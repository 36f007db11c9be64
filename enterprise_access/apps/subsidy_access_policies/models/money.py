"""Copies of the ledger's transactions, promises, and deposits. Money is in cents."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel

from enterprise_access.apps.subsidy_access_policies.domain.availability import (
    ReservationKind,
    ReservationState,
    ReservedMoney,
)
from enterprise_access.apps.subsidy_access_policies.domain.ledger import LedgerEntry, TransactionCopy, TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.money import dollars_text
from enterprise_access.apps.subsidy_access_policies.models.policies import Subsidy, SubsidyAccessPolicy, choices
from enterprise_access.lib.keys import fold
from enterprise_access.lib.work.models import WorkItem, WorkItemQuerySet, lease_complete


class SubsidyTransaction(models.Model):
    """Our copy of one transaction of the ledger. `policy_uuid` is empty for deposits and for what other tools wrote."""

    uuid = models.UUIDField(primary_key=True, editable=False)
    subsidy = models.ForeignKey(Subsidy, on_delete=models.PROTECT, related_name="transactions")
    policy_uuid = models.UUIDField(null=True, blank=True)
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    content_key = models.CharField(max_length=255, blank=True)
    content_key_folded = models.CharField(max_length=255, blank=True, editable=False)
    quantity = models.BigIntegerField(help_text="In cents; negative for spending.")
    state = models.CharField(max_length=16, choices=choices(TransactionState))
    is_reversed = models.BooleanField(default=False)
    reversed_at = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(help_text="The ledger's.")
    modified = models.DateTimeField(help_text="The ledger's.")
    seen_at = models.DateTimeField(help_text="When it first counted for us.")
    source = models.CharField(max_length=16, help_text="answer, event or reconciliation")

    class Meta:
        ordering = ["-created", "uuid"]
        indexes = [
            models.Index(fields=["lms_user_id", "content_key_folded"], name="credit_transaction_by_learner"),
            models.Index(fields=["policy_uuid", "-created"], name="credit_transaction_by_policy"),
            models.Index(fields=["subsidy", "seen_at"], name="credit_transaction_by_seen"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_reversed=False) | Q(state=TransactionState.COMMITTED.value),
                name="only_committed_is_reversed",
            ),
        ]

    def __str__(self) -> str:
        return f"{dollars_text(self.quantity)}, {self.state}"

    def save(self, *args: object, **kwargs: object) -> None:
        self.content_key_folded = fold(self.content_key)
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @property
    def as_copy(self) -> TransactionCopy:
        return TransactionCopy(state=TransactionState(self.state), is_reversed=self.is_reversed, modified=self.modified)

    @property
    def as_entry(self) -> LedgerEntry:
        """The row as the rules count it."""
        return LedgerEntry(
            uuid=self.uuid,
            policy_uuid=self.policy_uuid,
            lms_user_id=self.lms_user_id,
            quantity_cents=self.quantity,
            state=TransactionState(self.state),
            is_reversed=self.is_reversed,
            seen_at=self.seen_at,
        )


class Reservation(TimeStampedModel):
    """Money that is promised or on its way; one row for a promise, whatever becomes of it."""

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    policy = models.ForeignKey(SubsidyAccessPolicy, on_delete=models.PROTECT, related_name="reservations")
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    content_key = models.CharField(max_length=255)
    amount = models.BigIntegerField(help_text="In cents.")
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in ReservationKind])
    state = models.CharField(max_length=16, choices=[(state.value, state.value) for state in ReservationState])
    assignment_uuid = models.UUIDField(null=True, blank=True)
    attempt_uuid = models.UUIDField(null=True, blank=True)
    transaction_uuid = models.UUIDField(null=True, blank=True, unique=True)
    open_assignment_uuid = models.UUIDField(null=True, blank=True, unique=True, editable=False)

    class Meta:
        ordering = ["created", "uuid"]
        indexes = [
            models.Index(fields=["policy", "state"], name="reservation_by_policy"),
            models.Index(fields=["attempt_uuid"], name="reservation_by_attempt"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="a_promise_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{dollars_text(self.amount)}, {self.kind}, {self.state}"

    def save(self, *args: object, **kwargs: object) -> None:
        """An assignment has one promise that stands."""
        is_open = self.state == ReservationState.HELD.value
        self.open_assignment_uuid = self.assignment_uuid if is_open else None
        super().save(*args, **kwargs)

    @property
    def as_money(self) -> ReservedMoney:
        """The row as the rules count it."""
        return ReservedMoney(
            policy_uuid=self.policy_id,
            lms_user_id=self.lms_user_id,
            kind=ReservationKind(self.kind),
            state=ReservationState(self.state),
            amount_cents=self.amount,
            assignment_uuid=self.assignment_uuid,
            transaction_uuid=self.transaction_uuid,
        )


class DepositState(models.TextChoices):
    """How far a deposit has come."""

    PENDING = "pending", "Pending"
    """Not sent yet, or certainly not written by the ledger."""
    SENT = "sent", "Outcome unknown"
    """Sent, and the ledger has not confirmed it. It is looked for, and never sent again by itself."""
    DEPOSITED = "deposited", "Deposited"
    REFUSED = "refused", "Refused"


class Deposit(TimeStampedModel, WorkItem):
    """Money that staff add to the account of a budget. Its uuid is the key that the ledger keeps."""

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    policy = models.ForeignKey(SubsidyAccessPolicy, on_delete=models.PROTECT, related_name="deposits")
    amount = models.BigIntegerField(help_text="In cents.")
    sales_contract_reference_id = models.CharField(max_length=255)
    sales_contract_reference_provider = models.CharField(max_length=255)
    state = models.CharField(max_length=16, choices=DepositState.choices, default=DepositState.PENDING)
    sent_at = models.DateTimeField(null=True, blank=True)
    transaction_uuid = models.UUIDField(null=True, blank=True, unique=True)
    error = models.CharField(max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = WorkItemQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "uuid"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_deposit_adds_money"),
            lease_complete(name="a_deposit_lease_is_whole"),
        ]
        indexes = [models.Index(fields=["due_at"], name="deposit_by_due")]

    def __str__(self) -> str:
        return f"{dollars_text(self.amount)}, {self.get_state_display()}"
