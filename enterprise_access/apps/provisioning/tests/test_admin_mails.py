"""The mails that tell people that they are admins of a new customer, and how long their addresses are kept."""

import pytest
from django.core import mail

from enterprise_access.apps.notifications.domain import NotificationOutcome
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services import send_due
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services import pruning
from enterprise_access.apps.provisioning.tests.bodies import NEW_ADMIN, body_of
from enterprise_access.lib import clock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def portal(settings):
    settings.ADMIN_PORTAL_URL = "https://admin.example.com/"


def test_each_new_admin_is_told_once_and_the_addresses_go(post):
    post(body_of())
    assert Workflow.objects.get().people == ["ben@example.com", NEW_ADMIN]
    send_due()
    assert {tuple(one.to) for one in mail.outbox} == {("ben@example.com",), (NEW_ADMIN,)}
    assert (Workflow.objects.get().people, Workflow.objects.get().has_people) == ([], False)
    told = mail.outbox[0]
    assert told.subject == "You are an admin of Alpha"
    assert "https://admin.example.com/alpha" in told.body
    assert 'href="https://admin.example.com/alpha"' in told.alternatives[0].content
    post(body_of())
    send_due()
    assert len(mail.outbox) == 2


def test_who_was_an_admin_before_is_not_told(post):
    post(body_of())
    send_due()
    post(body_of(pending_admins=[{"user_email": NEW_ADMIN}, {"user_email": "third@example.com"}]))
    send_due()
    assert [one.to for one in mail.outbox[2:]] == [["third@example.com"]]


def test_an_address_that_was_deleted_gets_no_mail(post):
    post(body_of())
    pruning.forget_address(email=NEW_ADMIN.upper())
    send_due()
    assert [one.to for one in mail.outbox] == [["ben@example.com"]]
    assert Notification.objects.get(occurrence="1").outcome == NotificationOutcome.NOT_NEEDED.value


def test_nobody_is_told_where_mails_are_switched_off(post, settings):
    settings.PROVISIONING_MAILS_ADMINS = False
    answer = post(body_of())
    assert (answer.status_code, Notification.objects.count(), Workflow.objects.get().people) == (201, 0, [])
    assert Workflow.objects.get().steps.get(name="notification").state == "skipped"


def test_addresses_go_in_the_end_also_when_no_mail_is_sent(post):
    post(body_of())
    item = Workflow.objects.get()
    assert pruning.forget_people(before=item.created_at) == 0
    assert pruning.forget_people(before=clock.now()) == 1
    send_due()
    assert mail.outbox == []
    # What a mail left behind that ended in the same moment as the workflow.
    Workflow.objects.update(people=[NEW_ADMIN], has_people=True)
    assert pruning.forget_people(before=item.created_at) == 1
