"""How often members of a group have redeemed from a budget."""

from collections.abc import Collection, Mapping
from uuid import UUID

from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals


def count_redemptions(*, policy_uuid: UUID, lms_user_ids: Collection[int]) -> Mapping[int, int]:
    """Return the number of redemptions by LMS user id, from the running totals; who is missing has none."""
    rows = LearnerTotals.objects.filter(policy_id=policy_uuid, lms_user_id__in=lms_user_ids)
    return dict(rows.values_list("lms_user_id", "redemptions"))
