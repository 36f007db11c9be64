"""Course types, and which course and run has which, over the wire."""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.course_types.domain.graph import TypeGraph
from enterprise_access.apps.course_types.domain.values import CERTIFICATE_TYPES, PAYEES, CourseType, Track
from enterprise_access.apps.course_types.models import Source, TypedCourse, TypedCourseRun


class TrackSerializer(serializers.Serializer):
    """A mode and its seat type."""

    mode = serializers.CharField()
    mode_name = serializers.CharField(allow_blank=True)
    lms_mode = serializers.CharField(help_text="The slug of the mode in the LMS.")
    seat_type = serializers.CharField(allow_null=True, help_text="Null: a mode without a product.")
    is_id_verified = serializers.BooleanField()
    is_credit_eligible = serializers.BooleanField()
    certificate_type = serializers.ChoiceField(choices=sorted(CERTIFICATE_TYPES - {""}), allow_null=True)
    is_audit = serializers.BooleanField(help_text="Learners in this mode do not have what a subsidy pays for.")
    enroll_rank = serializers.IntegerField(
        allow_null=True, help_text="Null: no learners are enrolled in it automatically."
    )
    payee = serializers.ChoiceField(choices=sorted(PAYEES - {""}), allow_null=True)
    paid_to_platform = serializers.BooleanField()
    paid_to_partner = serializers.BooleanField()


class RunTypeSerializer(serializers.Serializer):
    """The type of a run."""

    slug = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    is_marketable = serializers.BooleanField()
    is_retired = serializers.BooleanField()
    tracks = TrackSerializer(many=True)


class CourseTypeSerializer(serializers.Serializer):
    """A course type."""

    slug = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    rank = serializers.IntegerField(help_text="The position in which matching tries it.")
    is_retired = serializers.BooleanField()
    entitlement_types = serializers.ListField(child=serializers.CharField())
    org_allow_list = serializers.ListField(child=serializers.CharField(), help_text="Empty: every organization.")
    course_run_types = RunTypeSerializer(many=True)


class FlatRowSerializer(serializers.Serializer):
    """A course type, one of its run types, and one of its tracks. Null where a type has none."""

    course_type = serializers.CharField()
    course_type_name = serializers.CharField(allow_blank=True)
    course_type_is_retired = serializers.BooleanField()
    entitlement_type = serializers.CharField(allow_null=True)
    course_run_type = serializers.CharField(allow_null=True)
    course_run_type_name = serializers.CharField(allow_null=True)
    course_run_type_is_retired = serializers.BooleanField(allow_null=True)
    is_marketable = serializers.BooleanField(allow_null=True)
    mode = serializers.CharField(allow_null=True)
    mode_name = serializers.CharField(allow_null=True)
    lms_mode = serializers.CharField(allow_null=True)
    seat_type = serializers.CharField(allow_null=True)
    is_id_verified = serializers.BooleanField(allow_null=True)
    is_credit_eligible = serializers.BooleanField(allow_null=True)
    certificate_type = serializers.CharField(allow_null=True)
    is_audit = serializers.BooleanField(allow_null=True)
    payee = serializers.CharField(allow_null=True)
    paid_to_platform = serializers.BooleanField(allow_null=True)
    paid_to_partner = serializers.BooleanField(allow_null=True)


class TypedRunSerializer(serializers.Serializer):
    """The type of a run."""

    run_key = serializers.CharField()
    course_run_type = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True, help_text="Since when learners may be enrolled.")
    source = serializers.ChoiceField(choices=[(value, value) for value in Source.values])  # type: ignore[assignment]
    modified = serializers.DateTimeField()


class TypedCourseSerializer(serializers.Serializer):
    """The types of a course and its runs."""

    course_key = serializers.CharField()
    course_type = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True, help_text="Since when learners may be enrolled.")
    source = serializers.ChoiceField(choices=[(value, value) for value in Source.values])  # type: ignore[assignment]
    modified = serializers.DateTimeField()
    runs = TypedRunSerializer(many=True)


def render_course_type(graph: TypeGraph, course_type: CourseType) -> dict[str, Any]:
    """Return a course type with everything below it as plain data."""
    return {
        "slug": course_type.slug,
        "name": course_type.name,
        "rank": course_type.rank,
        "is_retired": course_type.is_retired,
        "entitlement_types": list(course_type.entitlement_types),
        "org_allow_list": list(course_type.org_allow_list),
        "course_run_types": [_run_type(graph, slug) for slug in course_type.run_types],
    }


def _run_type(graph: TypeGraph, slug: str) -> dict[str, Any]:
    run_type = graph.run_type(slug)
    return {
        "slug": run_type.slug,
        "name": run_type.name,
        "is_marketable": run_type.is_marketable,
        "is_retired": run_type.is_retired,
        "tracks": [_track(track) for track in run_type.tracks],
    }


def _track(track: Track) -> dict[str, Any]:
    return {
        "mode": track.mode.slug,
        "mode_name": track.mode.name,
        "lms_mode": track.lms_mode,
        "seat_type": track.seat_type.slug if track.seat_type else None,
        "is_id_verified": track.mode.is_id_verified,
        "is_credit_eligible": track.mode.is_credit_eligible,
        "certificate_type": track.mode.certificate_type or None,
        "is_audit": track.mode.is_audit,
        "enroll_rank": track.mode.enroll_rank,
        "payee": track.mode.payee or None,
        "paid_to_platform": track.paid_to_platform,
        "paid_to_partner": track.paid_to_partner,
    }


def render_typed_course(course: TypedCourse) -> dict[str, Any]:
    """Return a course with its runs (at hand) as plain data."""
    return {
        "course_key": course.course_key,
        "course_type": course.course_type.slug,
        "published_at": course.published_at,
        "source": course.source,
        "modified": course.modified,
        "runs": [render_typed_run(run) for run in course.runs.all()],
    }


def render_typed_run(run: TypedCourseRun) -> dict[str, Any]:
    """Return a run as plain data."""
    return {
        "run_key": run.run_key,
        "course_run_type": run.run_type.slug,
        "published_at": run.published_at,
        "source": run.source,
        "modified": run.modified,
    }
