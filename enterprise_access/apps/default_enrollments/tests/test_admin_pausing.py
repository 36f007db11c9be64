"""Pausing and resuming in the admin: what was decided stays decided, whoever presses what, when and how often."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from waffle.models import Switch

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.admin.pauses import MOST_NAMED
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.pauses import get_pause
from enterprise_access.apps.default_enrollments.services.operations.steering import pause_everything, resume_everything
from enterprise_access.apps.default_enrollments.services.requests.work_items import PAUSE_SWITCH, is_paused
from simulator.seed import ACME, GLOBEX

CUSTOMER_PAGE = "admin:customers_enterprisecustomer_change"

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["everything", "one customer"])
def scope(request, world):
    """Return the uuid of the customer that is paused in a test, or None for all."""
    fetch_customer(customer_uuid=ACME)
    return None if request.param == "everything" else ACME


@pytest.fixture
def client_of(django_user_model) -> Callable[[str], Client]:
    def client_of(username: str) -> Client:
        user = django_user_model.objects.filter(username=username).first()
        client = Client()
        client.force_login(user or django_user_model.objects.create_superuser(username))
        return client

    return client_of


def url_of(verb, scope):
    return reverse(f"admin:{verb}_everything") if scope is None else reverse(f"admin:{verb}_customer", args=[scope])


def pause(client, scope, reason="incident"):
    return client.post(url_of("pause", scope), {"reason": reason})


def shown_to(client, scope):
    """Open the page that resumes, and return what its form would send."""
    return {"shown": client.get(url_of("resume", scope)).context["shown"]}


def resume(client, scope, shown):
    return client.post(url_of("resume", scope), shown)


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)][-1]


def logged():
    return [(entry.user.username, entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")]


# --- what is decided ------------------------------------------------------------------------------------------------


def test_a_pause_has_a_reason_and_a_name_and_ends_when_it_is_resumed(client_of, scope):
    ann = client_of("ann")
    pause(ann, scope, "the LMS is being upgraded")
    found = get_pause(customer_uuid=scope)
    assert (found.by, found.reason, is_paused(customer_uuid=ACME)) == ("ann", "the LMS is being upgraded", True)
    resume(ann, scope, shown_to(ann, scope))
    assert get_pause(customer_uuid=scope) is None
    assert not is_paused(customer_uuid=ACME)
    assert logged() == [("ann", "Paused: the LMS is being upgraded"), ("ann", "Resumed.")]


def test_a_customers_pause_is_that_customers_only(client_of, world):
    fetch_customer(customer_uuid=ACME)
    fetch_customer(customer_uuid=GLOBEX)
    pause(client_of("ann"), ACME)
    assert (is_paused(customer_uuid=ACME), is_paused(customer_uuid=GLOBEX)) == (True, False)


def test_a_pause_needs_a_reason(client_of, scope):
    answer = pause(client_of("ann"), scope, "  ")
    assert "reason" in answer.context["form"].errors
    assert (get_pause(customer_uuid=scope), logged()) == (None, [])


def test_a_second_operator_who_pauses_changes_nothing_and_is_told_so(client_of, scope):
    pause(client_of("ann"), scope, "first")
    before = get_pause(customer_uuid=scope)
    answer = pause(client_of("bob"), scope, "second")
    assert "already paused" in said(answer)
    assert get_pause(customer_uuid=scope) == before
    assert logged() == [("ann", "Paused: first")]


def test_a_second_operator_who_resumes_changes_nothing_and_is_told_so(client_of, scope):
    ann, bob = client_of("ann"), client_of("bob")
    pause(ann, scope)
    shown = shown_to(ann, scope)
    resume(ann, scope, shown)
    assert "not paused" in said(resume(bob, scope, shown))
    assert get_pause(customer_uuid=scope) is None


@pytest.mark.parametrize("shown", [{}, {"shown": ""}, {"shown": "unknown"}, {"shown": "None"}, {"reason": "go"}])
def test_what_does_not_name_the_pause_that_was_shown_resumes_nothing(client_of, scope, shown):
    ann = client_of("ann")
    pause(ann, scope)
    assert "out of date" in said(resume(ann, scope, shown))
    assert get_pause(customer_uuid=scope) is not None


def test_a_stale_page_does_not_end_a_newer_pause(client_of, scope):
    ann, bob = client_of("ann"), client_of("bob")
    pause(ann, scope, "first")
    stale = shown_to(bob, scope)
    resume(ann, scope, shown_to(ann, scope))
    pause(ann, scope, "second")
    assert "out of date" in said(resume(bob, scope, stale))
    assert get_pause(customer_uuid=scope).reason == "second"


def test_following_a_link_changes_nothing(client_of, scope):
    ann = client_of("ann")
    ann.get(url_of("pause", scope), {"reason": "x"})
    assert get_pause(customer_uuid=scope) is None
    pause(ann, scope)
    ann.get(url_of("resume", scope), shown_to(ann, scope))
    assert get_pause(customer_uuid=scope) is not None


def test_a_pause_of_which_nothing_is_known_can_be_resumed(client_of, scope):
    if scope is None:
        Switch.objects.create(name=PAUSE_SWITCH, active=True)
    else:
        EnterpriseCustomer.objects.update(realization_paused=True)
    ann = client_of("ann")
    assert "Who paused it is not known" in ann.get(reverse("admin:index")).content.decode()
    resume(ann, scope, shown_to(ann, scope))
    assert get_pause(customer_uuid=scope) is None


# --- other ways to the same state -----------------------------------------------------------------------------------


def test_a_customers_page_that_was_open_for_long_does_not_resume(client_of, world):
    fetch_customer(customer_uuid=ACME)
    ann, bob = client_of("ann"), client_of("bob")
    page = reverse(CUSTOMER_PAGE, args=[ACME])
    bob.get(page)
    pause(ann, ACME)
    bob.post(page, {"_save": "Save"})
    assert get_pause(customer_uuid=ACME).by == "ann"


def test_adding_a_customer_again_does_not_resume_it(client_of, world):
    fetch_customer(customer_uuid=ACME)
    ann = client_of("ann")
    pause(ann, ACME)
    ann.post(reverse("admin:customers_enterprisecustomer_add"), {"name_or_uuid": "acme"})
    assert get_pause(customer_uuid=ACME) is not None


def test_the_pages_of_switches_do_not_offer_the_one_that_pauses_everything(client_of, world):
    ann = client_of("ann")
    pause(ann, None)
    switch = Switch.objects.get(name=PAUSE_SWITCH)
    list_url, page = reverse("admin:waffle_switch_changelist"), reverse("admin:waffle_switch_change", args=[switch.pk])
    ann.post(page, {"name": switch.name, "note": ""})
    for action in ("disable_switches", "delete_individually"):
        ann.post(list_url, {"action": action, "_selected_action": [str(switch.pk)]})
    assert get_pause(customer_uuid=None) is not None


def test_services_say_whether_they_changed_anything(world):
    assert [pause_everything(by="a", because="b") for _ in range(2)] == [True, False]
    assert [resume_everything(by="a") for _ in range(2)] == [True, False]


# --- what is shown, and to whom -------------------------------------------------------------------------------------


def test_while_something_is_paused_every_page_says_so_and_who_it_was(client_of, scope):
    ann = client_of("ann")
    pause(ann, scope, "the LMS is being upgraded")
    attempts = reverse(f"admin:default_enrollments_{RealizationAttempt._meta.model_name}_changelist")
    for page in (reverse("admin:index"), attempts, reverse(CUSTOMER_PAGE, args=[ACME])):
        text = " ".join(ann.get(page).content.decode().split())
        assert f"Enrolling is paused for {'all customers' if scope is None else 'Acme Learning'}." in text
        assert "Paused by ann on" in text
        assert "Reason: the LMS is being upgraded." in text
        assert url_of("resume", scope) in text


def test_more_paused_customers_than_a_page_names_are_summed_up(client_of, world):
    for number in range(MOST_NAMED + 1):
        known = {"slug": f"c{number}", "name": f"C{number}", "realization_paused": True, "fetched_at": timezone.now()}
        EnterpriseCustomer.objects.create(uuid=uuid4(), **known)
    text = client_of("ann").get(reverse("admin:index")).content.decode()
    assert f"paused for C{MOST_NAMED - 1}." in text
    assert f"paused for C{MOST_NAMED}." not in text
    assert "Enrolling is paused for more customers." in text


def test_the_page_to_pause_says_when_it_is_paused_already(client_of, scope):
    ann = client_of("ann")
    pause(ann, scope, "first")
    page = ann.get(url_of("pause", scope)).content.decode()
    assert "Reason: first." in page
    assert 'name="reason"' not in page


def test_the_login_page_tells_strangers_nothing_of_pauses(client_of, scope):
    pause(client_of("ann"), scope, "secret")
    assert "paused" not in Client().get(reverse("admin:login")).content.decode()


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_who_may_only_look_neither_pauses_nor_resumes(onlooker, scope, verb):
    for method in (onlooker.get, onlooker.post):
        assert method(url_of(verb, scope), {"reason": "x"}).status_code == 403
