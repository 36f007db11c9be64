"""The workflow that provisions a customer: customer, admins, catalog, agreement, two plans, renewal, and mails."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from attrs import asdict, frozen
from django.conf import settings

from enterprise_access.apps.provisioning.domain.customers import AskedPlan, AskedProvisioning
from enterprise_access.apps.provisioning.services.kinds.admin_mails import AdminMailsInput, AdminMailsStep
from enterprise_access.apps.provisioning.services.kinds.admins import AdminsInput, AdminsStep
from enterprise_access.apps.provisioning.services.kinds.customers import CopyStep, CustomerStep
from enterprise_access.apps.provisioning.services.kinds.plans import PlanInput, PlanOutput, PlanStep, find_renewal
from enterprise_access.apps.provisioning.services.workflows.steps import (
    RunningStep,
    SoFar,
    Step,
    WorkflowKind,
    register,
)
from enterprise_access.upstream.license_manager import creating as licenses
from enterprise_access.upstream.lms import creating as lms


class CustomersAdminsStep(AdminsStep):
    """The admins of the customer."""

    def make_input(self, so_far: SoFar) -> AdminsInput:
        return AdminsInput(customer_uuid=so_far.output(CustomerStep).uuid, admins=so_far.asked.admins)


@frozen(kw_only=True)
class CatalogInput:
    """The catalog to be created."""

    customer_uuid: UUID
    title: str
    catalog_query_id: int


@frozen(kw_only=True)
class CatalogOutput:
    """The catalog."""

    uuid: UUID
    enterprise_customer_uuid: UUID
    title: str
    catalog_query_id: int


class CatalogStep(Step[CatalogInput, CatalogOutput]):
    """Find the customer's catalog with the query, or create it."""

    name = "enterprise_catalog"
    title = "Catalog"
    input_class = CatalogInput
    output_class = CatalogOutput
    correctable: ClassVar = frozenset({"title", "catalog_query_id"})

    def make_input(self, so_far: SoFar) -> CatalogInput:
        asked: AskedProvisioning = so_far.asked
        return CatalogInput(
            customer_uuid=so_far.output(CustomerStep).uuid,
            title=asked.catalog.title,
            catalog_query_id=asked.catalog.catalog_query_id,
        )

    def find(self, given: CatalogInput, running: RunningStep) -> CatalogOutput | None:
        found = lms.from_settings().find_catalog(
            customer_uuid=given.customer_uuid, catalog_query_id=given.catalog_query_id
        )
        return None if found is None else _catalog(found, given)

    def create(self, given: CatalogInput, running: RunningStep) -> CatalogOutput:
        running.about_to_write("")
        made = lms.from_settings().create_catalog(
            customer_uuid=given.customer_uuid, title=given.title, catalog_query_id=given.catalog_query_id
        )
        return _catalog(made, given)


def _catalog(found: lms.NewCatalog, given: CatalogInput) -> CatalogOutput:
    return CatalogOutput(
        uuid=found.uuid,
        enterprise_customer_uuid=given.customer_uuid,
        title=found.title,
        catalog_query_id=given.catalog_query_id,
    )


@frozen(kw_only=True)
class AgreementInput:
    """The agreement to be created."""

    customer_uuid: UUID
    customer_slug: str
    default_catalog_uuid: UUID | None


@frozen(kw_only=True)
class AgreementOutput:
    """The agreement."""

    uuid: UUID
    enterprise_customer_uuid: UUID
    default_catalog_uuid: UUID | None


class AgreementStep(Step[AgreementInput, AgreementOutput]):
    """Find the customer's agreement, or create it."""

    name = "customer_agreement"
    title = "Customer agreement"
    input_class = AgreementInput
    output_class = AgreementOutput
    correctable: ClassVar = frozenset({"default_catalog_uuid"})

    def make_input(self, so_far: SoFar) -> AgreementInput:
        customer = so_far.output(CustomerStep)
        return AgreementInput(
            customer_uuid=customer.uuid,
            customer_slug=customer.slug,
            default_catalog_uuid=so_far.asked.default_catalog_uuid,
        )

    def find(self, given: AgreementInput, running: RunningStep) -> AgreementOutput | None:
        found = licenses.from_settings().find_agreement(customer_uuid=given.customer_uuid)
        return None if found is None else _agreement(found)

    def create(self, given: AgreementInput, running: RunningStep) -> AgreementOutput:
        running.about_to_write("")
        made = licenses.from_settings().create_agreement(**asdict(given))
        return _agreement(made)


def _agreement(found: licenses.NewAgreement) -> AgreementOutput:
    return AgreementOutput(
        uuid=found.uuid,
        enterprise_customer_uuid=found.customer_uuid,
        default_catalog_uuid=found.default_catalog_uuid,
    )


def _plan_input(so_far: SoFar, plan: AskedPlan) -> PlanInput:
    return PlanInput(
        customer_uuid=so_far.output(CustomerStep).uuid,
        agreement_uuid=so_far.output(AgreementStep).uuid,
        catalog_uuid=plan.catalog_uuid or so_far.output(CatalogStep).uuid,
        title=plan.title,
        line_item=plan.line_item,
        starts_at=plan.starts_at,
        expires_at=plan.expires_at,
        licenses=plan.licenses,
        product_id=plan.product_id,
    )


class TrialPlanStep(PlanStep):
    """The plan that the customer tries."""

    name = "trial_subscription_plan"
    title = "Trial plan"

    def make_input(self, so_far: SoFar) -> PlanInput:
        return _plan_input(so_far, so_far.asked.trial_plan)


class FirstPaidPlanStep(PlanStep):
    """The plan that follows the trial. None is created beside the plan that renews the trial already."""

    name = "first_paid_subscription_plan"
    title = "First paid plan"

    def make_input(self, so_far: SoFar) -> PlanInput:
        return _plan_input(so_far, so_far.asked.first_paid_plan)

    def find(self, given: PlanInput, running: RunningStep) -> PlanOutput | None:
        found = super().find(given, running)
        if found is None:
            find_renewal(prior_plan_uuid=running.so_far.output(TrialPlanStep).uuid, renewed_plan_uuid=None)
        return found


@frozen(kw_only=True)
class RenewalInput:
    """The renewal to be created."""

    prior_plan_uuid: UUID
    renewed_plan_uuid: UUID
    line_item: str | None
    effective_at: datetime
    expires_at: datetime
    licenses: int


@frozen(kw_only=True)
class RenewalOutput:
    """The renewal, by the names that the API answers with."""

    id: int
    prior_subscription_plan: UUID
    renewed_subscription_plan: UUID | None
    number_of_licenses: int
    effective_date: datetime
    renewed_expiration_date: datetime


class RenewalStep(Step[RenewalInput, RenewalOutput]):
    """Find the renewal from the trial plan to the first paid plan, or create it."""

    name = "subscription_plan_renewal"
    title = "Renewal"
    input_class = RenewalInput
    output_class = RenewalOutput
    correctable: ClassVar = frozenset({"effective_at", "expires_at", "licenses"})

    def make_input(self, so_far: SoFar) -> RenewalInput:
        trial, paid = so_far.output(TrialPlanStep), so_far.output(FirstPaidPlanStep)
        return RenewalInput(
            prior_plan_uuid=trial.uuid,
            renewed_plan_uuid=paid.uuid,
            line_item=paid.salesforce_opportunity_line_item,
            effective_at=paid.start_date,
            expires_at=paid.expiration_date,
            licenses=so_far.asked.first_paid_plan.licenses,
        )

    def find(self, given: RenewalInput, running: RunningStep) -> RenewalOutput | None:
        found = find_renewal(prior_plan_uuid=given.prior_plan_uuid, renewed_plan_uuid=given.renewed_plan_uuid)
        return None if found is None else _renewal(found)

    def create(self, given: RenewalInput, running: RunningStep) -> RenewalOutput:
        running.about_to_write("")
        made = licenses.from_settings().create_renewal(**asdict(given))
        return _renewal(made)


def _renewal(found: licenses.NewRenewal) -> RenewalOutput:
    return RenewalOutput(
        id=found.id,
        prior_subscription_plan=found.prior_plan_uuid,
        renewed_subscription_plan=found.renewed_plan_uuid,
        number_of_licenses=found.number_of_licenses,
        effective_date=found.effective_at,
        renewed_expiration_date=found.expires_at,
    )


class MailsStep(AdminMailsStep):
    """The mails to those who were made admins."""

    def make_input(self, so_far: SoFar) -> AdminMailsInput | None:
        created = so_far.output(CustomersAdminsStep).created
        places = tuple(place for place, is_created in enumerate(created) if is_created)
        if not (places and settings.PROVISIONING_MAILS_ADMINS):
            return None
        return AdminMailsInput(customer_uuid=so_far.output(CustomerStep).uuid, places=places)


PROVISION_CUSTOMER = register(
    WorkflowKind(
        name="provision_customer",
        title="Provision a customer",
        input_class=AskedProvisioning,
        steps=(
            CustomerStep(),
            CustomersAdminsStep(),
            CatalogStep(),
            AgreementStep(),
            TrialPlanStep(),
            FirstPaidPlanStep(),
            RenewalStep(),
            CopyStep(),
            MailsStep(),
        ),
    )
)
