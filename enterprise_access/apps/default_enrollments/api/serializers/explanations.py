"""What explanations are, for the API document. `services/learners/explanation_data.py` writes them."""

from rest_framework import serializers

from enterprise_access.apps.default_enrollments.api.serializers.choices import STATES
from enterprise_access.apps.default_enrollments.domain.credit_payer import CREDIT
from enterprise_access.apps.default_enrollments.domain.license_payer import LICENSE


class ReasonInWordsSerializer(serializers.Serializer):
    """A reason, in plain words."""

    code = serializers.CharField(help_text="Stable.")
    text = serializers.CharField()
    what_would_change_it = serializers.CharField()
    looked_at_again = serializers.CharField(help_text="When the next check is scheduled.")
    looked_at_again_upon = serializers.ListField(
        child=serializers.CharField(), help_text="Events that cause the next check immediately."
    )


class ExplainedCustomerSerializer(serializers.Serializer):
    """What is known of the customer."""

    is_active = serializers.BooleanField()
    is_paused = serializers.BooleanField(help_text="Staff have paused enrollments, for this customer or for all.")
    fetched_at = serializers.DateTimeField()


class ExplainedLinkSerializer(serializers.Serializer):
    """What is known of the learner's link to the customer."""

    is_linked = serializers.BooleanField()
    is_active_link = serializers.BooleanField(help_text="The learner has selected this customer.")
    last_login_at = serializers.DateTimeField(allow_null=True)
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: the LMS never listed such a link.")


class ExplainedRequestSerializer(serializers.Serializer):
    """The learner's pending evaluation."""

    due_at = serializers.DateTimeField(allow_null=True, help_text="The next check. Null: only an event causes one.")
    is_being_worked_on = serializers.BooleanField()
    waiting_for = ReasonInWordsSerializer(allow_null=True, help_text="Reason of the next check.")
    failures = serializers.IntegerField(
        help_text="Consecutive attempts that failed because an upstream service was unavailable."
    )
    trigger = serializers.CharField()
    settled_at = serializers.DateTimeField(allow_null=True)
    dead_at = serializers.DateTimeField(allow_null=True, help_text="Failed; needs the attention of staff.")


class ExplainedContentSerializer(serializers.Serializer):
    """The run that the intention's key resolves to."""

    course_key = serializers.CharField(allow_null=True)
    course_run_key = serializers.CharField(allow_null=True)
    unresolved = serializers.CharField(allow_null=True, help_text="Why there is no run.")
    is_published = serializers.BooleanField(allow_null=True)
    enrollment_starts_at = serializers.DateTimeField(allow_null=True)
    enrollment_ends_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    catalogs = serializers.ListField(
        child=serializers.UUIDField(), allow_null=True, help_text="Null: enterprise-catalog did not answer."
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
    evidence = serializers.CharField(help_text="Source of the modes. Enrolling requires the LMS's own answer.")
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: the same as the content's.")


class ExplainedEnrollmentSerializer(serializers.Serializer):
    """The platform's enrollment of the learner in a run of the course."""

    course_run_key = serializers.CharField()
    mode = serializers.CharField()
    is_active = serializers.BooleanField()
    is_revoked = serializers.BooleanField(help_text="The LMS's mark, which it also sets when the learner leaves.")
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
    """The outcome of an attempt, and how often it occurred."""

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
    """One intention: active, or deleted after it was realized (then without a decision)."""

    uuid = serializers.UUIDField()
    content_key = serializers.CharField()
    is_deleted = serializers.BooleanField()
    sentence = serializers.CharField(help_text="The answer, as staff can read it to a customer.")
    state = serializers.ChoiceField(
        choices=STATES,
        help_text="pending: nothing blocks it, or a service has not answered yet. blocked: see `blocking_reasons`.",
    )
    blocking_reasons = ReasonInWordsSerializer(many=True, help_text="Everything that blocks the enrollment.")
    paid_by = serializers.ChoiceField(
        choices=[LICENSE, CREDIT], allow_null=True, help_text="What paid for the enrollment. Null: not known here."
    )
    rule = serializers.CharField(allow_null=True)
    verdict = serializers.CharField(allow_null=True)
    bucket = serializers.CharField(allow_null=True)
    mode = serializers.CharField(allow_null=True, help_text="The mode that the LMS would choose.")
    reason = ReasonInWordsSerializer(allow_null=True)
    obstacle = ReasonInWordsSerializer(
        allow_null=True, help_text="Why the last attempt did not enroll the learner; usually why nothing pays."
    )
    has_override = serializers.BooleanField(help_text="Staff allowed one re-enrollment.")
    content = ExplainedContentSerializer(allow_null=True)
    modes = ExplainedModesSerializer(allow_null=True)
    enrollments = ExplainedEnrollmentSerializer(many=True)
    realizations = ExplainedRealizationSerializer(many=True)
    attempts = ExplainedAttemptSerializer(many=True, help_text="Newest first.")


class ExplainedAfterApprovalSerializer(serializers.Serializer):
    """What became of the enrollment after the approval of a request, for customers who want approvals to enroll."""

    request = serializers.UUIDField()
    course_run_key = serializers.CharField(allow_null=True)
    outcome = serializers.CharField(help_text="waiting, sending, enrolled or not_enrolled.")
    reason = serializers.CharField(allow_null=True, help_text="Why the learner is not enrolled: a stable code.")
    text = serializers.CharField()
    at = serializers.DateTimeField()


class ExplanationSerializer(serializers.Serializer):
    """Why a learner is or is not enrolled, with every fact that was used, and its age."""

    enterprise_customer_uuid = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    sentence = serializers.CharField(help_text="The answer for all intentions, as staff can read it to a customer.")
    explained_at = serializers.DateTimeField()
    stale = serializers.BooleanField(help_text="The LMS did not answer, and older copies were used.")
    customer = ExplainedCustomerSerializer()
    link = ExplainedLinkSerializer()
    enrollments_fetched_at = serializers.DateTimeField(allow_null=True, help_text="Null: they were never read.")
    request = ExplainedRequestSerializer(allow_null=True, help_text="Null: never queued for evaluation.")
    intentions = ExplainedIntentionSerializer(many=True)
    enrollments_after_approvals = ExplainedAfterApprovalSerializer(many=True, help_text="Newest first.")
    note = serializers.CharField()
