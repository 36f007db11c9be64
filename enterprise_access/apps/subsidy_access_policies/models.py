"""Budgets, the promises they made, our copies of the ledger's transactions, and running totals of both.

Money is in cents. Only `services.budget` writes promises, copies and totals.
"""

from hashlib import sha256
from uuid import uuid4

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.subsidy_access_policies.domain.availability import (
    ReservationKind,
    ReservationState,
    ReservedMoney,
)
from enterprise_access.apps.subsidy_access_policies.domain.ledger import LedgerEntry, TransactionCopy, TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType, active_key
from enterprise_access.lib.keys import fold


def _choices(options: type[PolicyType] | type[AccessMethod] | type[TransactionState]) -> list[tuple[str, str]]:
    return [(option.value, option.value) for option in options]


class Subsidy(models.Model):
    """What we know of an account of enterprise-subsidy. `balance` is as of `fetched_at`, the start of its read."""

    uuid = models.UUIDField(primary_key=True, editable=False)
    customer_uuid = models.UUIDField(db_index=True)
    title = models.CharField(max_length=255, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    balance = models.BigIntegerField(null=True, blank=True, help_text="In cents. Empty: not read yet.")
    total_deposits = models.BigIntegerField(null=True, blank=True, help_text="In cents. Empty: not read yet.")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="When the read of the balance began.")

    class Meta:
        ordering = ["title", "uuid"]
        verbose_name_plural = "subsidies"
        constraints = [
            models.CheckConstraint(
                condition=Q(balance=None) | Q(fetched_at__isnull=False), name="a_balance_has_an_instant"
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.uuid)


class SubsidyAccessPolicy(TimeStampedModel):
    """A budget: who may spend how much of an account, on which catalog, and how."""

    uuid = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    customer_uuid = models.UUIDField(db_index=True)
    subsidy = models.ForeignKey(Subsidy, on_delete=models.PROTECT, related_name="policies")
    catalog_uuid = models.UUIDField()
    display_name = models.CharField(max_length=512, blank=True)
    description = models.TextField(blank=True)
    policy_type = models.CharField(max_length=64, choices=_choices(PolicyType))
    access_method = models.CharField(max_length=32, choices=_choices(AccessMethod))
    active = models.BooleanField(default=True)
    retired = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)
    spend_limit = models.BigIntegerField(null=True, blank=True, help_text="In cents. Empty: no limit.")
    per_learner_spend_limit = models.BigIntegerField(null=True, blank=True, help_text="In cents. Empty: no limit.")
    per_learner_enrollment_limit = models.BigIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    late_redemption_allowed_until = models.DateTimeField(null=True, blank=True)
    assignment_configuration = models.UUIDField(null=True, blank=True, unique=True)
    learner_credit_request_config = models.UUIDField(null=True, blank=True, unique=True)
    pays_for_default_enrollments = models.BooleanField(default=False)
    active_key = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 (null: unlike all)

    history = HistoricalRecords()

    class Meta:
        ordering = ["created", "uuid"]
        verbose_name = "budget"
        constraints = [
            models.CheckConstraint(
                condition=(Q(spend_limit=None) | Q(spend_limit__gte=0))
                & (Q(per_learner_spend_limit=None) | Q(per_learner_spend_limit__gte=0))
                & (Q(per_learner_enrollment_limit=None) | Q(per_learner_enrollment_limit__gte=0)),
                name="limits_are_not_negative",
            ),
            models.CheckConstraint(
                condition=(Q(per_learner_spend_limit=None) | Q(policy_type=PolicyType.PER_LEARNER_SPEND.value))
                & (Q(per_learner_enrollment_limit=None) | Q(policy_type=PolicyType.PER_LEARNER_ENROLLMENT.value))
                & (~Q(policy_type=PolicyType.ASSIGNED.value) | Q(spend_limit__isnull=False)),
                name="limits_fit_the_type",
            ),
            models.CheckConstraint(
                condition=Q(pays_for_default_enrollments=False) | Q(access_method=AccessMethod.DIRECT.value),
                name="direct_credit_pays_for_defaults",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.uuid)

    def save(self, *args: object, **kwargs: object) -> None:
        """Fill the column that follows from the others: what makes two active budgets the same."""
        self.active_key = _digest(
            active_key(
                is_active=self.active,
                customer_uuid=self.customer_uuid,
                subsidy_uuid=self.subsidy_id,
                catalog_uuid=self.catalog_uuid,
                access_method=AccessMethod(self.access_method),
                policy_type=PolicyType(self.policy_type),
                display_name=self.display_name,
            )
        )
        super().save(*args, **kwargs)


def _digest(key: str | None) -> str | None:
    """Return a key that fits into an index whatever the length of the name."""
    return None if key is None else sha256(key.encode()).hexdigest()


class PolicyGroupAssociation(TimeStampedModel):
    """A budget that only members of a group may use."""

    policy = models.ForeignKey(SubsidyAccessPolicy, on_delete=models.CASCADE, related_name="group_associations")
    group_uuid = models.UUIDField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["policy", "group_uuid"], name="one_association_per_group")]

    def __str__(self) -> str:
        return f"group {self.group_uuid}"


class SubsidyTransaction(models.Model):
    """Our copy of one transaction of the ledger. `policy_uuid` is empty for deposits and for what other tools wrote."""

    uuid = models.UUIDField(primary_key=True, editable=False)
    subsidy = models.ForeignKey(Subsidy, on_delete=models.PROTECT, related_name="transactions")
    policy_uuid = models.UUIDField(null=True, blank=True, db_index=True)
    lms_user_id = models.PositiveBigIntegerField(null=True, blank=True)
    content_key = models.CharField(max_length=255, blank=True)
    content_key_folded = models.CharField(max_length=255, blank=True, editable=False)
    quantity = models.BigIntegerField(help_text="In cents; negative for spending.")
    state = models.CharField(max_length=16, choices=_choices(TransactionState))
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
            models.Index(fields=["subsidy", "seen_at"], name="credit_transaction_by_seen"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_reversed=False) | Q(state=TransactionState.COMMITTED.value),
                name="only_committed_is_reversed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} cents, {self.state}"

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
        indexes = [models.Index(fields=["policy", "state"], name="reservation_by_policy")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="a_promise_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} cents, {self.kind}, {self.state}"

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


class SubsidyTotals(models.Model):
    """What every policy of an account uses and its balance does not show. Locked first."""

    subsidy = models.OneToOneField(Subsidy, on_delete=models.CASCADE, primary_key=True, related_name="totals")
    promised = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.promised} cents promised"


class PolicyTotals(models.Model):
    """What a policy uses. Locked after its account."""

    policy = models.OneToOneField(
        SubsidyAccessPolicy, on_delete=models.CASCADE, primary_key=True, related_name="totals"
    )
    held = models.BigIntegerField(default=0)
    allocated = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    redemptions = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.spent} cents spent"


class LearnerTotals(models.Model):
    """What a learner uses of a policy, allocations left out. Locked last."""

    policy = models.ForeignKey(SubsidyAccessPolicy, on_delete=models.CASCADE, related_name="learner_totals")
    lms_user_id = models.PositiveBigIntegerField()
    held = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)
    redemptions = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["policy", "lms_user_id"], name="one_row_of_totals_per_learner")]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id}"
