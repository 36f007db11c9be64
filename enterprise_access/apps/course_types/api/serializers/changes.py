"""Setting a type, and asking whether it may be set, over the wire."""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.course_types.domain.transitions import RefusalCode, Transition
from enterprise_access.apps.course_types.services.assigning import as_plain
from enterprise_access.lib.api import StrictSerializer

MAX_SLUG = 100
MAX_SLUGS = 100


def _slug(**about: Any) -> serializers.SlugField:
    return serializers.SlugField(max_length=MAX_SLUG, **about)


def _slugs(**about: Any) -> serializers.ListField:
    return serializers.ListField(child=_slug(), max_length=MAX_SLUGS, **about)


class AssignCourseTypeSerializer(StrictSerializer):
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


class AssignRunTypeSerializer(StrictSerializer):
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


class CheckTransitionSerializer(StrictSerializer):
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


def render_transition(transition: Transition) -> dict[str, Any]:
    """Return a verdict as plain data."""
    return {"is_allowed": transition.is_allowed, **as_plain(transition)}
