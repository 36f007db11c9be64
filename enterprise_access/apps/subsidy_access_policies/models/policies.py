"""Accounts, budgets, and the groups that a budget is limited to. Money is in cents."""

from enum import StrEnum
from hashlib import sha256
from uuid import UUID, uuid4, uuid5

from django.db import models
from django.db.models import Q
from model_utils.models import TimeStampedModel
from simple_history.models import HistoricalRecords

from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType, active_key


def choices(options: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the values of an enumeration as a field offers them."""
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
    reconciled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the latest reading of new transactions began."
    )
    fully_reconciled_at = models.DateTimeField(
        null=True, blank=True, help_text="When the latest reading of all transactions began."
    )
    ledger_difference = models.BigIntegerField(
        null=True, blank=True, help_text="In cents: the balance less what our copies come to, when all were last read."
    )

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
    policy_type = models.CharField(max_length=64, choices=choices(PolicyType))
    access_method = models.CharField(max_length=32, choices=choices(AccessMethod))
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

    @property
    def bnr_enabled(self) -> bool:
        """Whether learners may browse the catalog and request money ("B&R")."""
        return self.learner_credit_request_config is not None

    @bnr_enabled.setter
    def bnr_enabled(self, is_enabled: bool) -> None:
        """Switch it on or off. On again, requests belong to the same configuration as before."""
        self.learner_credit_request_config = uuid5(self.pk, "requests") if is_enabled else None
        if is_enabled and self.assignment_configuration is None:
            # An approved request becomes an assignment.
            self.assignment_configuration = self.configuration_of_assignments

    @property
    def configuration_of_assignments(self) -> UUID:
        """The uuid that an assignment configuration gets which is added later than its budget."""
        return uuid5(self.pk, "assignments")

    def save(self, *args: object, **kwargs: object) -> None:
        """Fill the column that follows from the others."""
        self.active_key = self.key_when_active if self.active else None
        super().save(*args, **kwargs)

    @property
    def key_when_active(self) -> str:
        """What is the same for two active budgets that are the same, whether or not this one is active."""
        key = active_key(
            is_active=True,
            customer_uuid=self.customer_uuid,
            subsidy_uuid=self.subsidy_id,
            catalog_uuid=self.catalog_uuid,
            access_method=AccessMethod(self.access_method),
            policy_type=PolicyType(self.policy_type),
            display_name=self.display_name,
        )
        # Fits into an index whatever the length of the name.
        return sha256((key or "").encode()).hexdigest()


class PolicyGroupAssociation(TimeStampedModel):
    """A budget that only members of a group may use."""

    policy = models.ForeignKey(SubsidyAccessPolicy, on_delete=models.CASCADE, related_name="group_associations")
    group_uuid = models.UUIDField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["policy", "group_uuid"], name="one_association_per_group")]

    def __str__(self) -> str:
        return f"group {self.group_uuid}"
