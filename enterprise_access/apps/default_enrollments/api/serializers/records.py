"""Realizations and attempts over the wire. As in intentions.py, functions write what the classes say."""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
    Trigger,
)
from enterprise_access.apps.default_enrollments.selectors.records import RealizationState, state_of
from enterprise_access.lib.api.pages import ListPageSerializer


class RealizationRecordSerializer(serializers.Serializer):
    """An intention that became an enrollment of one learner."""

    uuid = serializers.UUIDField()
    intention = serializers.UUIDField()
    content_key = serializers.CharField(help_text="Of the intention.")
    enterprise_customer = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    enterprise_customer_user_id = serializers.IntegerField(help_text="The LMS's id of the learner's link.")
    course_key = serializers.CharField()
    course_run_key = serializers.CharField()
    mode = serializers.CharField(help_text="As last seen; before that, the predicted one.")
    state = serializers.ChoiceField(choices=[state.value for state in RealizationState])
    realized_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(
        allow_null=True, help_text="When this service first saw that the learner had left."
    )
    left_reason = serializers.CharField(allow_null=True, help_text="A stable code.")
    downgraded_at = serializers.DateTimeField(
        allow_null=True, help_text="When this service first saw it in audit again."
    )
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class RealizationPageSerializer(ListPageSerializer):
    """A page of realizations, newest first."""

    results = RealizationRecordSerializer(many=True)


class AttemptSerializer(serializers.Serializer):
    """The outcome of evaluating one learner for one intention: the answer to "why not?"."""

    id = serializers.IntegerField()
    intention = serializers.UUIDField()
    content_key = serializers.CharField(help_text="Of the intention.")
    enterprise_customer = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=[(value, value) for value in Outcome.values])
    reason = serializers.CharField(allow_null=True, help_text="A stable code.")
    text = serializers.CharField(allow_null=True, help_text="The reason in plain words.")
    rule = serializers.CharField(allow_null=True, help_text="The rule of the decision that matched.")
    course_key = serializers.CharField(allow_null=True)
    course_run_key = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_null=True, help_text="The mode that the LMS was expected to choose.")
    is_upgrade = serializers.BooleanField(help_text="The learner was already in the run, without a paid mode.")
    trigger = serializers.ChoiceField(choices=[(value, value) for value in Trigger.values])
    times = serializers.IntegerField(help_text="How often in a row this was the outcome.")
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()


class AttemptPageSerializer(ListPageSerializer):
    """A page of attempts, newest first."""

    results = AttemptSerializer(many=True)


def render_realization(row: DefaultEnterpriseEnrollmentRealization) -> dict[str, Any]:
    """Return a realization (with its intention at hand) as plain data."""
    return {
        "uuid": row.uuid,
        "intention": row.intention_id,
        "content_key": row.intention.content_key,
        "enterprise_customer": row.intention.customer_id,
        "lms_user_id": row.lms_user_id,
        "enterprise_customer_user_id": row.enterprise_customer_user_id,
        "course_key": row.course_key,
        "course_run_key": row.course_run_key,
        "mode": row.seen_mode or row.predicted_mode,
        "state": state_of(row),
        "realized_at": row.realized_at,
        "left_at": row.left_at,
        "left_reason": row.left_reason or None,
        "downgraded_at": row.downgraded_at,
        "created": row.created,
        "modified": row.modified,
    }


def render_attempt(row: RealizationAttempt) -> dict[str, Any]:
    """Return an attempt (with its intention at hand) as plain data."""
    return {
        "id": row.pk,
        "intention": row.intention_id,
        "content_key": row.intention.content_key,
        "enterprise_customer": row.intention.customer_id,
        "lms_user_id": row.lms_user_id,
        "outcome": row.outcome,
        "reason": row.reason or None,
        "text": explain(row.reason).text if row.outcome in (Outcome.BLOCKED, Outcome.IN_DOUBT) else None,
        "rule": row.rule or None,
        "course_key": row.course_key or None,
        "course_run_key": row.course_run_key or None,
        "mode": row.mode or None,
        "is_upgrade": row.is_upgrade,
        "trigger": row.trigger,
        "times": row.times,
        "created_at": row.created_at,
        "last_seen_at": row.last_seen_at,
    }
