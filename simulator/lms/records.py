"""The JSON objects of edx-enterprise, key for key."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ..answers import instant, whole_second
from ..catalog.records import normalized
from ..enrolling import best_mode
from ..tables import fold
from ..tokens import roles_of
from ..values import Catalog, Course, Customer, DefaultIntention, Enrollment, EnterpriseEnrollment, Link, Run
from ..world import World

FEATURES = dict.fromkeys(
    (
        "top_down_assignment_real_time_lcm",
        "feature_prequery_search_suggestions",
        "enterprise_customer_support_tool",
        "enterprise_learner_bff_enabled",
        "admin_portal_learner_profile_view_enabled",
        "catalog_query_search_filters_enabled",
        "enterprise_admin_onboarding_enabled",
        "enterprise_edit_highlights_enabled",
        "enterprise_ai_pathways_operator_enabled",
        "use_algolia_index_v2",
    ),
    False,
)
SITE = {"domain": "lms.example.com", "name": "lms.example.com"}
JOINED = "2026-01-01T00:00:00Z"


def customer_record(world: World, row: Customer) -> dict[str, Any]:
    return (
        {
            "uuid": str(row.uuid),
            "name": row.name,
            "slug": row.slug,
            "active": row.is_active,
            "auth_org_id": None,
            "site": SITE,
            "enable_data_sharing_consent": row.has_data_sharing_consent,
            "enforce_data_sharing_consent": "at_enrollment",
            "branding_configuration": _branding(row),
            "disable_expiry_messaging_for_learner_credit": False,
            "identity_provider": row.identity_provider,
            "enable_audit_enrollment": True,
            "enable_audit_data_reporting": row.has_audit_reporting,
            "enable_learner_portal": row.has_learner_portal,
            "contact_email": f"admin@{row.slug}.example.com",
            "sender_alias": None,
            "identity_providers": _identity_providers(row),
            "enterprise_customer_catalogs": [str(it.uuid) for it in world.tables.catalogs.where(customer=row.uuid)],
            "reply_to": None,
            "enterprise_notification_banner": {"title": "", "text": ""},
            "modified": whole_second(row.modified_at),
            "admin_users": _admins(world, row),
            "learner_portal_sidebar_content": "",
            "active_integrations": [],
            "default_language": None,
            "country": "US",
        }
        | dict.fromkeys(SWITCHED_OFF, False)
        | dict.fromkeys(SWITCHED_ON, True)
    )


def default_intention_record(world: World, row: DefaultIntention) -> dict[str, Any]:
    """What the LMS intends, with what it stands for at this moment."""
    course, run = _resolved(world, row.content_key)
    in_catalogs = [
        str(catalog.uuid)
        for catalog in world.tables.catalogs.where(customer=row.customer_uuid)
        if run is not None and course is not None and _contains(catalog, course, run)
    ]
    is_open = run is not None and run.status == "published" and _is_open(run, world.now())
    return {
        "uuid": str(row.uuid),
        "content_key": row.content_key,
        "enterprise_customer": str(row.customer_uuid),
        "course_key": course.key if course else None,
        "course_run_key": run.key if run else None,
        "is_course_run_enrollable": is_open,
        "best_mode_for_course_run": best_mode(run) if run else None,
        "applicable_enterprise_catalog_uuids": in_catalogs,
        "course_run_normalized_metadata": normalized(run, world.now()) if run else {},
        "created": whole_second(row.created_at),
        "modified": whole_second(row.created_at),
    }


def _resolved(world: World, content_key: str) -> tuple[Course | None, Run | None]:
    run = world.tables.runs.get(fold(content_key))
    course = world.tables.courses.get(fold(run.course_key if run else content_key))
    if run is None and course is not None:
        runs = world.runs_of(course.key)
        run = next((each for each in runs if each.uuid == course.advertised_run_uuid), None)
    return course, run


def _contains(catalog: Catalog, course: Course, run: Run) -> bool:
    return fold(course.key) in map(fold, catalog.course_keys) or fold(run.key) in map(fold, catalog.run_keys)


def _is_open(run: Run, now: datetime) -> bool:
    starts, ends = run.enrollment_start, run.enrollment_end
    return (starts is None or now >= starts) and (ends is None or now <= ends)


SWITCHED_OFF = (
    "replace_sensitive_sso_username",
    "enable_portal_code_management_screen",
    "sync_learner_profile_data",
    "enable_learner_portal_offers",
    "enable_portal_learner_credit_management_screen",
    "enable_executive_education_2U_fulfillment",
    "enable_portal_reporting_config_screen",
    "enable_portal_saml_configuration_screen",
    "hide_course_original_price",
    "enable_generation_of_api_credentials",
    "enable_portal_lms_configurations_screen",
    "hide_labor_market_data",
    "enable_universal_link",
    "enable_browse_and_request",
    "enable_learner_portal_sidebar_message",
    "enable_demo_data_for_analytics_and_lpr",
    "enable_one_academy",
    "show_videos_in_learner_portal_search_results",
    "enable_slug_login",
)
SWITCHED_ON = (
    "enable_portal_subscription_management_screen",
    "enable_analytics_screen",
    "enable_people_management",
    "enable_integrated_customer_learner_portal_search",
    "enable_pathways",
    "enable_credit_and_industry_pathways",
    "enable_programs",
    "enable_academies",
    "enable_learner_credit_message_box",
)


def learner_record(world: World, row: Link, records_of_customers: dict[UUID, dict[str, Any]]) -> dict[str, Any]:
    """One linked learner, with the whole customer object again; `records_of_customers` spares building it twice."""
    if row.customer_uuid not in records_of_customers:
        records_of_customers[row.customer_uuid] = customer_record(world, world.customer(row.customer_uuid))
    return {
        "id": row.id,
        "enterprise_customer": records_of_customers[row.customer_uuid],
        "active": row.is_active,
        "user_id": row.user_id,
        "user": user_record(world, row.user_id),
        "data_sharing_consent_records": [],
        "groups": [],
        "created": whole_second(row.created_at),
        "invite_key": None,
        "role_assignments": role_names(world, row),
        "enterprise_group": [],
    }


def user_record(world: World, user_id: int) -> dict[str, Any] | None:
    user = world.tables.users.first(id=user_id)
    if user is None:
        return None
    return {
        "id": user.id,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_staff": user.is_staff,
        "is_active": True,
        "date_joined": JOINED,
    }


def role_names(world: World, row: Link) -> list[str]:
    """Return the roles of the learner at this very customer, without the context."""
    user = world.tables.users.first(id=row.user_id)
    pairs = (role.partition(":") for role in roles_of(world, user)) if user else ()
    return sorted({name for name, _, context in pairs if context == str(row.customer_uuid)})


def enrollment_record(world: World, row: EnterpriseEnrollment) -> dict[str, Any]:
    link = world.tables.links.first(id=row.link_id)
    user = world.tables.users.first(id=link.user_id) if link else None
    run = world.tables.runs.get(fold(row.run_key))
    return {
        "enterprise_customer_user": row.link_id,
        "course_id": row.run_key,
        "created": whole_second(row.created_at),
        "unenrolled_at": whole_second(row.unenrolled_at),
        "enrollment_date": whole_second(row.created_at),
        "enrollment_track": mode_of(world, row),
        "user_email": user.email if user else None,
        "course_start": instant(run.start) if run else None,
        "course_end": instant(run.end) if run else None,
    }


def mode_of(world: World, row: EnterpriseEnrollment) -> str | None:
    """Return the mode of the platform enrollment behind the row."""
    enrollment = _platform_row(world, row)
    return enrollment.mode if enrollment else None


def admin_groups(world: World, rows: list[EnterpriseEnrollment]) -> dict[str, list[dict[str, Any]]]:
    """Group as the admin portal shows it: by progress, the unenrolled apart."""
    groups: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("in_progress", "upcoming", "completed", "saved_for_later", "unenrolled")
    }
    for row in rows:
        record = admin_record(world, row)
        groups[record["course_run_status"]].append(record)
    return groups


def admin_record(world: World, row: EnterpriseEnrollment) -> dict[str, Any]:
    return {
        "id": row.id,
        "created": row.created_at.isoformat(),
        "modified": whole_second(row.modified_at),
        "course_id": row.run_key,
        "saved_for_later": row.is_saved_for_later,
        "unenrolled": row.unenrolled,
        "unenrolled_at": whole_second(row.unenrolled_at),
        "enterprise_customer_user": row.link_id,
        "source": 7,
        **_course_facts(world, row),
        "course_run_status": "unenrolled" if row.unenrolled else _progress(world, row),
    }


def portal_record(world: World, row: EnterpriseEnrollment) -> dict[str, Any]:
    return {
        "certificate_download_url": None,
        "created": row.created_at.isoformat(),
        "course_run_url": f"http://learning.example.com/course/{row.run_key}/home",
        "due_dates": [],
        **_course_facts(world, row),
        "course_run_status": "saved_for_later" if row.is_saved_for_later else _progress(world, row),
        "resume_course_run_url": None,
    }


def _course_facts(world: World, row: EnterpriseEnrollment) -> dict[str, Any]:
    run, enrollment = world.tables.runs.get(fold(row.run_key)), _platform_row(world, row)
    return {
        "course_run_id": row.run_key,
        "start_date": instant(run.start) if run else None,
        "end_date": instant(run.end) if run else None,
        "display_name": run.title if run else row.run_key,
        "org_name": run.course_key.split("+", 1)[0] if run else "",
        "pacing": "self" if run and run.is_self_paced else "instructor",
        "is_revoked": row.is_revoked,
        "is_enrollment_active": bool(enrollment and enrollment.is_active),
        "mode": enrollment.mode if enrollment else None,
    }


def _progress(world: World, row: EnterpriseEnrollment) -> str:
    run, now = world.tables.runs.get(fold(row.run_key)), world.now()
    if run and run.start and run.start > now:
        return "upcoming"
    return "completed" if run and run.end and run.end < now else "in_progress"


def _platform_row(world: World, row: EnterpriseEnrollment) -> Enrollment | None:
    link = world.tables.links.first(id=row.link_id)
    return world.tables.enrollments.get((link.user_id, fold(row.run_key))) if link else None


def _branding(row: Customer) -> dict[str, Any]:
    return {
        "enterprise_customer": str(row.uuid),
        "enterprise_slug": row.slug,
        "logo": None,
        "primary_color": "#2D494E",
        "secondary_color": "#F2F0EF",
        "tertiary_color": "#D23228",
    }


def _identity_providers(row: Customer) -> list[dict[str, Any]]:
    return [{"provider_id": row.identity_provider, "default_provider": True}] if row.identity_provider else []


def _admins(world: World, row: Customer) -> list[dict[str, Any]]:
    role = f"enterprise_admin:{row.uuid}"
    users = world.tables.users.where(has_roles=True)
    return [{"email": user.email, "lms_user_id": user.id} for user in users if role in user.extra_roles]
