"""What goes over the wire.

`render_learner_status` writes plain data, since a hundred intentions are written on every page load; the serializer
classes say the same to the API document, and a test holds the two together.
"""

import json
import math
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.default_enrollments.api.serializers.choices import REASONS, RULES, STATES
from enterprise_access.apps.default_enrollments.api.serializers.recorded import is_open, render_recorded
from enterprise_access.apps.default_enrollments.domain.answers import say_to_learner
from enterprise_access.apps.default_enrollments.domain.values import Bucket
from enterprise_access.apps.default_enrollments.selectors.intended import Intended
from enterprise_access.apps.default_enrollments.services.learners.status import IntentionStatus, LearnerStatus
from enterprise_access.apps.default_enrollments.services.requests.asking import EnrollmentStatus, RealizeResult
from enterprise_access.lib.api import LmsUserIdField, StrictSerializer, UuidTextField

# The states of what was requested, in words.
ASKED_DETAILS = {
    "settled": "Everything is decided: see the results.",
    "pending": "It is looked at as soon as a worker is free; asking again changes nothing.",
    "paused": "Staff have stopped enrolling for now. What was asked for is kept, and done once they go on.",
    "given_up": "It failed repeatedly, or in a way that needs attention. Nothing happens until staff retry it.",
}

# --- For the API document ----------------------------------------------------------------------------------------


class NormalizedMetadataSerializer(serializers.Serializer):
    """What the catalog computed for the run; an empty object when there is no run."""

    start_date = serializers.DateTimeField(allow_null=True, required=False)
    end_date = serializers.DateTimeField(allow_null=True, required=False)
    enroll_by_date = serializers.DateTimeField(allow_null=True, required=False)
    enroll_start_date = serializers.DateTimeField(allow_null=True, required=False)
    content_price = serializers.FloatField(required=False, help_text="0.0 also means that it is not known.")


class RealizationSerializer(serializers.Serializer):
    """The result of the intention for this learner."""

    course_run_key = serializers.CharField()
    mode = serializers.CharField(help_text="As last seen.")
    realized_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    downgraded_at = serializers.DateTimeField(allow_null=True)


class LastAttemptSerializer(serializers.Serializer):
    """The outcome of the last attempt."""

    at = serializers.DateTimeField()
    outcome = serializers.CharField()
    reason = serializers.CharField()


class IntentionStatusSerializer(serializers.Serializer):
    """The status of one intention for the learner."""

    uuid = serializers.UUIDField()
    content_key = serializers.CharField()
    enterprise_customer = serializers.UUIDField()
    course_key = serializers.CharField(allow_null=True)
    course_run_key = serializers.CharField(allow_null=True)
    is_course_run_enrollable = serializers.BooleanField()
    best_mode_for_course_run = serializers.CharField(allow_null=True, help_text="The mode that the LMS would choose.")
    applicable_enterprise_catalog_uuids = serializers.ListField(child=serializers.UUIDField())
    course_run_normalized_metadata = NormalizedMetadataSerializer()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    has_existing_enrollment = serializers.BooleanField(help_text="In the resolved run.")
    is_existing_enrollment_active = serializers.BooleanField(allow_null=True)
    is_existing_enrollment_audit = serializers.BooleanField(allow_null=True)
    reason = serializers.ChoiceField(REASONS, help_text="A stable code. More codes may be added.")
    rule = serializers.ChoiceField(RULES, help_text="The rule of the decision that matched.")
    state = serializers.ChoiceField(
        choices=STATES,
        help_text="pending: nothing is known to block it. blocked: `message` says why, a missing license included.",
    )
    message = serializers.CharField(help_text="The state in one sentence for the learner.")
    realization = RealizationSerializer(allow_null=True)
    deadline = serializers.DateTimeField(allow_null=True, help_text="Deadline to enroll in the best mode.")
    downgrade_target = serializers.CharField(
        allow_null=True, help_text="What the enrollment becomes if the license is lost."
    )
    last_attempt = LastAttemptSerializer(allow_null=True)


class NeedsEnrollmentSerializer(serializers.Serializer):
    """Intentions that the learner does not have yet."""

    enrollable = IntentionStatusSerializer(many=True)
    not_enrollable = IntentionStatusSerializer(many=True)


class EnrollmentStatusesSerializer(serializers.Serializer):
    """Every intention is in exactly one of the three lists."""

    needs_enrollment = NeedsEnrollmentSerializer()
    already_enrolled = IntentionStatusSerializer(many=True)


class NeedsEnrollmentTotalsSerializer(serializers.Serializer):
    """The lengths of the two lists."""

    enrollable = serializers.IntegerField()
    not_enrollable = serializers.IntegerField()


class MetadataSerializer(serializers.Serializer):
    """The lengths of the lists."""

    total_default_enterprise_enrollment_intentions = serializers.IntegerField()
    total_needs_enrollment = NeedsEnrollmentTotalsSerializer()
    total_already_enrolled = serializers.IntegerField()


class LearnerStatusSerializer(serializers.Serializer):
    """The status of a customer's intentions for one learner."""

    lms_user_id = serializers.IntegerField()
    user_email = serializers.EmailField(allow_null=True)
    enterprise_customer_uuid = serializers.UUIDField()
    enrollment_statuses = EnrollmentStatusesSerializer()
    metadata = MetadataSerializer()
    facts_fetched_at = serializers.DateTimeField(help_text="The age of the oldest fact that was used.")
    stale = serializers.BooleanField(help_text="An upstream service did not answer, and older copies were used.")


class RealizeSerializer(StrictSerializer):
    """Whose default enrollments to realize."""

    enterprise_customer_uuid = UuidTextField()
    lms_user_id = LmsUserIdField(
        required=False, help_text="Required for operators. Optional for learners: they mean themselves."
    )
    wait_seconds = serializers.FloatField(
        required=False,
        default=0,
        min_value=0,
        help_text="How long to wait for the worker's result. Limited to the maximum that this service allows.",
    )

    def validate_wait_seconds(self, value: float) -> float:
        """Refuse what compares with nothing, and would be waited for without end."""
        if not math.isfinite(value):
            raise serializers.ValidationError("A finite number is needed.")
        return value


class RealizeResultSerializer(serializers.Serializer):
    """The outcome of one intention so far."""

    uuid = serializers.UUIDField(help_text="Of the intention.")
    course_key = serializers.CharField()
    course_run_key = serializers.CharField(allow_null=True, help_text="Null: the run is not known.")
    enrollment_status = serializers.ChoiceField(choices=[status.value for status in EnrollmentStatus])
    reason = serializers.CharField(
        allow_blank=True, help_text="The stable code of the last evaluation; empty if there was none."
    )


class RealizeAnswerSerializer(serializers.Serializer):
    """The request, and its outcome so far."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    status = serializers.ChoiceField(
        choices=list(ASKED_DETAILS),
        help_text=(
            "settled: everything is decided. pending: a worker has not finished. paused: staff have paused "
            "enrollments; workers continue when staff resume them. given_up: failed, needs attention."
        ),
    )
    detail = serializers.CharField(help_text="The same in a sentence for people.")
    results = RealizeResultSerializer(many=True)


# --- Rendering ---------------------------------------------------------------------------------------------------


def render_learner_status(status: LearnerStatus, *, user_email: str | None) -> dict[str, Any]:
    """Return the answer of learner-status as plain data."""
    buckets = {bucket: [_render(item, status) for item in status.in_bucket(bucket)] for bucket in Bucket}
    enrollable, not_enrollable = buckets[Bucket.ENROLLABLE], buckets[Bucket.NOT_ENROLLABLE]
    already_enrolled = buckets[Bucket.ALREADY_ENROLLED]
    return {
        "lms_user_id": status.lms_user_id,
        "user_email": user_email,
        "enterprise_customer_uuid": status.customer_uuid,
        "enrollment_statuses": {
            "needs_enrollment": {"enrollable": enrollable, "not_enrollable": not_enrollable},
            "already_enrolled": already_enrolled,
        },
        "metadata": {
            "total_default_enterprise_enrollment_intentions": len(status.intentions),
            "total_needs_enrollment": {"enrollable": len(enrollable), "not_enrollable": len(not_enrollable)},
            "total_already_enrolled": len(already_enrolled),
        },
        "facts_fetched_at": status.facts_fetched_at,
        "stale": status.is_stale,
    }


def _render(item: IntentionStatus, status: LearnerStatus) -> dict[str, Any]:
    enrollment = item.enrollment
    return {
        **_what_it_stands_for(item.intended),
        "is_course_run_enrollable": is_open(item.intended.content, now=status.now),
        "has_existing_enrollment": enrollment is not None,
        "is_existing_enrollment_active": enrollment.is_active if enrollment else None,
        "is_existing_enrollment_audit": not is_paid(enrollment.mode) if enrollment else None,
        "reason": item.verdict.reason,
        "rule": item.verdict.rule,
        "state": item.state,
        "message": gettext(say_to_learner(item.verdict.reason, item.obstacle)),
        "realization": _render_realization(item),
        "last_attempt": _render_look(item),
    }


@lru_cache(maxsize=10_000)
def _what_it_stands_for(intended: Intended) -> dict[str, Any]:
    """Return what is the same for every learner, and (but for one key, which is written again) at any time. It is kept
    as it goes over the wire: a hundred of them are most of an answer."""
    intention = intended.intention
    rendered = {
        "uuid": intention.uuid,
        **render_recorded(intention, intended.content, intended.modes, now=intention.created),
        "created": intention.created,
        "modified": intention.modified,
    }
    plain: dict[str, Any] = json.loads(JSONRenderer().render(rendered))
    return plain


def _render_realization(item: IntentionStatus) -> dict[str, Any] | None:
    realization = item.realization
    if realization is None:
        return None
    return {
        "course_run_key": realization.course_run_key,
        "mode": realization.seen_mode or realization.predicted_mode,
        "realized_at": realization.realized_at,
        "left_at": realization.left_at,
        "downgraded_at": realization.downgraded_at,
    }


def _render_look(item: IntentionStatus) -> dict[str, Any] | None:
    look = item.last_look
    return None if look is None else {"at": look.at, "outcome": look.outcome, "reason": look.reason}


def render_asked(asked: RealizeResult) -> dict[str, Any]:
    """Return the answer of realize as plain data."""
    state = state_of(asked)
    return {
        "enterprise_customer_uuid": asked.customer_uuid,
        "lms_user_id": asked.lms_user_id,
        "status": state,
        "detail": ASKED_DETAILS[state],
        "results": [
            {
                "uuid": result.intention_uuid,
                "course_key": result.course_key,
                "course_run_key": result.course_run_key,
                "enrollment_status": result.enrollment_status,
                "reason": result.reason,
            }
            for result in asked.results
        ],
    }


def state_of(asked: RealizeResult) -> str:
    """Return one of ASKED_DETAILS."""
    if asked.is_given_up:
        return "given_up"
    if asked.is_settled:
        return "settled"
    return "paused" if asked.is_paused else "pending"
