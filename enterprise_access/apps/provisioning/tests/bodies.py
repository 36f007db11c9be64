"""Requests that provision a customer, as recordings/enterprise-access/provisioning-created.json sends them."""

from typing import Any

from enterprise_access.apps.provisioning.api.serializers import ProvisioningBody, asked_of
from enterprise_access.apps.provisioning.domain.customers import AskedProvisioning

NEW_ADMIN = "new-admin@example.com"
LINE_ITEM = "00k000000000001AAA"


def body_of(name: str = "Alpha", **changes: Any) -> dict[str, Any]:
    """Return a whole body for a customer with this name."""
    return {
        "enterprise_customer": {"name": name, "slug": name.lower(), "country": "US"},
        "pending_admins": [{"user_email": "ben@example.com"}, {"user_email": NEW_ADMIN}],
        "enterprise_catalog": {"title": f"{name} catalog", "catalog_query_id": 2},
        "customer_agreement": {"default_catalog_uuid": None},
        "trial_subscription_plan": {
            "title": f"{name} trial",
            "salesforce_opportunity_line_item": LINE_ITEM,
            "start_date": "2026-11-28T00:00:00Z",
            "expiration_date": "2026-12-12T00:00:00Z",
            "product_id": 4,
            "desired_num_licenses": 7,
            "enterprise_catalog_uuid": None,
        },
        "first_paid_subscription_plan": {
            "title": f"{name} first paid",
            "salesforce_opportunity_line_item": None,
            "product_id": 3,
        },
        **changes,
    }


def asked_to_provision(name: str) -> tuple[AskedProvisioning, tuple[str, ...]]:
    """Return what such a body asks for, and the addresses of the admins."""
    body = ProvisioningBody(data=body_of(name))
    body.is_valid(raise_exception=True)
    return asked_of(body.validated_data)
