"""A learner without a license is told why there is no course, and gets it the day after the license came."""

from datetime import timedelta

import pytest

from enterprise_access.apps.customers.services import fetch_customer_by_slug
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from simulator.seed import ACME_ANNUAL

DEMO = "edX+DemoX"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def test_a_license_that_comes_later_pays_within_a_day_without_another_login(world, clock, sign_in, work_off, status_of):
    add_intention(customer_uuid=fetch_customer_by_slug(slug="acme").pk, content_key=DEMO)
    sign_in("hal")
    work_off()

    told = status_of("hal")[DEMO]
    assert (told["bucket"], told["last_attempt"]["reason"]) == ("enrollable", "no_license")
    assert world.enrollments_of("hal") == []

    license_ = world.assign(plan_uuid=ACME_ANNUAL, username="hal")
    clock.shift(DAY)
    work_off()
    assert status_of("hal")[DEMO]["last_attempt"]["reason"] == "license_not_activated"

    world.activate(license_uuid=license_.uuid, username="hal")
    clock.shift(DAY)
    work_off()
    clock.shift(timedelta(minutes=2))
    told = status_of("hal")[DEMO]
    assert (told["bucket"], told["reason"]) == ("already_enrolled", "enrolled")
    assert world.enrollment("hal", DEMO_RUN).mode == "verified"


def test_a_revoked_license_moves_the_learner_to_audit_and_a_new_one_back(world, clock, sign_in, work_off, status_of):
    add_intention(customer_uuid=fetch_customer_by_slug(slug="acme").pk, content_key=DEMO)
    sign_in("ada")
    work_off()
    (license_,) = world.licenses_of("ada")

    world.revoke(license_uuid=license_.uuid)
    clock.shift(DAY)
    # The LMS announces no revocation, and asks nobody to look: the regular comparison finds it.
    reconcile(limit=100)
    work_off()
    told = status_of("ada")[DEMO]
    assert (told["bucket"], told["reason"]) == ("enrollable", "license_revoked")
    assert told["realization"]["mode"] == "audit"
    assert told["realization"]["downgraded_at"] is not None

    world.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    clock.shift(DAY)
    work_off()
    clock.shift(timedelta(minutes=2))
    told = status_of("ada")[DEMO]
    assert (told["bucket"], told["realization"]["downgraded_at"]) == ("already_enrolled", None)
