"""Enrollments that are not in the mode that we expected the LMS to choose, as last seen."""

from attrs import frozen
from django.db.models import Count, F, Q

from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization

# A learner is there, and was seen in another mode than the one that was expected.
IN_ANOTHER_MODE = Q(left_at=None) & ~Q(seen_mode="") & ~Q(seen_mode=F("predicted_mode"))


@frozen(kw_only=True)
class ModeDrift:
    """So many learners of one customer were expected in one mode, and seen in another."""

    customer_slug: str
    predicted_mode: str
    seen_mode: str
    learners: int


def list_mode_drift() -> list[ModeDrift]:
    """Return what has drifted, by customer and modes. One statement."""
    rows = DefaultEnterpriseEnrollmentRealization.objects.filter(IN_ANOTHER_MODE)
    counted = (
        rows.order_by("intention__customer__slug", "predicted_mode", "seen_mode")
        .values_list("intention__customer_id", "intention__customer__slug", "predicted_mode", "seen_mode")
        .annotate(learners=Count("pk"))
    )
    return [
        ModeDrift(customer_slug=slug, predicted_mode=predicted, seen_mode=seen, learners=learners)
        for _, slug, predicted, seen, learners in counted
    ]
