"""Who is seeing to a learner's licenses. (The licenses themselves are license-manager's, and are never stored.)"""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q


class LicenseClaimQuerySet(models.QuerySet["LicenseClaim"]):
    """Filters of claims."""

    def of(self, *, customer_uuid: UUID, lms_user_id: int) -> "LicenseClaimQuerySet":
        return self.filter(customer_uuid=customer_uuid, lms_user_id=lms_user_id)

    def at_work(self, now: datetime) -> "LicenseClaimQuerySet":
        """Return those of whom a page load is working for right now, and has not been for too long."""
        return self.filter(token__isnull=False, held_until__gte=now)


class LicenseClaim(models.Model):
    """The right of one page load to activate or apply licenses for one learner of one customer.

    `token` is set while it is at work. Until `held_until` no one else may try: one that has died is waited for no
    longer, and what failed (`problem`) is not repeated with every page.
    """

    customer_uuid = models.UUIDField()
    lms_user_id = models.PositiveBigIntegerField()
    token = models.UUIDField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=50, blank=True, help_text="What went wrong the last time, as a code.")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When somebody was last done with it.")

    objects = LicenseClaimQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["lms_user_id", "customer_uuid"], name="one_claim_per_learner_and_customer"),
            models.CheckConstraint(condition=Q(token=None) | Q(held_until__isnull=False), name="a_claim_has_an_end"),
        ]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id}"
