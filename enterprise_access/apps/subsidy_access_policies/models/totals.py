"""Running totals, changed in the same transaction as the rows that they count. Money is in cents."""

from django.db import models

from enterprise_access.apps.subsidy_access_policies.models.policies import Subsidy, SubsidyAccessPolicy


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
        indexes = [models.Index(fields=["lms_user_id"], name="credit_totals_by_learner")]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id}"
