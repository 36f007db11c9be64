"""The step that creates a subscription plan; each plan of a customer is one step of this kind."""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.provisioning.errors import StepRefused
from enterprise_access.apps.provisioning.services.workflows.steps import RunningStep, Step
from enterprise_access.upstream.license_manager import creating
from enterprise_access.upstream.license_manager.creating import NewPlan, NewRenewal

TITLE_TAKEN: Final = "plan_title_taken"
RENEWED_OTHERWISE: Final = "plan_renewed_otherwise"


@frozen(kw_only=True)
class PlanInput:
    """A plan to be created."""

    customer_uuid: UUID
    agreement_uuid: UUID
    catalog_uuid: UUID
    title: str
    line_item: str | None
    starts_at: datetime
    expires_at: datetime
    licenses: int
    product_id: int


@frozen(kw_only=True)
class PlanOutput:
    """A plan, by the names that the API answers with."""

    uuid: UUID
    title: str
    salesforce_opportunity_line_item: str | None
    created: datetime
    start_date: datetime
    expiration_date: datetime
    is_active: bool
    is_current: bool
    plan_type: str | None
    enterprise_catalog_uuid: UUID | None
    product: int


class PlanStep(Step[PlanInput, PlanOutput]):
    """Find a plan by its line item, or create it.

    A plan without a line item is found by title and dates. Two plans without one are never the same for that alone.
    """

    input_class = PlanInput
    output_class = PlanOutput
    correctable: ClassVar = frozenset({"title", "line_item", "starts_at", "expires_at", "licenses", "product_id"})

    def find(self, given: PlanInput, running: RunningStep) -> PlanOutput | None:
        plans = creating.from_settings().list_plans(customer_uuid=given.customer_uuid)
        found = next((plan for plan in plans if _is_same(plan, given)), None)
        if found is not None:
            return _output(found, given)
        if any(plan.title == given.title for plan in plans):
            raise StepRefused(
                f"The customer has another plan with the title {given.title!r}. Choose another title, or the line item "
                "and dates of that plan.",
                reason=TITLE_TAKEN,
            )
        return None

    def create(self, given: PlanInput, running: RunningStep) -> PlanOutput:
        running.about_to_write("")
        plan = creating.from_settings().create_plan(
            agreement_uuid=given.agreement_uuid,
            catalog_uuid=given.catalog_uuid,
            title=given.title,
            line_item=given.line_item,
            starts_at=given.starts_at,
            expires_at=given.expires_at,
            licenses=given.licenses,
            product_id=given.product_id,
            is_internal=settings.PROVISIONING_PLANS_FOR_INTERNAL_USE,
        )
        return _output(plan, given)


def _is_same(plan: NewPlan, given: PlanInput) -> bool:
    if given.line_item is not None:
        return plan.line_item == given.line_item
    times = ((plan.starts_at, given.starts_at), (plan.expires_at, given.expires_at))
    return plan.title == given.title and all(one.replace(microsecond=0) == other for one, other in times)


def _output(plan: NewPlan, given: PlanInput) -> PlanOutput:
    return PlanOutput(
        uuid=plan.uuid,
        title=plan.title,
        salesforce_opportunity_line_item=plan.line_item,
        created=plan.created,
        start_date=plan.starts_at,
        expiration_date=plan.expires_at,
        is_active=plan.is_active,
        is_current=plan.is_current,
        plan_type=plan.plan_type,
        enterprise_catalog_uuid=plan.catalog_uuid,
        product=given.product_id,
    )


def find_renewal(*, prior_plan_uuid: UUID, renewed_plan_uuid: UUID | None) -> NewRenewal | None:
    """Return the renewal of a plan by another one; None where the plan has no renewal. Raises UpstreamError.

    Raises StepRefused where another plan renews it. `renewed_plan_uuid` None: the asked one does not exist yet.
    """
    found = creating.from_settings().find_renewal(prior_plan_uuid=prior_plan_uuid)
    if found is None or (renewed_plan_uuid is not None and found.renewed_plan_uuid == renewed_plan_uuid):
        return found
    other = f" by the plan {found.renewed_plan_uuid}" if found.renewed_plan_uuid else ""
    raise StepRefused(
        f"The plan {prior_plan_uuid} is renewed{other} already. Send the title, line item and dates of that one, or "
        "change it in license-manager.",
        reason=RENEWED_OTHERWISE,
    )
