"""What goes over the wire. The classes describe it to the API document and check what comes in; the functions write
what the classes say."""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.course_types.domain.graph import CERTIFICATE_TYPES, PAYEES, CourseType, Track, TypeGraph
from enterprise_access.apps.course_types.domain.products import Finding, FindingKind, ModeSpec, Route, SeatSpec, Subject
from enterprise_access.apps.course_types.domain.transitions import RefusalCode, Transition
from enterprise_access.apps.course_types.models import Source, TypedCourse, TypedCourseRun
from enterprise_access.apps.course_types.services.assigning import as_plain
from enterprise_access.apps.course_types.services.products import Products

MAX_SLUG = 100
MAX_SLUGS = 100


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


def _slug(**about: Any) -> serializers.SlugField:
    return serializers.SlugField(max_length=MAX_SLUG, **about)


def _slugs(**about: Any) -> serializers.ListField:
    return serializers.ListField(child=_slug(), max_length=MAX_SLUGS, **about)


class _Strict(serializers.Serializer):
    """Refuses what it does not know: a member that is misspelled would change what is asked."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(self.initial_data) - set(self.fields))
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such member."))
        return attrs


class AssignCourseTypeSerializer(_Strict):
    """The type to set for a course."""

    course_type = _slug()
    is_published = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text=(
            "True: learners may be enrolled from now on, and changes of the type are restricted. Null: unchanged."
        ),
    )


class AssignRunTypeSerializer(_Strict):
    """The type to set for a run."""

    course_run_type = _slug()
    is_published = serializers.BooleanField(
        required=False,
        allow_null=True,
        default=None,
        help_text=(
            "True: learners may be enrolled in the run and the course from now on, and changes of the type are "
            "restricted. Null: unchanged."
        ),
    )


class CheckTransitionSerializer(_Strict):
    """The change of type to check, by slugs."""

    level = serializers.ChoiceField(choices=["course", "run"])
    old = _slug(required=False, allow_null=True, default=None, help_text="Null: it has no type yet.")
    new = _slug()
    is_published = serializers.BooleanField(required=False, default=False)
    course_type = _slug(
        required=False, allow_null=True, default=None, help_text="Of a run: the type of its course. Null: not asked."
    )
    entitlements = _slugs(
        required=False,
        allow_null=True,
        default=None,
        help_text="Of a course: those that it has. Null: those of the old type.",
    )
    course_run_types = _slugs(required=False, default=list, help_text="Of a course: those of its runs.")
    org = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=255, help_text="Of a course. Null: not asked."
    )


class RefusalSerializer(serializers.Serializer):
    """One reason against a change."""

    code = serializers.ChoiceField(choices=[code.value for code in RefusalCode])
    text = serializers.CharField()
    slugs = serializers.ListField(child=serializers.CharField(), help_text="The modes, seats or types concerned.")


class EffectsSerializer(serializers.Serializer):
    """What a change adds and removes."""

    modes_added = serializers.ListField(child=serializers.CharField())
    modes_vanishing = serializers.ListField(child=serializers.CharField())
    products_added = serializers.ListField(child=serializers.CharField())
    products_vanishing = serializers.ListField(child=serializers.CharField())


class TransitionSerializer(serializers.Serializer):
    """Whether a change is allowed, every reason against it, and its effects."""

    is_allowed = serializers.BooleanField()
    reasons = RefusalSerializer(many=True)
    effects = EffectsSerializer()


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


def render_transition(transition: Transition) -> dict[str, Any]:
    """Return a verdict as plain data."""
    return {"is_allowed": transition.is_allowed, **as_plain(transition)}


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
