"""What other services are told: realized, blocked for a new reason, intention unhealthy."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    MINUTE,
    intend,
    visit,
)
from enterprise_access.events.models import Outbox
from enterprise_access.events.services import relay
from enterprise_access.events.tests.conftest import bus  # noqa: F401
from simulator.seed import ACME, ACME_ANNUAL
from simulator.values import LicenseStatus

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "clock")]


def told(bus):  # noqa: F811
    relay(now=timezone.now())
    found = bus.reasons()
    bus.sent.clear()
    return found


def test_a_realization_is_told(bus):  # noqa: F811
    (intention,) = intend(DEMO)
    visit(ADA)
    relay(now=timezone.now())
    (event,) = bus.sent
    data = event["event_data"]["default_enrollment"]
    assert (data.enterprise_customer_uuid, data.intention_uuid) == (ACME, intention.pk)
    assert (data.lms_user_id, data.course_key, data.course_run_key, data.mode) == (ADA, DEMO, DEMO_RUN, "verified")
    assert (data.realized_at, data.has_left) == (timezone.now(), False)


def test_a_block_is_told_once_and_again_for_another_reason(bus, world, clock):  # noqa: F811
    intend(DEMO)
    visit(HAL)
    assert told(bus) == [("blocked", HAL, "no_license")]
    clock.shift(MINUTE)
    visit(HAL)
    assert told(bus) == []
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal", status=LicenseStatus.ASSIGNED)
    clock.shift(10 * MINUTE)
    visit(HAL)
    assert told(bus) == [("blocked", HAL, "license_not_activated")]


def test_waiting_for_a_neighbour_is_not_told_and_does_not_make_the_old_reason_new(bus, simulator, clock):  # noqa: F811
    intend(DEMO)
    visit(HAL)
    told(bus)
    simulator.faults.add("status", "license_manager.*", times=None, status=500)
    clock.shift(10 * MINUTE)
    visit(HAL)
    simulator.faults.clear()
    clock.shift(10 * MINUTE)
    visit(HAL)
    assert told(bus) == []


def test_what_was_blocked_and_then_realized_is_told_in_this_order(bus, world, clock):  # noqa: F811
    intend(DEMO)
    visit(HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    clock.shift(10 * MINUTE)
    visit(HAL)
    assert told(bus) == [("blocked", HAL, "no_license"), ("realized", HAL, DEMO_RUN)]


def test_an_intention_that_enrolls_nobody_any_more_is_told_once(bus, world, clock):  # noqa: F811
    (intention, _) = intend(DEMO, LINUX)
    check_intentions(customer_uuid=ACME)
    assert not Outbox.objects.exists()
    world.close_run(run_key=DEMO_RUN)
    for _ in range(3):
        clock.shift(timedelta(hours=1))
        check_intentions(customer_uuid=ACME)
    relay(now=timezone.now())
    (event,) = bus.sent
    data = event["event_data"]["intention"]
    assert (data.intention_uuid, data.content_key, data.reason) == (intention.pk, DEMO, "enrollment_closed")


def test_without_a_bus_nothing_is_written():
    intend(DEMO)
    visit(ADA, HAL)
    assert not Outbox.objects.exists()
