"""Intentions over the wire: what they stand for, their history, and their health.

The functions write plain data from prepared values; the serializer classes say the same to the API document, and a
test holds the two together. The first eleven keys of an intention are those of the LMS's own endpoint.
"""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.content_metadata.domain import MAX_KEY_LENGTH, CourseRun, Resolved
from enterprise_access.apps.content_metadata.selectors import ModesSource
from enterprise_access.apps.course_types.domain.modes import deadline, want
from enterprise_access.apps.default_enrollments.api.serializers.choices import REASONS, RULES
from enterprise_access.apps.default_enrollments.api.serializers.learners import NormalizedMetadataSerializer
from enterprise_access.apps.default_enrollments.api.serializers.recorded import render_recorded
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.services.intentions.describing import Description, Preview
from enterprise_access.lib.api import StrictSerializer, TextField, UuidTextField
from enterprise_access.lib.api.pages import ListPageSerializer

# --- What is taken in --------------------------------------------------------------------------------------------


class AddIntentionSerializer(StrictSerializer):
    """A new intention."""

    enterprise_customer_uuid = UuidTextField()
    content_key = TextField(
        max_length=MAX_KEY_LENGTH, help_text="A course key (edX+DemoX) or a run key (course-v1:edX+DemoX+2026_T1)."
    )


class ChangeIntentionSerializer(StrictSerializer):
    """The key that the intention should have instead."""

    content_key = TextField(max_length=MAX_KEY_LENGTH)


# --- For the API document ----------------------------------------------------------------------------------------


class VerdictSerializer(serializers.Serializer):
    """The decision for a linked learner without enrollments."""

    is_enrollable = serializers.BooleanField(help_text="Such a learner would be enrolled, if a license or budget pays.")
    rule = serializers.ChoiceField(RULES, help_text="The rule of the decision that matched.")
    reason = serializers.ChoiceField(REASONS, help_text="A stable code. More codes may be added.")
    text = serializers.CharField(help_text="The same in plain words.")
    what_would_change_it = serializers.CharField()


class WarningSerializer(serializers.Serializer):
    """What prevents enrollments today. The intention is saved anyway."""

    reason = serializers.CharField(help_text="A stable code.")
    text = serializers.CharField(help_text="The same in plain words.")


class ResolutionSerializer(serializers.Serializer):
    """The run that a content key resolves to, for one customer."""

    content_key = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
    course_key = serializers.CharField(allow_null=True)
    course_run_key = serializers.CharField(allow_null=True)
    is_course_run_enrollable = serializers.BooleanField(help_text="Published, with open enrollment.")
    best_mode_for_course_run = serializers.CharField(allow_null=True, help_text="The mode that the LMS would choose.")
    applicable_enterprise_catalog_uuids = serializers.ListField(child=serializers.UUIDField())
    course_run_normalized_metadata = NormalizedMetadataSerializer()
    content_type = serializers.ChoiceField(choices=["course", "course_run"])
    title = serializers.CharField(allow_null=True, help_text="Of the course.")
    deadline = serializers.DateTimeField(allow_null=True, help_text="Deadline to enroll in the best mode.")
    downgrade_target = serializers.CharField(
        allow_null=True, help_text="What happens to the enrollment without the license."
    )
    modes_evidence = serializers.ChoiceField(
        choices=[evidence.value for evidence in ModesSource],
        allow_null=True,
        help_text="Source of the modes: the LMS, or (weaker) the run's type, or the catalog's seats.",
    )
    is_checked = serializers.BooleanField(help_text="False: the catalog service has not answered yet.")
    is_stale = serializers.BooleanField(help_text="The catalog service does not answer, and an older copy was used.")
    content_fetched_at = serializers.DateTimeField(allow_null=True)
    verdict_for_newcomer = VerdictSerializer()
    warnings = WarningSerializer(many=True)


class IntentionSerializer(ResolutionSerializer):
    """A course or run that every learner of a customer starts with."""

    uuid = serializers.UUIDField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="When it was deleted.")


class IntentionPageSerializer(ListPageSerializer):
    """A page of intentions, oldest first."""

    results = IntentionSerializer(many=True)


class PreviewRunSerializer(serializers.Serializer):
    """The run, as the catalog has it. A null date is no limit."""

    title = serializers.CharField()
    status = serializers.CharField(allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    enrollment_starts_at = serializers.DateTimeField(allow_null=True)
    enrollment_ends_at = serializers.DateTimeField(allow_null=True)


class PreviewModeSerializer(serializers.Serializer):
    """A mode of the run."""

    slug = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    upgrade_deadline = serializers.DateTimeField(allow_null=True, help_text="Of its seat, if any.")


class TwinSerializer(serializers.Serializer):
    """The customer's existing intention for this key."""

    uuid = serializers.UUIDField()
    deleted_at = serializers.DateTimeField(allow_null=True, help_text="If set, restore it instead of adding another.")


class PreviewSerializer(ResolutionSerializer):
    """The run that a key would resolve to. Nothing was saved."""

    run = PreviewRunSerializer(allow_null=True)
    modes = PreviewModeSerializer(many=True, allow_null=True, help_text="Null: not known yet.")
    modes_fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: the same as the content's.")
    wanted_mode = serializers.CharField(allow_null=True, help_text="The best mode for a learner.")
    existing_intention = TwinSerializer(allow_null=True)


class IntentionHealthSerializer(serializers.Serializer):
    """The result of the last check of an intention; null if it was never checked."""

    uuid = serializers.UUIDField()
    content_key = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
    state = serializers.ChoiceField(choices=["healthy", "unhealthy", "unchecked"])
    reason = serializers.CharField(allow_null=True, help_text="The decision for a new learner, as a stable code.")
    text = serializers.CharField(allow_null=True, help_text="The same in plain words.")
    what_would_change_it = serializers.CharField(allow_null=True)
    course_run_key = serializers.CharField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True, help_text="When the present reason began.")
    checked_at = serializers.DateTimeField(allow_null=True)


class IntentionHealthPageSerializer(ListPageSerializer):
    """A page of intentions with their health, oldest first."""

    results = IntentionHealthSerializer(many=True)


# --- Rendering ---------------------------------------------------------------------------------------------------


def render_intention(description: Description) -> dict[str, Any]:
    """Return an intention and what it stands for as plain data."""
    intention = description.intention
    return {
        "uuid": intention.uuid,
        **_render_resolution(description),
        "created": intention.created,
        "modified": intention.modified,
        "deleted_at": intention.deleted_at,
    }


def render_preview(preview: Preview) -> dict[str, Any]:
    """Return what a key would stand for as plain data."""
    description, twin = preview.description, preview.twin
    run, modes = _run_of(description), description.modes
    return {
        **_render_resolution(description),
        "run": run and _render_run(run),
        "modes": modes and _render_modes(description),
        "modes_fetched_at": modes and modes.fetched_at,
        "wanted_mode": modes and want(modes.modes, now=description.now),
        "existing_intention": twin and {"uuid": twin.uuid, "deleted_at": twin.deleted_at},
    }


def _run_of(description: Description) -> CourseRun | None:
    resolution = description.content.resolution
    return resolution.run if isinstance(resolution, Resolved) else None


def _render_resolution(description: Description) -> dict[str, Any]:
    intention, content, modes = description.intention, description.content, description.modes
    course = content.resolution.course
    return {
        **render_recorded(intention, content, modes, now=description.now),
        "content_type": intention.content_type,
        "title": course.title if course else None,
        "modes_evidence": modes.evidence if modes else None,
        "is_checked": description.is_checked,
        "is_stale": content.is_stale,
        "content_fetched_at": content.fetched_at,
        "verdict_for_newcomer": _render_verdict(description),
        "warnings": [{"reason": reason, "text": explain(reason).text} for reason in description.warnings],
    }


def _render_verdict(description: Description) -> dict[str, Any]:
    verdict, words = description.verdict, explain(description.verdict.reason)
    return {
        "is_enrollable": verdict.is_to_do,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "text": words.text,
        "what_would_change_it": words.what_would_change_it,
    }


def _render_run(run: CourseRun) -> dict[str, Any]:
    return {
        "title": run.title,
        "status": run.status,
        "starts_at": run.starts_at,
        "ends_at": run.ends_at,
        "enrollment_starts_at": run.enrollment_starts_at,
        "enrollment_ends_at": run.enrollment_ends_at,
    }


def _render_modes(description: Description) -> list[dict[str, Any]]:
    run, modes = _run_of(description), description.modes
    deadlines = run.upgrade_deadlines if run else {}
    return [
        {"slug": slug, "expires_at": expires_at, "upgrade_deadline": deadline(slug, upgrade_deadlines=deadlines)}
        for slug, expires_at in sorted(modes.modes.items() if modes else ())
    ]


def render_health(intention: Intention) -> dict[str, Any]:
    """Return the last finding about an intention as plain data."""
    health = getattr(intention, "health", None)
    words = explain(health.reason) if health else None
    return {
        "uuid": intention.uuid,
        "content_key": intention.content_key,
        "enterprise_customer": intention.customer_id,
        "state": "unchecked" if health is None else "healthy" if health.is_healthy else "unhealthy",
        "reason": health and health.reason,
        "text": words and words.text,
        "what_would_change_it": words and words.what_would_change_it,
        "course_run_key": health.course_run_key or None if health else None,
        "since": health and health.reason_since,
        "checked_at": health and health.checked_at,
    }
