"""The products of a course over the wire."""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.course_types.domain.differences import Finding, FindingKind, Subject
from enterprise_access.apps.course_types.domain.products import ModeSpec, Route, SeatSpec
from enterprise_access.apps.course_types.services.products import Products


class SeatSpecSerializer(serializers.Serializer):
    """A seat that ecommerce should sell."""

    seat_type = serializers.CharField()
    certificate_type = serializers.CharField(allow_null=True)
    is_id_verified = serializers.BooleanField()
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="Null: never, or unknown because course-discovery did not answer."
    )
    lms_mode = serializers.CharField()


class ModeSpecSerializer(serializers.Serializer):
    """A mode that the LMS should have, and how it gets there."""

    slug = serializers.CharField()
    route = serializers.ChoiceField(choices=[route.value for route in Route])


class RunProductsSerializer(serializers.Serializer):
    """What one run should have."""

    run_key = serializers.CharField()
    course_run_type = serializers.CharField()
    seats = SeatSpecSerializer(many=True)
    modes = ModeSpecSerializer(many=True)
    are_lms_modes_known = serializers.BooleanField(help_text="False: they are not compared.")


class FindingSerializer(serializers.Serializer):
    """One difference, and what it leads to."""

    kind = serializers.ChoiceField(choices=[kind.value for kind in FindingKind])
    subject = serializers.ChoiceField(choices=[subject.value for subject in Subject])
    slug = serializers.CharField()
    run_key = serializers.CharField(allow_null=True, help_text="Null: of the course itself.")
    detail = serializers.CharField(allow_blank=True)
    consequence = serializers.CharField()


class ProductsSerializer(serializers.Serializer):
    """The products that a course should have in ecommerce and the LMS, and the differences to its own."""

    course_key = serializers.CharField()
    course_type = serializers.CharField()
    entitlements = serializers.ListField(child=serializers.CharField())
    runs = RunProductsSerializer(many=True)
    findings = FindingSerializer(many=True)
    is_discovery_known = serializers.BooleanField(help_text="False: entitlements and seats are not compared.")


def render_products(products: Products) -> dict[str, Any]:
    """Return what a course should have, and how it differs, as plain data."""
    types = {run.run_key: run for run in products.course.runs.all()}
    return {
        "course_key": products.course.course_key,
        "course_type": products.course.course_type.slug,
        "entitlements": list(products.spec.entitlements),
        "runs": [
            {
                "run_key": key,
                "course_run_type": types[key].run_type.slug,
                "seats": [_seat(seat) for seat in run.seats],
                "modes": [_mode(mode) for mode in run.modes],
                "are_lms_modes_known": types[key].run_key_folded in products.runs_with_modes,
            }
            for key, run in products.spec.runs.items()
        ],
        "findings": [_finding(finding) for finding in products.findings],
        "is_discovery_known": products.is_discovery_known,
    }


def _seat(seat: SeatSpec) -> dict[str, Any]:
    return {
        "seat_type": seat.seat_type,
        "certificate_type": seat.certificate_type or None,
        "is_id_verified": seat.is_id_verified,
        "expires_at": seat.expires_at,
        "lms_mode": seat.lms_mode,
    }


def _mode(mode: ModeSpec) -> dict[str, Any]:
    return {"slug": mode.slug, "route": mode.route.value}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "subject": finding.subject.value,
        "slug": finding.slug,
        "run_key": finding.run_key,
        "detail": finding.detail,
        "consequence": finding.consequence,
    }
