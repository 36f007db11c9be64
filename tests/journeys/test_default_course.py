"""A new learner gets the default course, once, and never again after leaving it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.customers.services import fetch_customer_by_slug
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
from simulator.seed import ACME
from simulator.world import World

API = "/api/v1/default-enterprise-enrollment-intentions"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"

pytestmark = pytest.mark.django_db


def sign_in(client: APIClient, customer: UUID) -> None:
    """Do what the portal does after a login, and what the worker does then."""
    answer = client.post(f"{API}/realize/", {"enterprise_customer_uuid": str(customer)}, format="json")
    assert answer.status_code in {200, 202}, answer.content
    realize_due(customer_uuid=customer, limit=10, now=timezone.now())


def status_of(client: APIClient, customer: UUID) -> dict[str, Any]:
    answer = client.get(f"{API}/learner-status/", {"enterprise_customer_uuid": str(customer)})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_new_learner_gets_the_default_course_once(world: World, api_as: Callable[[str], APIClient]) -> None:
    customer = fetch_customer_by_slug(slug="acme")
    add_intention(customer_uuid=customer.pk, content_key="edX+DemoX")
    ada = api_as("ada")

    sign_in(ada, ACME)

    enrollment = world.enrollment("ada", DEMO_RUN)
    assert enrollment is not None
    assert (enrollment.mode, enrollment.is_active) == ("verified", True)
    realization = DefaultEnterpriseEnrollmentRealization.objects.get()
    assert (realization.lms_user_id, realization.course_run_key) == (1001, DEMO_RUN)
    assert status_of(ada, ACME)["metadata"]["total_already_enrolled"] == 1

    sign_in(ada, ACME)
    assert len(world.enrollments_of("ada")) == 1
    assert DefaultEnterpriseEnrollmentRealization.objects.count() == 1


def test_who_leaves_is_never_enrolled_again(world: World, api_as: Callable[[str], APIClient]) -> None:
    customer = fetch_customer_by_slug(slug="acme")
    add_intention(customer_uuid=customer.pk, content_key="edX+DemoX")
    ada = api_as("ada")
    sign_in(ada, ACME)

    world.leave(username="ada", run_key=DEMO_RUN)
    sign_in(ada, ACME)

    enrollment = world.enrollment("ada", DEMO_RUN)
    assert enrollment is not None
    assert not enrollment.is_active
    (skipped,) = status_of(ada, ACME)["enrollment_statuses"]["needs_enrollment"]["not_enrollable"]
    assert skipped["rule"] == "D2"
    assert skipped["reason"] in {"learner_unenrolled", "license_revoked"}
    assert skipped["realization"]["left_at"] is not None
