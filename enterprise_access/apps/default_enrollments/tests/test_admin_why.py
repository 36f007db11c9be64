"""The page "Why?": one learner, every intention, and what would have to change."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.admin.why import EVENTS
from enterprise_access.apps.default_enrollments.domain.looking_again import RecheckEvent
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.learners.explaining import explain_learner
from enterprise_access.apps.default_enrollments.services.requests.work_items import give_up
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    PROJECT,
    STATS,
    ask_for,
    intend,
    request_of,
    visit,
)
from simulator.seed import ACME

PAGE = reverse("why")

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(world, django_user_model) -> Client:
    """Return somebody who may do everything."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


@pytest.fixture
def onlooker(world, django_user_model) -> Client:
    """Return somebody who may look at everything of ours, and do nothing."""
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    views = Permission.objects.filter(codename__startswith="view_", content_type__app_label="default_enrollments")
    user.user_permissions.add(*views)
    client = Client()
    client.force_login(user)
    return client


def why(client, learner=ADA, customer="acme"):
    return client.get(PAGE, {"customer": customer, "lms_user_id": learner})


def text_of(answer):
    """Return what a reader sees, without tags and line breaks."""
    page = re.sub(r"(?s)<style>.*?</style>", "", answer.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


# --- Who may, and whom one can ask for -----------------------------------------------------------------------------


def test_who_is_no_staff_is_sent_to_the_login(world, client):
    assert client.get(PAGE).status_code == 302


def test_staff_who_may_not_see_attempts_are_refused(world, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_without_a_learner_the_page_asks_for_one(staff):
    intend(DEMO)
    answer = staff.get(PAGE)
    assert "Choose a customer" in text_of(answer)
    assert '<option value="acme">Acme Learning</option>' in answer.content.decode()


def test_a_link_may_name_the_customer_alone(staff):
    intend(DEMO)
    answer = staff.get(PAGE, {"customer": "acme"})
    assert 'value="acme"' in answer.content.decode()
    assert "errornote" not in answer.content.decode()


@pytest.mark.parametrize("named", ["acme", "ACME", "Acme Learning", "me learn", str(ACME), f" {ACME} "])
def test_a_customer_is_found_by_slug_name_or_uuid(staff, named):
    intend(DEMO)
    assert why(staff, customer=named).context["customer"].pk == ACME


@pytest.mark.parametrize(
    ("customer", "learner", "problem"),
    [
        ("nobody-inc", "1001", "No customer with that in its name"),
        ("acme", "ada", "Enter a whole number."),
        ("acme", "-1", "greater than or equal to 1"),
        ("acme", "9" * 30, "less than or equal to"),
        ("", "1001", "This field is required."),
    ],
)
def test_what_makes_no_sense_is_said(staff, customer, learner, problem):
    intend(DEMO)
    assert problem in text_of(why(staff, learner, customer))


def test_a_name_that_two_customers_have_is_not_guessed(staff):
    intend(DEMO)
    twin = EnterpriseCustomer.objects.get(pk=ACME)
    EnterpriseCustomer.objects.create(uuid="0" * 32, slug="other", name=twin.name, fetched_at=timezone.now())
    assert "Several customers match" in text_of(why(staff, customer=twin.name))


# --- What is told ----------------------------------------------------------------------------------------------------


def test_who_was_enrolled_has_it(staff):
    intend(DEMO)
    visit(ADA)
    page = text_of(why(staff))
    for shown in (
        "Enrolled",
        "The learner is already enrolled in a paid mode.",
        "rule D1",
        DEMO_RUN,
        "verified, active",
    ):
        assert shown in page


def test_who_has_no_license_is_held_up_and_told_what_would_change_it(staff):
    intend(DEMO)
    visit(HAL)
    page = text_of(why(staff, HAL))
    for shown in (
        "Not enrolled",
        f"Learner {HAL} is not enrolled in edX Demonstration Course because they have no license",
        "The learner has no license of this customer.",
        "A license is assigned to the learner",
        "Checked again automatically: daily",
        "the learner's license changes",
        "(no_license)",
    ):
        assert shown in page


def test_who_left_does_not_get_it_and_may_be_let_in_once_more(staff, world):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    answer = why(staff)
    assert "Not enrolled" in text_of(answer)
    assert "A staff override for this learner" in text_of(answer)
    override = reverse("admin:default_enrollments_realizationoverride_add")
    assert f"{override}?intention={intention.pk}&amp;lms_user_id={ADA}" in answer.content.decode()


def test_an_override_is_not_offered_where_it_would_change_nothing(staff):
    intend(DEMO)
    visit(HAL)
    assert "Allow re-enrollment" not in text_of(why(staff, HAL))


def test_a_stranger_is_told_to_be_one(staff):
    intend(DEMO)
    page = text_of(why(staff, 9999))
    assert "Never linked" in page
    assert "The learner is not linked to the customer now." in page


def test_a_customer_without_intentions_intends_nothing(staff):
    (intention,) = intend(DEMO)
    delete_intention(intention=intention)
    assert "The customer has no default enrollments" in text_of(why(staff))


def test_what_was_deleted_after_it_was_realized_is_still_told(staff):
    (intention,) = intend(DEMO)
    visit(ADA)
    delete_intention(intention=intention)
    page = text_of(why(staff))
    assert "Intention deleted" in page
    assert DEMO_RUN in page


def test_every_fact_says_how_old_it_is(staff, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO)
    visit(ADA)
    why(staff)
    time_machine.shift(timedelta(seconds=50))
    page = text_of(why(staff))
    assert re.search(r"Linked to the customer \(read 50\sseconds ago\)", page)
    assert re.search(r"verified, active \(read 50\sseconds ago\)", page)
    assert "from the LMS, read" in page


def test_who_was_given_up_is_told_to_need_somebody(staff):
    intend(DEMO)
    visit(HAL)
    give_up(customer_uuid=ACME, lms_user_id=HAL, because="unexpected_error")
    assert "nothing happens until staff retry the request" in text_of(why(staff, HAL))


def test_nobody_has_asked_yet(staff):
    intend(DEMO)
    assert "this learner was never queued for evaluation" in text_of(why(staff))


def test_it_says_what_the_service_says_and_nothing_else(staff):
    intend(DEMO, LINUX)
    visit(HAL)
    said = explain_learner(customer_uuid=ACME, lms_user_id=HAL)
    shown = why(staff, HAL).context["entries"]
    assert [(entry["it"].verdict, entry["it"].reason) for entry in shown] == [
        (entry.verdict, entry.reason) for entry in said.intentions
    ]


def test_every_event_that_brings_a_look_has_words():
    assert EVENTS.keys() == set(RecheckEvent)


def test_nobody_is_named(staff):
    intend(DEMO)
    visit(ADA)
    page = why(staff).content.decode()
    assert "ada@example.com" not in page
    assert ">ada<" not in page


# --- Neighbours that are silent ------------------------------------------------------------------------------------


def test_a_silent_lms_is_said_and_what_was_known_before_has_to_do(staff, simulator, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO)
    visit(ADA)
    why(staff)
    time_machine.shift(timedelta(minutes=20))
    simulator.faults.add("status", "lms.*", times=None, status=500)
    page = text_of(why(staff))
    assert "The LMS did not answer." in page
    assert re.search(r"Linked to the customer \(read 20\sminutes ago\)", page)


def test_a_silent_lms_without_a_copy_is_no_no(staff, simulator):
    intend(DEMO)
    simulator.faults.add("status", "lms.*", times=None, status=500)
    answer = why(staff)
    assert answer.status_code == 200
    assert "The facts are not known at the moment." in text_of(answer)
    assert "Not enrolled" not in text_of(answer)


def test_then_what_was_written_down_before_is_shown(staff, simulator, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO)
    visit(HAL)
    time_machine.shift(timedelta(days=2))
    simulator.faults.add("status", "lms.*", times=None, status=500)
    page = text_of(why(staff, HAL))
    assert "The last attempt for each intention" in page
    assert "The learner has no license of this customer." in page


# --- What can be done ----------------------------------------------------------------------------------------------


def test_staff_have_the_learner_looked_at_now(staff):
    intend(DEMO)
    answer = staff.post(f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}")
    assert (answer.status_code, answer.url) == (302, f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}")
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [
        "1 learner will be evaluated in a moment."
    ]
    assert request_of(ADA).trigger == "staff"


def test_staff_have_the_facts_read_again(staff, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO)
    visit(ADA)
    time_machine.shift(timedelta(seconds=50))
    answer = staff.post(f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}", {"refresh": "Refresh"})
    assert (answer.status_code, answer.url) == (302, f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}")
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["Everything was read again just now."]
    assert request_of(ADA).trigger != "staff"
    page = text_of(why(staff))
    assert "Linked to the customer (read now)" in page
    assert "verified, active (read now)" in page


def test_a_refresh_says_who_did_not_answer_and_keeps_what_was_known(staff, simulator):
    intend(DEMO)
    visit(ADA)
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    answer = staff.post(f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}", {"refresh": "Refresh"})
    (message,) = get_messages(answer.wsgi_request)
    assert "enterprise-catalog did not answer" in str(message)
    assert "is enrolled in edX Demonstration Course" in text_of(why(staff))


def test_who_may_only_look_does_not_refresh(onlooker):
    intend(DEMO)
    address = f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}"
    assert onlooker.post(address, {"refresh": "Refresh"}).status_code == 403


def test_pages_elsewhere_are_linked_once_they_are_configured(staff, settings):
    intend(DEMO)
    assert "Open in LMS" not in text_of(why(staff))
    settings.SUPPORT_LMS_URL = "https://lms.example.com/admin/auth/user/{lms_user_id}/change/"
    settings.SUPPORT_LICENSE_MANAGER_URL = "https://licenses.example.com/?q={enterprise_customer_uuid}"
    page = why(staff).content.decode()
    assert f'href="https://lms.example.com/admin/auth/user/{ADA}/change/"' in page
    assert f'href="https://licenses.example.com/?q={ACME}"' in page


def test_the_answer_can_be_copied_as_plain_text(staff):
    intend(DEMO)
    visit(HAL)
    ticket = why(staff, HAL).context["ticket"]
    assert ticket.startswith(f"Learner {HAL} is not enrolled in edX Demonstration Course because they have no license")
    assert f"- {DEMO}: blocked, no_license (rule D17)" in ticket
    assert "@" not in ticket


def test_who_may_only_look_sees_no_button_and_is_refused(onlooker):
    intend(DEMO)
    assert "Check now" not in why(onlooker).content.decode()
    assert onlooker.post(f"{PAGE}?{urlencode({'customer': ACME, 'lms_user_id': ADA})}").status_code == 403
    assert not RealizationRequest.objects.exists()


def test_looking_at_the_page_owes_nobody_anything(staff):
    intend(DEMO)
    why(staff)
    assert not RealizationRequest.objects.exists()


@pytest.mark.parametrize(
    "model", ["realizationattempt", "realizationrequest", "defaultenterpriseenrollmentrealization"]
)
def test_every_list_of_learners_leads_here(staff, model):
    intend(DEMO)
    visit(ADA)
    page = staff.get(reverse(f"admin:default_enrollments_{model}_changelist")).content.decode()
    assert f'href="{PAGE}?customer={ACME}&amp;lms_user_id={ADA}"' in page


def test_the_customers_page_leads_here(staff):
    intend(DEMO)
    page = staff.get(reverse("admin:customers_enterprisecustomer_change", args=[ACME])).content.decode()
    assert f'href="{PAGE}?customer=acme"' in page


# --- Cost ------------------------------------------------------------------------------------------------------------


def test_it_takes_the_same_number_of_statements_however_much_there_is(staff):
    intend(DEMO)
    visit(ADA)
    few = statements_of(staff)
    intentions = intend(LINUX, PROJECT, STATS)
    visit(ADA)
    now = timezone.now()
    RealizationAttempt.objects.bulk_create(
        RealizationAttempt(
            intention=intentions[number % 3],
            lms_user_id=ADA,
            outcome=Outcome.BLOCKED,
            reason="no_license",
            trigger="login",
            is_newest=False,
            created_at=now,
            last_seen_at=now,
        )
        for number in range(60)
    )
    ask_for(ADA)
    assert statements_of(staff) == few


def statements_of(client):
    why(client)
    with CaptureQueriesContext(connection) as statements:
        assert why(client).status_code == 200
    return len(statements)
