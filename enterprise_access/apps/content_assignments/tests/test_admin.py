"""Support sees what happened to an assignment, and cancels or reminds all that were chosen or none."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.services.people import see_learner, see_learners
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.lib import clock

from .scene import ADA, BEN, Assignment, allocate, allocated, make_assigned_budget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

LIST = "/admin/content_assignments/learnercontentassignment/"
MAILS = "/admin/notifications/notification/"


@pytest.fixture
def policy(world):
    return make_assigned_budget()


def act(staff, url, action, rows):
    body = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return staff.post(url, body, follow=True).content.decode()


def test_the_page_of_an_assignment_tells_its_story(staff, policy):
    row = allocated(policy)
    transitions.cancel([row.pk], now=clock.now())
    page = staff.get(f"{LIST}{row.pk}/change/").content.decode()
    for part in ("state: allocated", "state: cancelled", "action: cancelled", "mail: assignment_allocated"):
        assert part in page
    assert "ada@example.com" in staff.get(LIST, {"q": "Ada@example.com"}).content.decode()
    assert staff.get(LIST, {"q": str(policy.pk)}).content.decode().count("ada@example.com") == 1


def test_an_account_that_is_not_known_is_not_the_same_as_none(staff, policy):
    ada, ben, cleo = allocate(policy, ["ada@example.com", "ben@example.com", "cleo@example.com"]).created
    see_learner(ADA, "ada@example.com", clock.now())
    see_learners({BEN: "ben@example.com", 77: "Ben@example.com"}, clock.now())
    for choice, row in (("known", ada), ("unclear", ben), ("unseen", cleo)):
        page = staff.get(LIST, {"account": choice}).content.decode()
        assert [other.learner_email in page for other in (ada, ben, cleo)] == [one is row for one in (ada, ben, cleo)]
    assert "two accounts have this address" in staff.get(f"{LIST}{ben.pk}/change/").content.decode()


def test_what_was_chosen_is_cancelled_or_nothing_is(staff, policy):
    rows = allocate(policy, ["ada@example.com", "ben@example.com"]).created
    assert "2 assignments reminded" in act(staff, LIST, "remind", rows)
    transitions.error(rows[0].pk, reason="internal_api_error", now=clock.now())
    assert "Nothing was changed" in act(staff, LIST, "remind", rows)
    assert "2 assignments cancelled" in act(staff, LIST, "cancel", rows)
    assert set(Assignment.objects.values_list("state", flat=True)) == {"cancelled"}


def test_a_mail_that_came_back_shows_as_a_bad_address(staff, policy, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    row = allocated(policy)
    mail = Notification.objects.get()
    assert "0 of 1 were recorded as bounced" in act(staff, MAILS, "bounced", [mail])
    notifications.send_due()
    assert "1 of 1 were recorded as bounced" in act(staff, MAILS, "bounced", [mail])
    assert "0 of 1 were recorded as bounced" in act(staff, MAILS, "bounced", [mail])
    row.refresh_from_db()
    mail.refresh_from_db()
    assert (mail.outcome, mail.error, row.learner_state) == ("refused", "bounced", "failed")
    assert [(action.action_type, action.error_reason) for action in row.actions.all()] == [("notified", "email_error")]
    act(staff, MAILS, "send_again", [mail])
    notifications.send_due()
    row.refresh_from_db()
    assert row.learner_state == "waiting"


def test_mails_are_previewed_and_sent_again(staff, policy):
    allocated(policy)
    page = staff.get(MAILS).content.decode()
    for kind in ("allocated", "reminded", "cancelled", "expired", "nudged"):
        assert f"{MAILS}preview/assignment_{kind}/" in page
        assert "Data Science 101" in staff.get(f"{MAILS}preview/assignment_{kind}/").content.decode()
    spanish = staff.get(f"{MAILS}preview/assignment_allocated/", {"language": "es"}).content.decode()
    assert "26 de febrero de 2027" in spanish
    assert staff.get(f"{MAILS}preview/unknown/").status_code == 404
    mail = Notification.objects.get()
    assert "0 of 1 will be sent again" in act(staff, MAILS, "send_again", [mail])
    Notification.objects.update(outcome="unknown", attempted_at=clock.now())
    assert "1 of 1 will be sent again" in act(staff, MAILS, "send_again", [mail])
    assert staff.get("/admin/content_assignments/linkrequest/").status_code == 200


def test_people_are_allocated_to_after_a_preview(staff, policy, django_user_model):
    url = f"{LIST}allocate/"
    assert url in staff.get(LIST).content.decode()
    allocated(policy, "ada@example.com")
    body = {
        "budget": str(policy.pk),
        "content_key": "edX+DemoX",
        "price": "149.00",
        "emails": "email\nada@example.com\nben@example.com; cleo@example.com",
    }
    page = staff.post(url, {**body, "preview": "1"}).content.decode()
    assert "2 people get a new assignment" in page
    assert "1 people have it already" in page
    assert "$298.00" in page
    assert Assignment.objects.count() == 1
    assert (
        "Allocated to 2 people; 1 had it already"
        in staff.post(url, {**body, "allocate": "1"}, follow=True).content.decode()
    )
    file = SimpleUploadedFile("people.csv", b"Name;E-Mail\nDee;dee@example.com\nAda;ADA@example.com\n")
    page = staff.post(url, {**body, "emails": "", "file": file, "preview": "1"}).content.decode()
    assert "1 people get a new assignment" in page
    assert "dee@example.com\nADA@example.com</textarea>" in page
    for change, complaint in [
        ({"emails": ""}, "as text or in a file"),
        ({"file": SimpleUploadedFile("people.csv", b"name\nDee\n")}, "must name the columns"),
        ({"file": SimpleUploadedFile("people.csv", b"email\nnope@\n")}, "no email addresses"),
        ({"emails": "nope@"}, "no email addresses"),
        ({"price": "1"}, "PriceValidationError"),
        ({"budget": str(policy.subsidy_id)}, "There is no budget"),
    ]:
        assert complaint in staff.post(url, {**body, **change, "preview": "1"}).content.decode()
    user = django_user_model.objects.create_user("viewer", is_staff=True)
    client = Client()
    client.force_login(user)
    assert client.get(url).status_code == 403
