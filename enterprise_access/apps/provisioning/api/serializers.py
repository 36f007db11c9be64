"""Bodies of the provisioning API, and its answers."""

from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from enterprise_access.apps.provisioning.domain.countries import COUNTRIES
from enterprise_access.apps.provisioning.domain.customers import (
    MAX_NAME,
    AskedCatalog,
    AskedCustomer,
    AskedPlan,
    AskedProvisioning,
    default_catalog_title,
    is_line_item,
    one_year_after,
)
from enterprise_access.lib.api import StrictSerializer, TextField, UuidTextField

MAX_ADMINS: Final = 50
MAX_LICENSES: Final = 100_000
# The titles and names that the LMS and license-manager have room for.
MAX_TITLE: Final = 128


class WholeNumberField(serializers.IntegerField):
    """A number, and no text that could be read as one."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse text, truth values and fractions."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


class PlanTimeField(serializers.DateTimeField):
    """When a plan begins or ends."""

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse the last year that there is: a plan may be followed by one that ends a year later."""
        instant: datetime = super().enforce_timezone(value)
        if instant.year == MAXYEAR:
            raise serializers.ValidationError(_("This year is too far ahead."))
        return instant


class LineItemField(TextField):
    """The id of a Salesforce opportunity line item."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what can be no line item."""
        text = super().to_internal_value(data)
        if not is_line_item(text):
            raise serializers.ValidationError(_("This is not a line item: 00k and 12 or 15 more letters or digits."))
        return text


class ProductField(WholeNumberField):
    """The id of a product of license-manager, one of those in PROVISIONING_CATALOG_QUERIES."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse products that are not configured."""
        product = super().to_internal_value(data)
        if product not in settings.PROVISIONING_CATALOG_QUERIES:
            raise serializers.ValidationError(_("This product is not known here."))
        return product


class QueryField(WholeNumberField):
    """The id of a catalog query of the LMS, one of those in PROVISIONING_CATALOG_QUERIES."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse queries that are not configured."""
        query = super().to_internal_value(data)
        if query not in settings.PROVISIONING_CATALOG_QUERIES.values():
            raise serializers.ValidationError(_("This catalog query is not known here."))
        return query


class CountryField(TextField):
    """An ISO 3166-1 alpha-2 code."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what is no country."""
        code = super().to_internal_value(data)
        if code not in COUNTRIES:
            raise serializers.ValidationError(_("This is not a country code (ISO 3166-1, two letters)."))
        return code


class ProvisionedCustomerBody(StrictSerializer):
    """The customer."""

    name = TextField(max_length=MAX_NAME)
    slug = serializers.SlugField(max_length=30)
    country = CountryField()


class AdminBody(StrictSerializer):
    """A person to make an admin."""

    user_email = serializers.EmailField(max_length=254)


class CatalogBody(StrictSerializer):
    """The catalog; what is left out follows from the customer's name and the product of the trial plan."""

    title = TextField(required=False, max_length=MAX_NAME)
    catalog_query_id = QueryField(required=False)


class AgreementBody(StrictSerializer):
    """The customer agreement."""

    default_catalog_uuid = UuidTextField(required=False, allow_null=True)


class TrialPlanBody(StrictSerializer):
    """The trial plan."""

    title = TextField(max_length=MAX_TITLE)
    salesforce_opportunity_line_item = LineItemField()
    start_date = PlanTimeField()
    expiration_date = PlanTimeField()
    product_id = ProductField()
    desired_num_licenses = WholeNumberField(min_value=1, max_value=MAX_LICENSES)
    enterprise_catalog_uuid = UuidTextField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a plan that ends before it begins."""
        return _with_dates_in_order(attrs)


class FirstPaidPlanBody(StrictSerializer):
    """The plan that follows the trial. Default: one year, with the same number of licenses."""

    title = TextField(max_length=MAX_TITLE)
    salesforce_opportunity_line_item = LineItemField(allow_null=True)
    start_date = PlanTimeField(required=False)
    expiration_date = PlanTimeField(required=False)
    product_id = ProductField()
    desired_num_licenses = WholeNumberField(required=False, min_value=1, max_value=MAX_LICENSES)
    enterprise_catalog_uuid = UuidTextField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a plan that ends before it begins."""
        return _with_dates_in_order(attrs)


def _with_dates_in_order(values: dict[str, Any]) -> dict[str, Any]:
    begins, ends = values.get("start_date"), values.get("expiration_date")
    if begins is not None and ends is not None and ends <= begins:
        raise serializers.ValidationError({"expiration_date": [_("The plan ends before it begins.")]})
    return values


class ProvisioningBody(StrictSerializer):
    """A new customer with its admins, catalog, agreement and plans."""

    enterprise_customer = ProvisionedCustomerBody()
    pending_admins = serializers.ListField(child=AdminBody(), max_length=MAX_ADMINS)
    enterprise_catalog = CatalogBody(required=False)
    customer_agreement = AgreementBody(required=False)
    trial_subscription_plan = TrialPlanBody()
    first_paid_subscription_plan = FirstPaidPlanBody()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse plans that overlap, and two that are the same."""
        trial, paid = attrs["trial_subscription_plan"], attrs["first_paid_subscription_plan"]
        faults: dict[str, list[Any]] = {}
        begins = paid.get("start_date", trial["expiration_date"])
        if begins < trial["expiration_date"]:
            faults["start_date"] = [_("The first paid plan begins before the trial plan ends.")]
        if paid.get("expiration_date", one_year_after(begins)) <= begins:
            faults["expiration_date"] = [_("The plan ends before it begins.")]
        if paid["title"] == trial["title"]:
            faults["title"] = [_("Both plans have the same title.")]
        if paid["salesforce_opportunity_line_item"] == trial["salesforce_opportunity_line_item"]:
            faults["salesforce_opportunity_line_item"] = [_("Both plans have the same line item.")]
        if faults:
            raise serializers.ValidationError({"first_paid_subscription_plan": faults})
        return attrs


def asked_of(body: Mapping[str, Any]) -> tuple[AskedProvisioning, tuple[str, ...]]:
    """Return what a valid body asks for, and the addresses of the admins, each once."""
    people = tuple({row["user_email"].casefold(): row["user_email"].lower() for row in body["pending_admins"]}.values())
    trial = _plan(body["trial_subscription_plan"])
    customer = AskedCustomer(**body["enterprise_customer"])
    catalog = body.get("enterprise_catalog", {})
    query = catalog.get("catalog_query_id", settings.PROVISIONING_CATALOG_QUERIES[trial.product_id])
    asked = AskedProvisioning(
        customer=customer,
        admins=len(people),
        catalog=AskedCatalog(title=catalog.get("title", default_catalog_title(customer.name)), catalog_query_id=query),
        default_catalog_uuid=body.get("customer_agreement", {}).get("default_catalog_uuid"),
        trial_plan=trial,
        first_paid_plan=_paid_plan(body["first_paid_subscription_plan"], trial),
    )
    return asked, people


def _paid_plan(body: Mapping[str, Any], trial: AskedPlan) -> AskedPlan:
    begins = body.get("start_date", trial.expires_at)
    defaults = {
        "start_date": begins,
        "expiration_date": one_year_after(begins),
        "desired_num_licenses": trial.licenses,
        "enterprise_catalog_uuid": trial.catalog_uuid,
    }
    return _plan({**defaults, **body})


def _plan(body: Mapping[str, Any]) -> AskedPlan:
    return AskedPlan(
        title=body["title"],
        line_item=body["salesforce_opportunity_line_item"],
        starts_at=body["start_date"],
        expires_at=body["expiration_date"],
        licenses=body["desired_num_licenses"],
        product_id=body["product_id"],
        catalog_uuid=body.get("enterprise_catalog_uuid"),
    )


class LineItemBody(StrictSerializer):
    """The plan, named by the workflow that provisioned it, and its line item."""

    salesforce_opportunity_line_item = LineItemField()
    workflow_uuid = UuidTextField(required=False)
    checkout_intent_uuid = UuidTextField(required=False)
    checkout_intent_id = WholeNumberField(required=False, min_value=1)
    is_trial = serializers.BooleanField(required=False, default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a body that names no plan."""
        if not attrs.keys() & {"workflow_uuid", "checkout_intent_uuid", "checkout_intent_id"}:
            raise serializers.ValidationError(
                _("One of workflow_uuid, checkout_intent_id and checkout_intent_uuid is required.")
            )
        return attrs


class RetryBody(StrictSerializer):
    """Corrected members of the input of the step that failed, by name."""

    correction = serializers.DictField(required=False, default=dict)


def people_of(flags: Sequence[bool], people: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return who was made an admin, and who was one before."""
    pairs = list(zip(people, flags, strict=False))
    return {
        "created_admins": [{"user_email": email} for email, is_created in pairs if is_created],
        "existing_admins": [{"user_email": email} for email, is_created in pairs if not is_created],
    }
