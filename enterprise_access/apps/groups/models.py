"""Copies of memberships in groups, which the LMS owns, with their age."""

from django.db import models

from enterprise_access.apps.groups.domain import Membership


class GroupMembership(models.Model):
    """What a learner was in a group at `fetched_at`, the start of the read. Names no person but by LMS user id."""

    group_uuid = models.UUIDField()
    lms_user_id = models.PositiveBigIntegerField(db_index=True)
    membership = models.CharField(max_length=20, choices=[(each.value, each.value) for each in Membership])
    fetched_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["group_uuid", "lms_user_id"], name="one_membership_per_group_and_learner")
        ]

    def __str__(self) -> str:
        return f"learner {self.lms_user_id} in group {self.group_uuid}"
