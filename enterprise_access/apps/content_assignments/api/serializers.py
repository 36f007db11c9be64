"""Assignments over the wire: classes describe, functions write what the classes say."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.domain.showing import LearnerState
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.selectors import describe
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy
from enterprise_access.lib.api.pages import ListPageSerializer

Actions = Mapping[UUID, Sequence[LearnerContentAssignmentAction]]


class ActionSerializer(serializers.Serializer):
    """An action on an assignment."""

    uuid = serializers.UUIDField()
    action_type = serializers.CharField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True, help_text="Null: it failed.")
    error_reason = serializers.CharField(allow_null=True, help_text="A stable code.")


class ExpirationSerializer(serializers.Serializer):
    """When an assignment expires, if known."""

    date = serializers.DateTimeField()
    reason = serializers.ChoiceField(choices=[reason.value for reason in ExpirationReason])


class AssignmentSerializer(serializers.Serializer):
    """Content that is assigned to one person, who may redeem it."""

    uuid = serializers.UUIDField()
    assignment_configuration = serializers.UUIDField(allow_null=True)
    learner_email = serializers.EmailField(allow_null=True, help_text="Null: it was cleared.")
    lms_user_id = serializers.IntegerField(
        allow_null=True, help_text="Null: no account with this address was seen yet."
    )
    content_key = serializers.CharField()
    parent_content_key = serializers.CharField(allow_null=True, help_text="The course of an assigned run.")
    is_assigned_course_run = serializers.BooleanField()
    content_title = serializers.CharField()
    content_quantity = serializers.IntegerField(help_text="In cents; negative.")
    state = serializers.CharField(help_text=", ".join(AssignmentState))
    transaction_uuid = serializers.UUIDField(allow_null=True)
    actions = ActionSerializer(many=True)
    earliest_possible_expiration = ExpirationSerializer()


class RecentActionSerializer(serializers.Serializer):
    """What happened last."""

    action_type = serializers.CharField()
    timestamp = serializers.DateTimeField()


class FailureSerializer(serializers.Serializer):
    """The last failure."""

    action_type = serializers.CharField()
    error_reason = serializers.CharField()


class AdminAssignmentSerializer(AssignmentSerializer):
    """The same as admins see it."""

    recent_action = RecentActionSerializer()
    learner_state = serializers.ChoiceField(choices=[state.value for state in LearnerState], allow_null=True)
    error_reason = FailureSerializer(allow_null=True)


class AssignmentPageSerializer(ListPageSerializer):
    """A page of the caller's own assignments."""

    results = AssignmentSerializer(many=True)


class StateCountSerializer(serializers.Serializer):
    """How many assignments have one learner state."""

    learner_state = serializers.CharField()
    count = serializers.IntegerField()


class AdminAssignmentPageSerializer(ListPageSerializer):
    """A page of a configuration's assignments."""

    results = AdminAssignmentSerializer(many=True)
    learner_state_counts = StateCountSerializer(
        many=True, help_text="Of all pages together, regardless of the learner state filter."
    )


class AllocatedSerializer(serializers.Serializer):
    """The assignments of all named learners."""

    created = AssignmentSerializer(many=True)
    updated = AssignmentSerializer(many=True, help_text="Ended ones that were allocated again.")
    no_change = AssignmentSerializer(many=True, help_text="Allocated or redeemed already.")


class AllocationRefusalSerializer(serializers.Serializer):
    """Why nothing was allocated; the answer is a list of these."""

    reason = serializers.CharField(help_text="A stable code.")
    user_message = serializers.CharField()
    error_message = serializers.CharField(required=False)
    metadata = serializers.DictField()
    policy_uuids = serializers.ListField(child=serializers.UUIDField())


class AcknowledgedSerializer(serializers.Serializer):
    """The caller's own assignments among those that were named."""

    acknowledged_assignments = serializers.ListField(child=serializers.UUIDField())
    already_acknowledged_assignments = serializers.ListField(child=serializers.UUIDField())
    unacknowledged_assignments = serializers.ListField(child=serializers.UUIDField())


class NudgedSerializer(serializers.Serializer):
    """The assignments whose learners are reminded, and the others."""

    nudged_assignment_uuids = serializers.ListField(child=serializers.UUIDField())
    unnudged_assignment_uuids = serializers.ListField(child=serializers.UUIDField())


class ConfigurationSerializer(serializers.Serializer):
    """What assignments of a budget have in common."""

    uuid = serializers.UUIDField()
    subsidy_access_policy = serializers.UUIDField()
    enterprise_customer_uuid = serializers.UUIDField()
    active = serializers.BooleanField(help_text="As the budget.")


class ConfigurationPageSerializer(ListPageSerializer):
    """A page of configurations."""

    results = ConfigurationSerializer(many=True)


def render_assignment(row: Assignment, actions: Actions) -> dict[str, Any]:
    """Return an assignment as its learner sees it."""
    return describe(row, actions.get(row.pk, ()))


def render_for_admin(row: Assignment, actions: Actions) -> dict[str, Any]:
    """Return an assignment as admins see it."""
    return {
        **describe(row, actions.get(row.pk, ())),
        "recent_action": {"action_type": row.recent_action, "timestamp": row.recent_action_at},
        "learner_state": row.learner_state or None,
        "error_reason": _last_failure(row, actions.get(row.pk, ())),
    }


def _last_failure(row: Assignment, actions: Sequence[LearnerContentAssignmentAction]) -> dict[str, Any] | None:
    """Return what failed last in the present life."""
    failed = [action for action in actions if action.error_reason and action.created >= row.allocated_at]
    if not failed:
        return None
    return {"action_type": failed[-1].action_type, "error_reason": failed[-1].error_reason}


def render_configuration(policy: SubsidyAccessPolicy) -> dict[str, Any]:
    """Return the configuration of a budget."""
    return {
        "uuid": policy.assignment_configuration,
        "subsidy_access_policy": policy.pk,
        "enterprise_customer_uuid": policy.customer_uuid,
        "active": policy.active,
    }
