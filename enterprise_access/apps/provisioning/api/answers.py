"""What the provisioning API answers: results in the shape of the earlier service, and workflows with their steps."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from enterprise_access.apps.provisioning.api.serializers import people_of
from enterprise_access.apps.provisioning.domain.states import FINISHED_STEPS, StepState, WorkflowState
from enterprise_access.apps.provisioning.models import WorkflowStep
from enterprise_access.apps.provisioning.services.provisioning import Progress

ADMINS = "customer_admins"
AGREEMENT = "customer_agreement"
# Steps that create nothing that a caller could use.
OWN_STEPS = frozenset({"customer_copy", "notification"})


def results_of(progress: Progress, people: Sequence[str]) -> dict[str, Any]:
    """Return what exists, by step; of the admins only those whose addresses the caller has sent."""
    done = [step for step in progress.steps if step.state == StepState.DONE and step.name not in OWN_STEPS]
    return {step.name: _output(step, people) for step in done}


def _output(step: WorkflowStep, people: Sequence[str]) -> Any:
    output: dict[str, Any] = dict(step.output or {})
    if step.name == ADMINS:
        return people_of(output["created"], people)
    return output | {"subscriptions": []} if step.name == AGREEMENT else output


class ProvisionedPersonSerializer(serializers.Serializer):
    """An admin."""

    user_email = serializers.EmailField()


class ProvisionedAdminsSerializer(serializers.Serializer):
    """Admins who were added, and those who already were admins."""

    created_admins = ProvisionedPersonSerializer(many=True)
    existing_admins = ProvisionedPersonSerializer(many=True)


class ProvisionedCustomerSerializer(serializers.Serializer):
    """The customer."""

    uuid = serializers.UUIDField()
    name = serializers.CharField()
    country = serializers.CharField(allow_null=True)
    slug = serializers.CharField()


class ProvisionedCatalogSerializer(serializers.Serializer):
    """The catalog."""

    uuid = serializers.UUIDField()
    enterprise_customer_uuid = serializers.UUIDField()
    title = serializers.CharField()
    catalog_query_id = serializers.IntegerField()


class ProvisionedAgreementSerializer(serializers.Serializer):
    """The agreement. Its plans are listed separately; `subscriptions` is always empty."""

    uuid = serializers.UUIDField()
    enterprise_customer_uuid = serializers.UUIDField()
    default_catalog_uuid = serializers.UUIDField(allow_null=True)
    subscriptions = serializers.ListField(child=serializers.DictField())


class ProvisionedPlanSerializer(serializers.Serializer):
    """A plan."""

    uuid = serializers.UUIDField()
    title = serializers.CharField()
    salesforce_opportunity_line_item = serializers.CharField(allow_null=True)
    created = serializers.DateTimeField()
    start_date = serializers.DateTimeField()
    expiration_date = serializers.DateTimeField()
    is_active = serializers.BooleanField()
    is_current = serializers.BooleanField()
    plan_type = serializers.CharField(allow_null=True)
    enterprise_catalog_uuid = serializers.UUIDField(allow_null=True)
    product = serializers.IntegerField()


class ProvisionedRenewalSerializer(serializers.Serializer):
    """The renewal of the trial plan by the first paid plan."""

    id = serializers.IntegerField()
    prior_subscription_plan = serializers.UUIDField()
    renewed_subscription_plan = serializers.UUIDField(allow_null=True)
    number_of_licenses = serializers.IntegerField()
    effective_date = serializers.DateTimeField()
    renewed_expiration_date = serializers.DateTimeField()


class ProvisionedSerializer(serializers.Serializer):
    """What was provisioned."""

    enterprise_customer = ProvisionedCustomerSerializer()
    customer_admins = ProvisionedAdminsSerializer()
    enterprise_catalog = ProvisionedCatalogSerializer()
    customer_agreement = ProvisionedAgreementSerializer()
    trial_subscription_plan = ProvisionedPlanSerializer()
    first_paid_subscription_plan = ProvisionedPlanSerializer()
    subscription_plan_renewal = ProvisionedRenewalSerializer()


class LineItemSetSerializer(serializers.Serializer):
    """The changed plan. This service has no checkout intents: those members are null."""

    success = serializers.BooleanField()
    subscription_plan_uuid = serializers.UUIDField()
    salesforce_opportunity_line_item = serializers.CharField()
    checkout_intent_uuid = serializers.UUIDField(allow_null=True)
    checkout_intent_id = serializers.IntegerField(allow_null=True)
    workflow_uuid = serializers.UUIDField()


class StepSerializer(serializers.Serializer):
    """A step of a workflow. `output` contains no personal data."""

    name = serializers.CharField()
    state = serializers.ChoiceField(choices=[each.value for each in StepState])
    has_created = serializers.BooleanField(source="is_created")
    attempts = serializers.IntegerField()
    error = serializers.CharField(help_text="A stable code; empty without an error.")
    problem = serializers.CharField(help_text="The error in a sentence.")
    output = serializers.DictField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class WorkflowSerializer(serializers.Serializer):
    """A workflow and its steps, in order."""

    uuid = serializers.UUIDField(source="workflow.uuid")
    url = serializers.SerializerMethodField()
    kind = serializers.CharField(source="workflow.kind")
    subject = serializers.CharField(source="workflow.subject")
    state = serializers.ChoiceField(choices=[each.value for each in WorkflowState])
    stopped_at = serializers.SerializerMethodField(help_text="The step that has an error; null without one.")
    next_attempt_at = serializers.DateTimeField(source="workflow.due_at", allow_null=True)
    created_at = serializers.DateTimeField(source="workflow.created_at")
    started_at = serializers.DateTimeField(source="workflow.started_at", allow_null=True)
    ended_at = serializers.DateTimeField(source="workflow.ended_at", allow_null=True)
    steps = StepSerializer(many=True)

    @extend_schema_field(serializers.URLField())
    def get_url(self, progress: Progress) -> str:
        return workflow_url(progress, self.context["request"])

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_stopped_at(self, progress: Progress) -> str | None:
        step = progress.stopped_at
        return step.name if step is not None and step.state not in FINISHED_STEPS else None


def workflow_url(progress: Progress, request: Any) -> str:
    """Return the address of a workflow."""
    return reverse("provisioning-workflow", kwargs={"workflow_uuid": progress.workflow.pk}, request=request)
