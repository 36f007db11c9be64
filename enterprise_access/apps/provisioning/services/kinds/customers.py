"""The step that creates an enterprise customer."""

from typing import ClassVar, Final
from urllib.parse import urlsplit
from uuid import UUID

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.provisioning.domain.customers import AskedProvisioning
from enterprise_access.apps.provisioning.errors import StepRefused
from enterprise_access.apps.provisioning.services.workflows.steps import RunningStep, SoFar, Step
from enterprise_access.upstream.lms import creating as lms

CUSTOMER_DIFFERS: Final = "customer_differs"


@frozen(kw_only=True)
class CustomerInput:
    """The customer to be created."""

    name: str
    slug: str
    country: str


@frozen(kw_only=True)
class CustomerOutput:
    """The customer."""

    uuid: UUID
    name: str
    country: str | None
    slug: str


class CustomerStep(Step[CustomerInput, CustomerOutput]):
    """Find the customer by slug, or create it. A customer of another name or country is refused."""

    name = "enterprise_customer"
    title = "Enterprise customer"
    input_class = CustomerInput
    output_class = CustomerOutput
    correctable: ClassVar = frozenset({"name", "country"})

    def make_input(self, so_far: SoFar) -> CustomerInput:
        asked: AskedProvisioning = so_far.asked
        return CustomerInput(name=asked.customer.name, slug=asked.customer.slug, country=asked.customer.country)

    def find(self, given: CustomerInput, running: RunningStep) -> CustomerOutput | None:
        found = lms.from_settings().find_customer(slug=given.slug)
        if found is None:
            return None
        differing = [name for name in ("name", "country") if getattr(found, name) != getattr(given, name)]
        if differing:
            named = " and ".join(f"{name} {getattr(found, name)!r}" for name in differing)
            raise StepRefused(
                f"There is a customer with the slug {given.slug!r}, and it has the {named}. Use another slug, or the "
                "values of that customer.",
                reason=CUSTOMER_DIFFERS,
            )
        return CustomerOutput(uuid=found.uuid, name=found.name, country=found.country, slug=found.slug)

    def create(self, given: CustomerInput, running: RunningStep) -> CustomerOutput:
        running.about_to_write("")
        made = lms.from_settings().create_customer(
            name=given.name, slug=given.slug, country=given.country, site_domain=_site_domain()
        )
        return CustomerOutput(uuid=made.uuid, name=made.name, country=made.country, slug=made.slug)


@frozen(kw_only=True)
class CopyInput:
    """The customer to be known here."""

    customer_uuid: UUID


@frozen(kw_only=True)
class CopyOutput:
    """Whether the customer is known here. The LMS tells of active customers only."""

    is_known: bool


class CopyStep(Step[CopyInput, CopyOutput]):
    """Keep a copy of the customer, so that staff find it before its first learner comes."""

    name = "customer_copy"
    title = "Customer in this service"
    input_class = CopyInput
    output_class = CopyOutput

    def make_input(self, so_far: SoFar) -> CopyInput:
        return CopyInput(customer_uuid=so_far.output(CustomerStep).uuid)

    def find(self, given: CopyInput, running: RunningStep) -> CopyOutput | None:
        return CopyOutput(is_known=True) if get_customer(customer_uuid=given.customer_uuid) else None

    def create(self, given: CopyInput, running: RunningStep) -> CopyOutput:
        try:
            fetch_customer(customer_uuid=given.customer_uuid)
        except CustomerUnknown:
            return CopyOutput(is_known=False)
        return CopyOutput(is_known=True)


def _site_domain() -> str:
    return settings.PROVISIONING_SITE_DOMAIN or urlsplit(settings.LMS_BASE_URL).netloc
