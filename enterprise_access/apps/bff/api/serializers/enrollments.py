"""The learner's courses, as the dashboard shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_access.apps.bff.api.serializers.writing import written_by
from enterprise_access.apps.bff.domain.enrollments import group_by_progress
from enterprise_access.apps.bff.services.page import PortalPage


class DueSerializer(serializers.Serializer):
    """A due date of a course."""

    name = serializers.CharField()
    date = serializers.CharField()
    url = serializers.CharField(allow_null=True)


class EnrollmentSerializer(serializers.Serializer):
    """One of the learner's enrollments."""

    can_unenroll = serializers.BooleanField()
    course_run_id = serializers.CharField()
    course_run_status = serializers.CharField()
    course_key = serializers.CharField()
    course_type = serializers.CharField(allow_blank=True)
    created = serializers.DateTimeField()
    end_date = serializers.DateTimeField(allow_null=True)
    enroll_by = serializers.DateTimeField(allow_null=True)
    has_emails_enabled = serializers.BooleanField()
    is_enrollment_active = serializers.BooleanField()
    is_revoked = serializers.BooleanField()
    link_to_course = serializers.CharField(allow_blank=True, help_text="Where the learner continues; empty if unknown.")
    link_to_certificate = serializers.CharField(allow_null=True)
    micromasters_title = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_blank=True)
    notifications = DueSerializer(many=True)
    org_name = serializers.CharField(allow_blank=True)
    pacing = serializers.CharField(allow_blank=True)
    product_source = serializers.CharField(allow_blank=True)
    resume_course_run_url = serializers.CharField(allow_null=True)
    start_date = serializers.DateTimeField(allow_null=True)
    title = serializers.CharField()


class EnrollmentsByStatusSerializer(serializers.Serializer):
    """The learner's enrollments as the dashboard groups them."""

    in_progress = EnrollmentSerializer(many=True)
    upcoming = EnrollmentSerializer(many=True)
    completed = EnrollmentSerializer(many=True)
    saved_for_later = EnrollmentSerializer(many=True)


class EnrollmentsFields(serializers.Serializer):
    """What EnrollmentsPart adds to the dashboard."""

    enterprise_course_enrollments = EnrollmentSerializer(source="enrollments", many=True)
    all_enrollments_by_status = serializers.SerializerMethodField()

    @extend_schema_field(EnrollmentsByStatusSerializer)
    def get_all_enrollments_by_status(self, page: PortalPage) -> Any:
        return written_by(EnrollmentsByStatusSerializer, group_by_progress(page.enrollments))
