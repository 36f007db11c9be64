"""What goes over the wire.

`render_learner_status` writes plain data, since a hundred intentions are written on every page load; the serializer
classes say the same to the API document, and a test holds the two together.
"""

import json
import math
from functools import lru_cache
from typing import Any

from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.default_enrollments.api.serializers.recorded import is_open, render_recorded
from enterprise_access.apps.default_enrollments.domain.values import Bucket
from enterprise_access.apps.default_enrollments.selectors.facts import Intended
from enterprise_access.apps.default_enrollments.services.asking import Asked, EnrollmentStatus
from enterprise_access.apps.default_enrollments.services.status import IntentionStatus, LearnerStatus
from enterprise_access.lib.api import LmsUserIdField, StrictSerializer, UuidTextField

# The states of what was asked for, in words.
ASKED_DETAILS = {
    "settled": "Everything is decided: see the results.",
    "pending": "It is looked at as soon as a worker is free; asking again changes nothing.",
    "paused": "Staff have stopped enrolling for now. What was asked for is kept, and done once they go on.",
    "given_up": "It failed again and again, or in a way that needs somebody's eyes. Nothing happens until staff look.",
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
    """What became of the intention for this learner."""

    course_run_key = serializers.CharField()
    mode = serializers.CharField(help_text="As last seen.")
    realized_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    downgraded_at = serializers.DateTimeField(allow_null=True)


class LastAttemptSerializer(serializers.Serializer):
    """What came of the last look."""

    at = serializers.DateTimeField()
    outcome = serializers.CharField()
    reason = serializers.CharField()


class IntentionStatusSerializer(serializers.Serializer):
    """One intention, as it stands for the learner."""

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
    reason = serializers.CharField(help_text="A stable code.")
    rule = serializers.CharField(help_text="The rule of the decision that matched.")
    realization = RealizationSerializer(allow_null=True)
    deadline = serializers.DateTimeField(allow_null=True, help_text="The last moment to enroll in the best mode.")
    downgrade_target = serializers.CharField(allow_null=True, help_text="What losing the license would make of it.")
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
    """What one customer intends for one learner, and how it stands."""

    lms_user_id = serializers.IntegerField()
    user_email = serializers.EmailField(allow_null=True)
    enterprise_customer_uuid = serializers.UUIDField()
    enrollment_statuses = EnrollmentStatusesSerializer()
    metadata = MetadataSerializer()
    facts_fetched_at = serializers.DateTimeField(help_text="The age of the oldest fact that was used.")
    stale = serializers.BooleanField(help_text="A neighbour did not answer, and older copies were used.")


class RealizeSerializer(StrictSerializer):
    """Whose default enrollments to realize."""

    enterprise_customer_uuid = UuidTextField()
    lms_user_id = LmsUserIdField(
        required=False, help_text="Operators name the learner. Learners may leave it out: they mean themselves."
    )
    wait_seconds = serializers.FloatField(
        required=False,
        default=0,
        min_value=0,
        help_text="How long to wait for the result, which a worker brings about. Longer than is allowed is cut short.",
    )

    def validate_wait_seconds(self, value: float) -> float:
        """Refuse what compares with nothing, and would be waited for without end."""
        if not math.isfinite(value):
            raise serializers.ValidationError("A finite number is needed.")
        return value


class RealizeResultSerializer(serializers.Serializer):
    """What came of one intention so far."""

    uuid = serializers.UUIDField(help_text="Of the intention.")
    course_key = serializers.CharField()
    course_run_key = serializers.CharField(allow_null=True, help_text="Null: not known (yet) which run is meant.")
    enrollment_status = serializers.ChoiceField(choices=[status.value for status in EnrollmentStatus])
    reason = serializers.CharField(
        allow_blank=True, help_text="A stable code: that of the last look; empty where there was none."
    )


class RealizeAnswerSerializer(serializers.Serializer):
    """What was asked for, and what came of it so far."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    status = serializers.ChoiceField(
        choices=list(ASKED_DETAILS),
        help_text="settled: everything is decided. pending: a worker has still to look, or is looking. paused: staff "
        "have stopped enrolling; it is done once they go on. given_up: it failed, and somebody of staff has to look.",
    )
    detail = serializers.CharField(help_text="The same in a sentence for people.")
    results = RealizeResultSerializer(many=True)


# --- For the API document: explain -------------------------------------------------------------------------------


class ReasonInWordsSerializer(serializers.Serializer):
    """A reason, in plain words."""

    code = serializers.CharField(help_text="Stable.")
    text = serializers.CharField()
    what_would_change_it = serializers.CharField()
    looked_at_again = serializers.CharField(help_text="When time alone brings the next look.")
    looked_at_again_upon = serializers.ListField(
        child=serializers.CharField(), help_text="What brings the next look at once."
    )


class ExplainedCustomerSerializer(serializers.Serializer):
    """What is known of the customer."""

    is_active = serializers.BooleanField()
    is_paused = serializers.BooleanField(help_text="Staff have stopped enrolling, for this customer or everywhere.")
    fetched_at = serializers.DateTimeField()


class ExplainedLinkSerializer(serializers.Serializer):
    """What is known of the learner's link to the customer."""

    is_linked = serializers.BooleanField()
    is_active_link = serializers.BooleanField(help_text="It is the customer that the learner has selected.")
    last_login_at = serializers.DateTimeField(allow_null=True)
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: the LMS never listed such a link.")


class ExplainedRequestSerializer(serializers.Serializer):
    """What is owed to the learner."""

    due_at = serializers.DateTimeField(allow_null=True, help_text="The next look. Null: only an event brings one.")
    is_being_worked_on = serializers.BooleanField()
    waiting_for = ReasonInWordsSerializer(allow_null=True, help_text="Why there will be a next look.")
    failures = serializers.IntegerField(help_text="Looks in a row that found a neighbour silent.")
    trigger = serializers.CharField()
    settled_at = serializers.DateTimeField(allow_null=True)
    dead_at = serializers.DateTimeField(allow_null=True, help_text="Given up; somebody of staff has to look.")


class ExplainedContentSerializer(serializers.Serializer):
    """What the intention's key stands for."""

    course_key = serializers.CharField(allow_null=True)
    course_run_key = serializers.CharField(allow_null=True)
    unresolved = serializers.CharField(allow_null=True, help_text="Why there is no run.")
    is_published = serializers.BooleanField(allow_null=True)
    enrollment_starts_at = serializers.DateTimeField(allow_null=True)
    enrollment_ends_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    catalogs = serializers.ListField(
        child=serializers.UUIDField(), allow_null=True, help_text="Null: they could not be asked."
    )
    fetched_at = serializers.DateTimeField(allow_null=True)
    stale = serializers.BooleanField()


class ExplainedModeSerializer(serializers.Serializer):
    """An enrollment mode of the run."""

    slug = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ExplainedModesSerializer(serializers.Serializer):
    """The modes of the run."""

    modes = ExplainedModeSerializer(many=True)
    is_invitation_only = serializers.BooleanField()
    evidence = serializers.CharField(help_text="Where they are known from. Only the LMS's own answer lets us enroll.")
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: as old as the content.")


class ExplainedEnrollmentSerializer(serializers.Serializer):
    """What the platform says of the learner in a run of the course."""

    course_run_key = serializers.CharField()
    mode = serializers.CharField()
    is_active = serializers.BooleanField()
    is_revoked = serializers.BooleanField(help_text="The LMS marks it so, also when the learner left.")
    changed_at = serializers.DateTimeField(allow_null=True)
    fetched_at = serializers.DateTimeField()


class ExplainedRealizationSerializer(serializers.Serializer):
    """A default enrollment of the learner in a run of the course."""

    course_run_key = serializers.CharField()
    of_this_intention = serializers.BooleanField()
    mode = serializers.CharField()
    realized_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    left_reason = serializers.CharField(allow_null=True)
    downgraded_at = serializers.DateTimeField(allow_null=True)


class ExplainedAttemptSerializer(serializers.Serializer):
    """What came of a look, and how often."""

    outcome = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    rule = serializers.CharField(allow_blank=True)
    course_run_key = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_null=True)
    trigger = serializers.CharField()
    times = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class ExplainedIntentionSerializer(serializers.Serializer):
    """One intention, living, or deleted after it had been realized (then nothing is decided about it)."""

    uuid = serializers.UUIDField()
    content_key = serializers.CharField()
    is_deleted = serializers.BooleanField()
    rule = serializers.CharField(allow_null=True)
    verdict = serializers.CharField(allow_null=True)
    bucket = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_null=True, help_text="What the LMS would enroll in.")
    reason = ReasonInWordsSerializer(allow_null=True)
    obstacle = ReasonInWordsSerializer(
        allow_null=True, help_text="Why the last attempt came to nothing: mostly why nothing pays for it."
    )
    has_override = serializers.BooleanField(help_text="Staff gave leave to enroll once more.")
    content = ExplainedContentSerializer(allow_null=True)
    modes = ExplainedModesSerializer(allow_null=True)
    enrollments = ExplainedEnrollmentSerializer(many=True)
    realizations = ExplainedRealizationSerializer(many=True)
    attempts = ExplainedAttemptSerializer(many=True, help_text="The newest ones, newest first.")


class ExplanationSerializer(serializers.Serializer):
    """Why a learner has, or does not have, what the customer intends; with every fact that was used, and its age."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    explained_at = serializers.DateTimeField()
    stale = serializers.BooleanField(help_text="The LMS did not answer, and older copies were used.")
    customer = ExplainedCustomerSerializer()
    link = ExplainedLinkSerializer()
    enrollments_fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: they were never read.")
    request = ExplainedRequestSerializer(allow_null=True, help_text="Null: nobody has asked for the learner yet.")
    intentions = ExplainedIntentionSerializer(many=True)
    note = serializers.CharField()


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
        "realization": _render_realization(item),
        "last_attempt": _render_look(item),
    }


@lru_cache(maxsize=10_000)
def _what_it_stands_for(intended: Intended) -> dict[str, Any]:
    """Return what is the same for every learner, and (but for one key, which is written anew) at any time. It is kept
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


def render_asked(asked: Asked) -> dict[str, Any]:
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


def state_of(asked: Asked) -> str:
    """Return one of ASKED_DETAILS."""
    if asked.is_given_up:
        return "given_up"
    if asked.is_settled:
        return "settled"
    return "paused" if asked.is_paused else "pending"
