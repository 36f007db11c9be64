"""The JSON objects of license-manager, key for key."""

from __future__ import annotations

from typing import Any

from ..answers import instant
from ..licensing import auto_apply_plan
from ..values import Agreement, License, LicenseStatus, Plan
from ..world import World

TRIAL_PRODUCT = 4

MODAL_TEXTS = (
    "has_custom_license_expiration_messaging_v2",
    "modal_header_text_v2",
    "expired_subscription_modal_messaging_v2",
    "button_label_in_modal_v2",
    "url_for_button_in_modal_v2",
)


def license_record(row: License) -> dict[str, Any]:
    """A license as the list of a plan shows it."""
    return {
        "uuid": str(row.uuid),
        "status": row.status.value,
        "user_email": row.user_email,
        "activation_date": instant(row.activated_at),
        "last_remind_date": instant(row.reminded_at),
        "subscription_plan_uuid": str(row.plan_uuid),
        "revoked_date": instant(row.revoked_at),
        "activation_key": str(row.activation_key) if row.activation_key else None,
    }


def learner_license_record(world: World, row: License) -> dict[str, Any]:
    """A license as its learner sees it: with agreement and plan."""
    plan = world.plan(row.plan_uuid)
    agreement = world.tables.agreements.get(plan.agreement_uuid)
    return license_record(row) | {
        "customer_agreement": agreement_record(world, agreement) if agreement else None,
        "subscription_plan": plan_record(world, plan),
    }


def staff_license_record(world: World, row: License) -> dict[str, Any]:
    """A license as the staff look-up shows it: no activation key."""
    plan = world.plan(row.plan_uuid)
    return {
        "uuid": str(row.uuid),
        "status": row.status.value,
        "user_email": row.user_email,
        "assigned_date": instant(row.assigned_at),
        "activation_date": instant(row.activated_at),
        "revoked_date": instant(row.revoked_at),
        "last_remind_date": instant(row.reminded_at),
        "subscription_plan_title": plan.title,
        "subscription_plan_expiration_date": instant(plan.expires_at),
        "subscription_plan": plan_record(world, plan),
    }


def looked_up_license_record(world: World, row: License) -> dict[str, Any]:
    """A license as the look-up by address shows it: no uuid but the one in the link."""
    plan = world.plan(row.plan_uuid)
    slug = world.customer(plan.customer_uuid).slug
    link = f"https://learner-portal.example.com/{slug}/licenses/{row.activation_key}/activate"
    return {
        "status": row.status.value,
        "assigned_date": instant(row.assigned_at),
        "activation_date": instant(row.activated_at),
        "revoked_date": instant(row.revoked_at),
        "last_remind_date": instant(row.reminded_at),
        "subscription_plan_title": plan.title,
        "subscription_plan_expiration_date": instant(plan.expires_at),
        "activation_link": link if row.activation_key else None,
    }


def plan_record(world: World, row: Plan, *, is_counted: bool = False) -> dict[str, Any]:
    """A plan; with its licenses counted by state where a list of plans shows it."""
    now = world.now()
    record = {
        "title": row.title,
        "uuid": str(row.uuid),
        "start_date": instant(row.starts_at),
        "expiration_date": instant(row.expires_at),
        "enterprise_customer_uuid": str(row.customer_uuid),
        "enterprise_catalog_uuid": str(row.catalog_uuid) if row.catalog_uuid else None,
        "is_active": row.is_active,
        "is_current": row.is_current(now),
        "is_revocation_cap_enabled": False,
        "days_until_expiration": row.days_left(now),
        "days_until_expiration_including_renewals": row.days_left(now),
        "is_locked_for_renewal_processing": False,
        "should_auto_apply_licenses": row.auto_applies,
        "created": instant(row.created_at),
        "plan_type": "Trial" if row.product == TRIAL_PRODUCT else "Standard Paid",
        "salesforce_opportunity_line_item": f"00k{row.number:015d}" if row.line_item == "" else row.line_item,
    }
    if not is_counted:
        return record
    return record | {"licenses": _counts(world, row), "revocations": None, "prior_renewals": []}


def agreement_record(world: World, row: Agreement) -> dict[str, Any]:
    now = world.now()
    customer = world.customer(row.customer_uuid)
    plans = world.tables.plans.where(agreement=row.uuid)
    applied = auto_apply_plan(world, row)
    catalogs = {str(plan.catalog_uuid) for plan in plans if plan.is_active and plan.catalog_uuid}
    return {
        "uuid": str(row.uuid),
        "enterprise_customer_uuid": str(row.customer_uuid),
        "enterprise_customer_slug": customer.slug,
        "default_enterprise_catalog_uuid": str(row.default_catalog_uuid) if row.default_catalog_uuid else None,
        "disable_expiration_notifications": row.disables_expiration_notifications,
        "net_days_until_expiration": max((plan.days_left(now) for plan in plans), default=0),
        "subscription_for_auto_applied_licenses": str(applied.uuid) if applied else None,
        "available_subscription_catalogs": sorted(catalogs),
        "enable_auto_applied_subscriptions_with_universal_link": row.has_universal_link,
        **dict.fromkeys(MODAL_TEXTS),
    }


def _counts(world: World, row: Plan) -> dict[str, int]:
    """Count by state. The total leaves out revoked licenses' places, which fresh ones have taken."""
    counts = {str(status): world.tables.licenses.count(plan_status=(row.uuid, status)) for status in LicenseStatus}
    allocated = counts["activated"] + counts["assigned"]
    total = allocated + counts["unassigned"]
    order = ("activated", "assigned", "unassigned", "revoked")
    return {name: counts[name] for name in order} | {"total": total, "allocated": allocated}
