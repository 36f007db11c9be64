"""Default enrollments, as the learner portal shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_access.apps.bff.services.page import PortalPage
from enterprise_access.apps.default_enrollments.api.serializers.learners import (
    LearnerStatusSerializer,
    render_learner_status,
)
from enterprise_access.apps.default_enrollments.services.requests.asking import EnrollmentStatus


class PortalRealizationSerializer(serializers.Serializer):
    """The result of one default enrollment intention."""

    course_key = serializers.CharField()
    course_run_key = serializers.CharField(allow_null=True)
    enrollment_status = serializers.ChoiceField(choices=[status.value for status in EnrollmentStatus])
    reason = serializers.CharField(
        allow_blank=True, help_text="The code of the last evaluation; empty before the first."
    )


class DefaultEnrollmentsFields(serializers.Serializer):
    """What DefaultEnrollmentsPart adds to a page."""

    default_enterprise_enrollment_intentions = serializers.SerializerMethodField(
        help_text=(
            "The answer of learner-status; null if it is unknown, or the caller is not a learner of this customer."
        )
    )
    default_enterprise_enrollment_realizations = PortalRealizationSerializer(source="realizations", many=True)

    @extend_schema_field(LearnerStatusSerializer(allow_null=True))
    def get_default_enterprise_enrollment_intentions(self, page: PortalPage) -> Any:
        return None if page.status is None else render_learner_status(page.status, user_email=page.user_email)
