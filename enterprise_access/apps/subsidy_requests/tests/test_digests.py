"""Admins hear of requests that need a decision, each once per digest and only while it is true."""

from datetime import timedelta
from io import StringIO

import attrs
import pytest
import time_machine
from celery import current_app
from django.core.management import call_command

from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_requests import tasks
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import SubsidyRequestCustomerConfiguration
from enterprise_access.apps.subsidy_requests.services.digests import ask_for_digests
from enterprise_access.apps.subsidy_requests.services.reviewing import decline
from enterprise_access.apps.subsidy_requests.tests.made import (
    ADA,
    AMY,
    BEN,
    CREDIT,
    HAL,
    LICENSE,
    approve,
    made,
    review,
    takes,
)
from enterprise_access.lib import clock
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db

CUSTOMER = "lms.customer"


@pytest.fixture
def admins(world):
    """Let Acme have two admins; return their addresses."""
    ada = world.user("ada")
    world.put("roles changed", attrs.evolve(ada, extra_roles=(f"enterprise_admin:{ACME}",)))
    return sorted(user.email for user in world.tables.users.where(has_roles=True) if is_admin(user))


def is_admin(user):
    return f"enterprise_admin:{ACME}" in user.extra_roles


def ask():
    return ask_for_digests(now=clock.now())


def sent(mailoutbox):
    notifications.send_due()
    mails = sorted(mail.to[0] for mail in mailoutbox)
    mailoutbox.clear()
    return mails


def later(hours):
    return time_machine.travel(clock.now() + timedelta(hours=hours), tick=True)


def outcomes():
    return set(Notification.objects.values_list("outcome", flat=True))


def test_each_admin_is_told_once_what_needs_a_decision(world, admins, mailoutbox):
    takes(LICENSE)
    made(HAL), made(ADA, kind=CREDIT), made(BEN, state=RequestState.ERROR)
    made(2001, state=RequestState.APPROVED), made(2002, customer=GLOBEX)
    (digest,) = ask()
    assert (digest.customer_uuid, digest.mails) == (ACME, len(admins))
    assert ask() == []
    notifications.send_due()
    text = mailoutbox[0].body
    assert "2 requests from learners of Acme Learning" in text
    assert "1 request was approved and could not be granted" in text
    assert f"since {clock.now():%Y-%m-%d}" in text
    assert "hal" not in text.lower()
    assert sent(mailoutbox) == admins
    assert sent(mailoutbox) == []
    assert not Notification.objects.filter(lms_user_id=None).exists()


@pytest.mark.parametrize(
    ("cadence", "hours", "is_due"),
    [("daily", 23, False), ("daily", 24, True), ("weekly", 24, False), ("weekly", 168, True), ("never", 1000, False)],
)
def test_the_cadence_of_the_customer(world, cadence, hours, is_due):
    takes(LICENSE, notification_cadence=cadence, last_remind_date=clock.now())
    made(HAL)
    with later(hours):
        assert bool(ask()) is is_due


def test_nothing_to_decide_is_no_digest(world):
    takes(LICENSE)
    for state in RequestState:
        if state not in (RequestState.REQUESTED, RequestState.ERROR):
            made(HAL, state=state)
    assert ask() == []


def test_while_the_lms_is_away_a_digest_waits(simulator, world, admins, mailoutbox):
    takes(LICENSE)
    made(HAL)
    fault = {"times": None, "status": 503, "body": ""}
    simulator.faults.add("status", CUSTOMER, **fault)
    assert [digest.mails for digest in ask()] == [None]
    simulator.faults.clear()
    with later(1):
        assert [digest.mails for digest in ask()] == [len(admins)]
        simulator.faults.add("status", CUSTOMER, **fault)
        assert sent(mailoutbox) == []
        assert outcomes() == {""}
        simulator.faults.clear()
    with later(3):
        assert sent(mailoutbox) == admins


def decide(world, row):
    decline(review(row), subsidy_type=LICENSE, reason="")


def approve_all(world, row):
    approve(row)


def take_roles_away(world, row):
    for user in world.tables.users.where(has_roles=True):
        if is_admin(user):
            world.put("roles changed", attrs.evolve(user, extra_roles=()))


def ask_for_the_next(world, row):
    SubsidyRequestCustomerConfiguration.objects.update(last_remind_date=clock.now())


def choose_never(world, row):
    SubsidyRequestCustomerConfiguration.objects.update(notification_cadence="never")


@pytest.mark.parametrize("change", [decide, approve_all, take_roles_away, ask_for_the_next, choose_never])
def test_what_is_no_longer_true_is_not_mailed(world, admins, mailoutbox, change):
    takes(LICENSE)
    row = made(HAL)
    assert ask()[0].mails == len(admins) > 0
    change(world, row)
    assert sent(mailoutbox) == []
    assert outcomes() == {"not_needed"}


def test_a_customer_without_admins_holds_up_no_one(world):
    takes(LICENSE)
    row = made(HAL)
    take_roles_away(world, row)
    assert [digest.mails for digest in ask()] == [0]
    assert ask() == []


def test_the_command_and_the_task(simulator, world, admins, mailoutbox):
    takes(LICENSE)
    made(HAL)
    out = StringIO()
    call_command("send_request_digests", dry_run=True, stdout=out)
    assert out.getvalue() == f"customer {ACME}: 1 requested, 0 failed\n1 digests due\n"
    assert not Notification.objects.exists()
    assert not world.journal.calls()
    simulator.faults.add("status", CUSTOMER, times=None, status=503, body="")
    with pytest.raises(SystemExit):
        call_command("send_request_digests", stdout=StringIO())
    simulator.faults.clear()
    call_command("send_request_digests", stdout=out)
    assert f"{len(admins)} mails" in out.getvalue()
    tasks.ask_for_digests()
    assert sent(mailoutbox) == admins
    assert tasks.ask_for_digests.name in {entry["task"] for entry in current_app.conf.beat_schedule.values()}


def test_a_retired_admin_is_in_no_digest(world):
    takes(LICENSE)
    made(HAL)
    ask()
    notifications.forget_learner(lms_user_id=AMY)
    assert not Notification.objects.filter(lms_user_id=AMY).exists()


@pytest.mark.parametrize(
    ("portal", "link"), [("https://admin.example.com/", "https://admin.example.com/acme"), ("", "")]
)
def test_the_mail_leads_to_the_admin_portal_where_its_address_is_known(admins, settings, mailoutbox, portal, link):
    settings.ADMIN_PORTAL_URL = portal
    takes()
    made(HAL)
    ask()
    notifications.send_due()
    assert len(mailoutbox) == len(admins)
    for mail in mailoutbox:
        html = str(mail.alternatives[0][0])
        assert (link in mail.body, "Open the admin portal" in html) == (True, bool(link))
        assert link in html
        assert ("https://" in mail.body) == bool(link)
