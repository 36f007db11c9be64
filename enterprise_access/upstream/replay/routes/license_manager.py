"""The endpoints of license-manager that we use."""

from typing import Any, Final

from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.routes.shared import LEARNER_TOKEN, Endpoint, as_uuid, member, pattern, split


def _licenses(method: str, path: str, call: str, arguments: Any, **stand_ins: Any) -> Endpoint:
    return Endpoint("license-manager", LicenseManagerClient, method, pattern(path), call, arguments, stand_ins)


def _customer_of(recording: Recording) -> object:
    return as_uuid(recording.value("enterprise_customer_uuid"))


ROUTES: Final = (
    _licenses(
        "GET",
        "/api/v1/admin-license-view/",
        "list_licenses_of",
        lambda recording, _: {"customer_uuid": _customer_of(recording), "user_email": recording.value("user_email")},
    ),
    _licenses(
        "GET", "/api/v1/subscriptions/", "list_plans", lambda recording, _: {"customer_uuid": _customer_of(recording)}
    ),
    _licenses(
        "POST",
        "/api/v1/subscriptions/{plan}/licenses/assign/",
        "assign_licenses",
        lambda recording, found: {
            "plan_uuid": as_uuid(found["plan"]),
            "user_emails": member(recording.body, "user_emails"),
        },
    ),
    _licenses(
        "GET",
        "/api/v1/subscriptions/{plan}/licenses/",
        "list_plan_licenses",
        lambda recording, found: {
            "plan_uuid": as_uuid(found["plan"]),
            "statuses": split(recording.values("status")),
        },
    ),
    _licenses(
        "GET",
        "/api/v1/customer-agreement/",
        "get_agreement",
        lambda recording, _: {"customer_uuid": _customer_of(recording)},
    ),
    _licenses(
        "POST",
        "/api/v1/staff_lookup_licenses/",
        "staff_lookup",
        lambda recording, _: {"user_email": member(recording.body, "user_email")},
    ),
    _licenses(
        "GET",
        "/api/v1/learner-licenses/",
        "list_own_licenses",
        lambda recording, _: {"learner_token": LEARNER_TOKEN, "customer_uuid": _customer_of(recording)},
    ),
    _licenses(
        "POST",
        "/api/v1/license-activation/",
        "activate",
        lambda recording, _: {
            "learner_token": LEARNER_TOKEN,
            "activation_key": as_uuid(recording.value("activation_key")),
        },
    ),
    _licenses(
        "POST",
        "/api/v1/customer-agreement/{agreement}/auto-apply/",
        "auto_apply",
        lambda _, found: {"learner_token": LEARNER_TOKEN, "agreement_uuid": as_uuid(found["agreement"])},
    ),
)
