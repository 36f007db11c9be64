"""The endpoints of the LMS that we use."""

from collections.abc import Mapping
from typing import Any, Final

from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.lms.types import EnrollItem
from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.routes.shared import (
    LEARNER_TOKEN,
    SOME_UUID,
    Arguments,
    Endpoint,
    as_flag,
    as_integer,
    as_list,
    as_uuid,
    member,
    pattern,
    split,
)


def _links(recording: Recording, _: Mapping[str, str]) -> Arguments:
    ids = split((*recording.values("user_ids"), *recording.values("user_id")))
    return {
        "customer_uuid": as_uuid(recording.value("enterprise_customer") or recording.value("enterprise_customer_uuid")),
        "lms_user_ids": [as_integer(user_id) for user_id in ids] or None,
        "username": recording.value("username"),
    }


def _enroll(recording: Recording, found: Mapping[str, str]) -> Arguments:
    rows = member(recording.body, "enrollments_info") or member(recording.body, "licenses_info")
    return {"customer_uuid": as_uuid(found["customer"]), "items": [_enroll_item(row) for row in as_list(rows)]}


def _enroll_item(row: object) -> EnrollItem:
    return EnrollItem(
        lms_user_id=member(row, "user_id"),
        course_run_key=member(row, "course_run_key"),
        license_uuid=as_uuid(member(row, "license_uuid")),  # type: ignore[arg-type]  # for the client to refuse
        transaction_id=as_uuid(member(row, "transaction_id")),  # type: ignore[arg-type]
        is_default_auto_enrollment=bool(member(row, "is_default_auto_enrollment")),
    )


_ENTERPRISE: Final = "/enterprise/api/v1"


def _lms(method: str, path: str, call: str, arguments: Any, also: tuple[str, ...] = (), **stand_ins: Any) -> Endpoint:
    return Endpoint("lms", LmsClient, method, pattern(path), call, arguments, stand_ins, also)


ROUTES: Final = (
    _lms(
        "GET",
        f"{_ENTERPRISE}/enterprise-customer/{{customer}}/",
        "get_customer",
        lambda _, found: {"customer_uuid": as_uuid(found["customer"])},
        also=("get_portal_customer",),
    ),
    _lms(
        "GET",
        f"{_ENTERPRISE}/enterprise-customer/",
        "find_customer",
        lambda recording, _: {"slug": recording.value("slug")},
        also=("find_portal_customer",),
    ),
    _lms(
        "GET",
        f"{_ENTERPRISE}/enterprise-learner/",
        "list_learner_links",
        _links,
        also=("list_portal_links",),
        customer_uuid=SOME_UUID,
    ),
    _lms(
        "GET",
        f"{_ENTERPRISE}/default-enterprise-enrollment-intentions/",
        "list_default_intentions",
        lambda recording, _: {"customer_uuid": as_uuid(recording.value("enterprise_customer_uuid"))},
    ),
    _lms("POST", f"{_ENTERPRISE}/enterprise-customer/{{customer}}/enroll_learners_in_courses/", "enroll", _enroll),
    _lms(
        "GET",
        "/api/enrollment/v1/enrollments",
        "list_platform_enrollments",
        lambda recording, _: {"usernames": split(recording.values("username"))},
    ),
    _lms("GET", "/api/enrollment/v1/course/{run}", "get_run_modes", lambda _, found: {"course_run_key": found["run"]}),
    _lms(
        "GET",
        f"{_ENTERPRISE}/enterprise-course-enrollment/",
        "list_enterprise_enrollments",
        lambda recording, _: {
            "enterprise_customer_user_id": as_integer(recording.value("enterprise_customer_user")),
            "course_run_key": recording.value("course_id"),
        },
    ),
    _lms(
        "GET",
        f"{_ENTERPRISE}/enterprise-course-enrollment-admin/",
        "list_enterprise_enrollments_admin",
        lambda recording, _: {
            "customer_uuid": as_uuid(recording.value("enterprise_uuid")),
            "lms_user_id": as_integer(recording.value("lms_user_id")),
        },
    ),
    _lms(
        "GET",
        "/enterprise_learner_portal/api/v1/enterprise_course_enrollments/",
        "list_portal_enrollments",
        lambda recording, _: {
            "learner_token": LEARNER_TOKEN,
            "customer_uuid": as_uuid(recording.value("enterprise_id")),
            "is_active": as_flag(recording.value("is_active")),
        },
    ),
)
