"""Events: approvals are told, and what another service assigned fulfills the request for it. Mails: once each."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.services.event_schemas import (
    COUPON_CODE_ASSIGNED,
    LICENSE_ASSIGNED,
    CouponCodeAssignedData,
    LicenseAssignedData,
)
from enterprise_access.apps.subsidy_requests.services.reviewing import approve_coupon_codes, decline
from enterprise_access.apps.subsidy_requests.tests.made import (
    BEN,
    COUPON,
    DEMO,
    HAL,
    LICENSE,
    approve,
    grant,
    made,
    review,
    states,
)
from enterprise_access.events.handling import Event, handle
from enterprise_access.events.services import relay
from enterprise_access.events.tests.conftest import bus  # noqa: F401
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def heard(signal, data):
    (name,) = signal.init_data
    handle([Event(id=uuid4(), type=signal.event_type, at=NOON, data={name: data})])


def license_assigned(learner=HAL, license_uuid=None):
    heard(
        LICENSE_ASSIGNED,
        LicenseAssignedData(
            enterprise_customer_uuid=ACME,
            lms_user_id=learner,
            license_uuid=license_uuid or uuid4(),
            subscription_plan_uuid=ACME_LEADERS,
        ),
    )


def code_assigned(learner=HAL, course=DEMO):
    data = CouponCodeAssignedData(
        enterprise_customer_uuid=ACME, lms_user_id=learner, course_key=course, coupon_code="CODE-1"
    )
    heard(COUPON_CODE_ASSIGNED, data)


def test_an_approval_is_told_with_its_transaction_and_names_no_address(bus):  # noqa: F811
    row, code = made(HAL), made(BEN, kind=COUPON)
    approve(row)
    approve_coupon_codes(review(code), coupon_id=7)
    relay(now=timezone.now())
    told = {event["signal"].event_type.rsplit(".access.", 1)[1]: event["event_data"] for event in bus.sent}
    assert set(told) == {"license-request.approved.v1", "coupon-code-request.approved.v1"}
    first = told["license-request.approved.v1"]["license_request"]
    second = told["coupon-code-request.approved.v1"]["coupon_code_request"]
    assert (first.request_uuid, first.lms_user_id, first.subscription_plan_uuid) == (row.pk, HAL, ACME_ANNUAL)
    assert (second.request_uuid, second.coupon_id, second.course_key) == (code.pk, 7, DEMO)


@pytest.mark.parametrize("state", [RequestState.PENDING, RequestState.APPROVED])
def test_what_was_assigned_elsewhere_fulfills_the_request_once(state):
    row, code = made(HAL, state=state), made(HAL, kind=COUPON, state=state)
    license_uuid = uuid4()
    for _ in range(2):
        license_assigned(license_uuid=license_uuid)
        code_assigned()
    for one in (row, code):
        one.refresh_from_db()
        assert (one.state, one.due_at, one.actions.count()) == ("fulfilled", None, 1)
    assert (row.license_uuid, row.plan_uuid, code.coupon_code) == (license_uuid, ACME_LEADERS, "CODE-1")
    assert grant() == 0


@pytest.mark.parametrize("state", [RequestState.REQUESTED, RequestState.ERROR, RequestState.DECLINED])
def test_a_request_that_does_not_wait_for_it_is_left_alone(state):
    row = made(HAL, state=state)
    license_assigned()
    license_assigned(learner=BEN)
    assert states(row) == [state.value]


def test_a_code_for_another_course_fulfills_nothing():
    row = made(HAL, kind=COUPON, state=RequestState.PENDING)
    code_assigned(course="edX+OTHER")
    assert states(row) == ["pending"]


@pytest.fixture
def sent(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    fetch_customer(customer_uuid=ACME)

    def send():
        notifications.send_due()
        found = [(one.to[0], one.subject, one.body) for one in mail.outbox]
        mail.outbox.clear()
        return found

    return send


def test_a_learner_is_told_once_of_each_decision(sent):
    granted = made(HAL, email="hal@example.com", course_title="Linux")
    declined = made(BEN, email="ben@example.com", course_title="Linux")
    approve(granted, is_mail_wanted=True)
    assert sent() == []
    grant()
    license_assigned()
    ((to, subject, text),) = sent()
    assert (to, subject) == ("hal@example.com", "Your request for Linux was approved")
    assert "You are not enrolled yet" in text
    for _ in range(2):
        decline(review(declined, is_mail_wanted=True), subsidy_type=LICENSE, reason="No budget & <no> time")
    ((to, subject, text),) = sent()
    assert (to, subject) == ("ben@example.com", "Your request for Linux was declined")
    assert "Reason: No budget & <no> time" in text
    assert sent() == []


def test_no_mail_is_sent_unless_the_admin_wants_it(sent):
    granted, declined = made(HAL), made(BEN)
    approve(granted)
    grant()
    decline(review(declined), subsidy_type=LICENSE, reason="")
    assert sent() == []


def test_nothing_enrolls_a_learner_after_an_approval(world):
    before = [call.endpoint for call in world.journal.calls()]
    approve(made(HAL, email="hal@example.com"))
    grant()
    license_assigned()
    calls = [call.endpoint for call in world.journal.calls()][len(before) :]
    assert {name.split(".")[0] for name in calls} <= {"license_manager", "oauth", "lms"}
    assert not [name for name in calls if "enroll" in name]
    assert world.enrollments_of("hal") == []
