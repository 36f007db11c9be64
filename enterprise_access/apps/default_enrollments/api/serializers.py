"""What goes over the wire.

`render_learner_status` writes plain data, since a hundred intentions are written on every page load; the serializer
classes say the same to the API document, and a test holds the two together.
"""

from typing import Any

from rest_framework import serializers

from enterprise_access.apps.content_metadata.domain import CourseRun, Resolved
from enterprise_access.apps.course_types.domain.modes import deadline, downgrade_target, is_paid, pick
from enterprise_access.apps.default_enrollments.domain.decision import why_not_open
from enterprise_access.apps.default_enrollments.domain.values import Bucket
from enterprise_access.apps.default_enrollments.services.status import IntentionStatus, LearnerStatus

# The largest id that every database can hold.
MAX_ID = 2**63 - 1

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


class ErrorSerializer(serializers.Serializer):
    """Whatever went wrong."""

    code = serializers.CharField(help_text="Stable; may be relied upon.")
    detail = serializers.CharField(help_text="For people.")
    extra = serializers.DictField(help_text="Further facts about the error.")


class RealizeSerializer(serializers.Serializer):
    """Whose default enrollments to realize."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MAX_ID,
        help_text="Operators may name another learner. Left out: the caller.",
    )


class RealizeAnswerSerializer(serializers.Serializer):
    """What was asked for."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["pending"])


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
    intention, resolution = item.intention, item.content.resolution
    run = resolution.run if isinstance(resolution, Resolved) else None
    best_mode = pick(item.modes.modes) if item.modes else None
    return {
        "uuid": intention.uuid,
        "content_key": intention.content_key,
        "enterprise_customer": intention.customer_id,
        "course_key": resolution.course.key if resolution.course else None,
        "course_run_key": run.key if run else None,
        "is_course_run_enrollable": run is not None and why_not_open(run, now=status.now) is None,
        "best_mode_for_course_run": best_mode,
        "applicable_enterprise_catalog_uuids": item.content.catalogs or (),
        "course_run_normalized_metadata": _render_metadata(item, run),
        "created": intention.created,
        "modified": intention.modified,
        "has_existing_enrollment": item.enrollment is not None,
        "is_existing_enrollment_active": item.enrollment.is_active if item.enrollment else None,
        "is_existing_enrollment_audit": not is_paid(item.enrollment.mode) if item.enrollment else None,
        "reason": item.verdict.reason,
        "rule": item.verdict.rule,
        "realization": _render_realization(item),
        "deadline": deadline(best_mode, upgrade_deadlines=run.upgrade_deadlines) if run and best_mode else None,
        "downgrade_target": downgrade_target(item.modes.modes) if item.modes else None,
        "last_attempt": _render_attempt(item),
    }


def _render_metadata(item: IntentionStatus, run: CourseRun | None) -> dict[str, Any]:
    course = item.content.resolution.course
    metadata = course.metadata_of(run.key) if course and run else None
    if metadata is None:
        return {}
    return {
        "start_date": metadata.start_date,
        "end_date": metadata.end_date,
        "enroll_by_date": metadata.enroll_by_date,
        "enroll_start_date": metadata.enroll_start_date,
        "content_price": metadata.content_price,
    }


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


def _render_attempt(item: IntentionStatus) -> dict[str, Any] | None:
    attempt = item.last_attempt
    if attempt is None:
        return None
    return {"at": attempt.last_seen_at, "outcome": attempt.outcome, "reason": attempt.reason}
