"""What operators do, over the wire: overrides, pauses, the queue, customers, and many intentions at once."""

from datetime import datetime
from typing import Any, Final

from rest_framework import serializers

from enterprise_access.apps.content_metadata.domain import MAX_KEY_LENGTH
from enterprise_access.apps.default_enrollments.models import RealizationOverride, RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.selectors.pauses import Pause
from enterprise_access.apps.default_enrollments.selectors.queue import EvaluationRequestState, state_of
from enterprise_access.apps.default_enrollments.services.csv_intentions import RowState
from enterprise_access.apps.default_enrollments.services.moving_in.bulk import ADDED, RESTORED, KeyOutcome
from enterprise_access.lib.api import MAX_ID, FlagField, StrictSerializer, TextField, UuidTextField
from enterprise_access.lib.api.pages import ListPageSerializer

OVERRIDE_STATES: Final = [(value, value) for value in RealizationOverride.State.values]
REQUEST_STATES: Final = [(state.value, state.value) for state in EvaluationRequestState]
ROW_OUTCOMES: Final = [(value, value) for value in (ADDED, RESTORED, *(state.value for state in RowState))]
MOST_KEYS: Final = 50
MOST_REASON: Final = 2000
MOST_PAUSE_REASON: Final = 500


# --- Overrides -----------------------------------------------------------------------------------------------------


class GrantOverrideSerializer(StrictSerializer):
    """Who may be enrolled once more in what, and why."""

    intention = UuidTextField(help_text="The UUID of an active intention.")
    lms_user_id = serializers.IntegerField(min_value=1, max_value=MAX_ID, help_text="The learner.")
    reason = TextField(max_length=MOST_REASON, help_text="Why, and the ticket if there is one. Kept with your name.")


class CancelOverrideSerializer(StrictSerializer):
    """Why an override is taken back."""

    reason = TextField(max_length=MOST_REASON, help_text="Why, and the ticket if there is one.")


class OverrideSerializer(serializers.Serializer):
    """One-time permission to re-enroll a learner who left the course or lost the license for it."""

    id = serializers.IntegerField()
    intention = serializers.UUIDField()
    content_key = serializers.CharField(help_text="Of the intention.")
    enterprise_customer = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=OVERRIDE_STATES)
    by = serializers.CharField(help_text="The username of who gave it.")
    reason = serializers.CharField()
    created = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="When it ends, unless it is used or cancelled earlier.")
    used_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)
    cancelled_by = serializers.CharField(allow_null=True)
    cancel_reason = serializers.CharField(allow_null=True)


class OverridePageSerializer(ListPageSerializer):
    """A page of overrides, newest first."""

    results = OverrideSerializer(many=True)


def render_override(row: RealizationOverride, *, now: datetime) -> dict[str, Any]:
    """Return an override (with its intention at hand) as plain data."""
    return {
        "id": row.pk,
        "intention": row.intention_id,
        "content_key": row.intention.content_key,
        "enterprise_customer": row.intention.customer_id,
        "lms_user_id": row.lms_user_id,
        "state": row.state_at(now).value,
        "by": row.by,
        "reason": row.reason,
        "created": row.created,
        "expires_at": row.ends_at,
        "used_at": row.used_at,
        "cancelled_at": row.cancelled_at,
        "cancelled_by": row.cancelled_by or None,
        "cancel_reason": row.cancel_reason or None,
    }


# --- Pauses --------------------------------------------------------------------------------------------------------

_SCOPE: Final = "The customer. Left out: all customers, for operators of every customer."


class PauseRequestSerializer(StrictSerializer):
    """What to pause, and why."""

    enterprise_customer_uuid = UuidTextField(required=False, help_text=_SCOPE)
    reason = TextField(max_length=MOST_PAUSE_REASON, help_text="Shown on every admin page while the pause lasts.")


class ResumeSerializer(StrictSerializer):
    """What to resume."""

    enterprise_customer_uuid = UuidTextField(required=False, help_text=_SCOPE)


class PauseSerializer(serializers.Serializer):
    """Whether enrolling is paused: of one customer, or of all."""

    enterprise_customer = serializers.UUIDField(allow_null=True, help_text="Null: all customers.")
    is_paused = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    is_changed = serializers.BooleanField(help_text="Whether this request changed anything.")


def render_pause(pause: Pause | None, *, customer_uuid: Any, is_changed: bool) -> dict[str, Any]:
    """Return a pause, or that there is none, as plain data."""
    return {
        "enterprise_customer": customer_uuid,
        "is_paused": pause is not None,
        "since": pause.since if pause else None,
        "by": (pause.by or None) if pause else None,
        "reason": (pause.reason or None) if pause else None,
        "is_changed": is_changed,
    }


# --- The queue -----------------------------------------------------------------------------------------------------


class QueuedRequestSerializer(serializers.Serializer):
    """The pending evaluation of one learner of one customer."""

    id = serializers.IntegerField()
    enterprise_customer = serializers.UUIDField()
    lms_user_id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=REQUEST_STATES)
    due_at = serializers.DateTimeField(allow_null=True, help_text="The next check. Null: none is scheduled.")
    waiting_for = serializers.CharField(allow_null=True, help_text="A reason code: why it is checked again.")
    failures = serializers.IntegerField(help_text="Attempts in a row that an upstream service did not answer.")
    failed_at = serializers.DateTimeField(allow_null=True, help_text="Since then it needs attention.")
    settled_at = serializers.DateTimeField(allow_null=True)
    trigger = serializers.ChoiceField(choices=[(value, value) for value in Trigger.values])
    modified = serializers.DateTimeField()


class QueuePageSerializer(ListPageSerializer):
    """A page of pending evaluations, the latest first."""

    results = QueuedRequestSerializer(many=True)


def render_queued(row: RealizationRequest, *, now: datetime) -> dict[str, Any]:
    """Return a request as plain data."""
    return {
        "id": row.pk,
        "enterprise_customer": row.customer_id,
        "lms_user_id": row.lms_user_id,
        "state": state_of(row, now=now).value,
        "due_at": row.due_at,
        "waiting_for": row.waiting_for or None,
        "failures": row.failures,
        "failed_at": row.failed_at,
        "settled_at": row.settled_at,
        "trigger": row.trigger,
        "modified": row.modified,
    }


# --- Customers -----------------------------------------------------------------------------------------------------


class CustomerRowSerializer(serializers.Serializer):
    """A customer that is known here."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()
    is_active = serializers.BooleanField(help_text="As the LMS says.")
    is_paused = serializers.BooleanField(source="realization_paused", help_text="Enrolling is paused here.")
    fetched_at = serializers.DateTimeField(help_text="When the LMS was last asked.")


class CustomerPageSerializer(ListPageSerializer):
    """A page of customers, by name."""

    results = CustomerRowSerializer(many=True)


# --- Many intentions -----------------------------------------------------------------------------------------------


class BulkAddSerializer(StrictSerializer):
    """Which courses and runs the customer enrolls its learners in by default."""

    enterprise_customer_uuid = UuidTextField()
    content_keys = serializers.ListField(
        child=TextField(max_length=MAX_KEY_LENGTH), min_length=1, max_length=MOST_KEYS, help_text="Course or run keys."
    )
    dry_run = FlagField(default=False, help_text="Only say what would happen. Nothing is saved.")
    restore_deleted = FlagField(default=False, help_text="Restore what was deleted, too.")


class BulkRowSerializer(serializers.Serializer):
    """The outcome of one key; of a dry run, what would happen."""

    content_key = serializers.CharField()
    outcome = serializers.ChoiceField(
        choices=ROW_OUTCOMES,
        help_text="add, restore: it would be. exists: there already. added, restored: done. error: see detail.",
    )
    detail = serializers.CharField(allow_null=True, help_text="What is wrong, in plain words.")
    course_run_key = serializers.CharField(allow_null=True, help_text="The run that the key resolves to now.")
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="Reason codes of what keeps learners from being enrolled now."
    )


class BulkAddedSerializer(serializers.Serializer):
    """The outcome of every key, in the order of the request."""

    results = BulkRowSerializer(many=True)


def render_bulk(each: KeyOutcome) -> dict[str, Any]:
    """Return the outcome of a key as plain data."""
    row = each.checked
    run = row.preview.description.content.run if row.preview else None
    return {
        "content_key": row.row.content_key,
        "outcome": each.outcome,
        "detail": each.detail or None,
        "course_run_key": run.key if run else None,
        "warnings": [warning.value for warning in row.warnings],
    }
