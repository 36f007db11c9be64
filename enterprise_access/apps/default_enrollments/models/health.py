"""Whether an intention would enroll a learner who has nothing yet, and who was told.

=========  =====================================  =====================================================
State      Columns                                What comes next
=========  =====================================  =====================================================
unchecked  no row                                 the first check writes one
healthy    `is_healthy`                           every check confirms or changes it
unhealthy  `is_healthy` false, `reason`           the same; staff get a mail a day until it is healthy
=========  =====================================  =====================================================
"""

from django.db import models

from enterprise_access.apps.default_enrollments.domain.reasons import Explanation, explain
from enterprise_access.apps.default_enrollments.models.intentions import DefaultEnterpriseEnrollmentIntention


class IntentionHealth(models.Model):
    """What an intention would mean for a learner who has nothing yet, as of the last check, and since when."""

    intention = models.OneToOneField(
        DefaultEnterpriseEnrollmentIntention, on_delete=models.CASCADE, primary_key=True, related_name="health"
    )
    reason = models.CharField(max_length=50, help_text="The reason code of the decision about such a learner.")
    reason_since = models.DateTimeField(help_text="Since when the reason is what it is, as far as was looked.")
    is_healthy = models.BooleanField(help_text="Such a learner would be enrolled.")
    course_run_key = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(
        max_length=64, help_text="Of everything about the content that a decision may depend on."
    )
    checked_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text="Since when the fingerprint is what it is.")

    class Meta:
        verbose_name_plural = "intention health"

    def __str__(self) -> str:
        return self.reason

    @property
    def explanation(self) -> Explanation | None:
        """Why such a learner would not be enrolled, in words; None when they would."""
        return None if self.is_healthy else explain(self.reason)


class DigestDelivery(models.Model):
    """When a recipient of the digest was last sent one. Addresses are settings; here is a hash of each."""

    address_hash = models.CharField(max_length=64, primary_key=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "digest deliveries"

    def __str__(self) -> str:
        return self.address_hash
