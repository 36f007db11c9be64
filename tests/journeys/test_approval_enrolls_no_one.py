"""Learners ask, an admin approves, subsidies arrive, every worker works: and no one is enrolled unless their
customer wants that (ADR 0044)."""

from uuid import uuid4

import pytest

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment, SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import enroll_due
from enterprise_access.apps.subsidy_requests.services.credit_reviewing import approve_credit
from enterprise_access.apps.subsidy_requests.services.event_schemas import COUPON_CODE_ASSIGNED, CouponCodeAssignedData
from enterprise_access.apps.subsidy_requests.services.reviewing import approve_coupon_codes
from enterprise_access.apps.subsidy_requests.tests.made import (
    BEN,
    COUPON,
    CREDIT,
    DEMO,
    HAL,
    IVAN,
    approve,
    grant,
    made,
    make_asked_budget,
    review,
    states,
    takes,
)
from enterprise_access.events.handling import Event, handle
from enterprise_access.lib import clock as database_clock
from enterprise_access.lib.timeline import get_timeline
from simulator.seed import ACME

pytestmark = pytest.mark.django_db


def assign_code(row: SubsidyRequest) -> None:
    code = CouponCodeAssignedData(
        enterprise_customer_uuid=ACME, lms_user_id=row.lms_user_id, course_key=DEMO, coupon_code="CODE-1"
    )
    at = database_clock.now()
    handle([Event(id=uuid4(), type=COUPON_CODE_ASSIGNED.event_type, at=at, data={"coupon_code": code})])


def test_approvals_of_all_kinds_enroll_no_one(world, work_off, mailoutbox):
    takes()
    budget, mail = make_asked_budget(), {"is_mail_wanted": True}
    license_asked, credit, code = (
        made(HAL, email="hal@example.com"),
        made(BEN, kind=CREDIT, policy_uuid=budget.pk),
        made(IVAN, kind=COUPON),
    )
    approve(license_asked, **mail)
    approve_credit(review(credit, **mail), policy_uuid=budget.pk)
    approve_coupon_codes(review(code, **mail), coupon_id=7)
    grant()
    assign_code(code)
    world.activate(license_uuid=SubsidyRequest.objects.get(pk=license_asked.pk).license_uuid, username="hal")
    enroll_due()
    work_on_attempts()
    work_off()
    notifications.send_due()

    assert states(license_asked, credit, code) == ["approved", "approved", "fulfilled"]
    writes = {call.endpoint for call in world.journal.calls() if call.method != "GET"}
    assert writes - {"lms.access_token"} == {"license_manager.assign"}
    assert world.journal.changes(what="enrolled") == []
    assert not RedemptionAttempt.objects.exists()
    assert not AutoEnrollment.objects.exists()
    granted = [sent for sent in mailoutbox if sent.extra_headers["X-Notification-Kind"] == "request_granted"]
    assert len(granted) == 2
    assert all("You are not enrolled yet" in sent.body for sent in granted)
    told = [one.text for one in get_timeline(customer_uuid=ACME, lms_user_id=HAL).events]
    assert any("An approval enrolls no one" in text for text in told)
    assert any("Mail about the request for edX+DemoX (request_granted): sent" in text for text in told)
