"""The admin pages of intentions: adding with what the key stands for, deleting softly, restoring; keys never change."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.intentions import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, DEMO_RUN, LINUX, intend, visit
from simulator.seed import ACME, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention

BASE = "admin:default_enrollments_defaultenterpriseenrollmentintention"

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(world, django_user_model) -> Client:
    """Return somebody who may do everything, with acme known."""
    fetch_customer(customer_uuid=ACME)
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


@pytest.fixture
def onlooker(world, django_user_model) -> Client:
    """Return somebody who may look at intentions, and nothing else."""
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_defaultenterpriseenrollmentintention"))
    client = Client()
    client.force_login(user)
    return client


def add(client, key, customer=ACME):
    return client.post(reverse(f"{BASE}_add"), {"customer": str(customer), "content_key": key})


def errors_of(answer):
    """Return the errors of the form, by field; none when it was accepted."""
    return {} if answer.status_code == 302 else dict(answer.context["adminform"].form.errors)


def messages_of(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def act(client, action, *intentions):
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in intentions]}
    return client.post(f"{reverse(f'{BASE}_changelist')}?state=all", chosen)


# --- Adding --------------------------------------------------------------------------------------------------------


def test_the_page_to_add_one_offers_the_known_customers(staff):
    page = staff.get(reverse(f"{BASE}_add")).content.decode()
    assert "Acme Learning" in page
    assert "Globex" not in page


def test_who_adds_an_intention_is_told_what_the_key_stands_for(staff):
    answer = add(staff, f" {DEMO.lower()} ")
    assert errors_of(answer) == {}
    assert Intention.objects.get().content_key == DEMO
    assert f"{DEMO} stands for {DEMO_RUN}, “edX Demonstration Course”." in messages_of(answer)


def test_what_was_added_is_realized_for_the_next_visitor(staff):
    add(staff, DEMO)
    assert visit(ADA).realized == 1


@pytest.mark.parametrize(
    ("key", "reason"),
    [("EdinburghX+SUST1", Reason.NOT_IN_CUSTOMER_CATALOGS), ("MITx+6.00.1x", Reason.NO_ADVERTISED_RUN)],
)
def test_what_may_be_right_tomorrow_is_added_with_a_warning(staff, key, reason):
    answer = add(staff, key)
    assert errors_of(answer) == {}
    assert explain(reason).text in messages_of(answer)
    assert Intention.objects.count() == 1


def test_while_the_catalog_is_silent_a_key_is_added_unchecked_with_a_warning(staff, simulator):
    cache.clear()
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    answer = add(staff, DEMO)
    assert errors_of(answer) == {}
    assert explain(Reason.CATALOG_UNAVAILABLE).text in messages_of(answer)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("NobodyX+NOTHING1", "No course or run with the key"),
        ("DemoX", "is neither a course key"),
        ("edX+De moX", "is neither a course key"),
        ("edX+\u202eDemoX", "is neither a course key"),
        ("x" * 256, "at most 255 characters"),
        ("edX+De\x00moX", "Null characters are not allowed"),
        ("", "required"),
        ("   ", "required"),
    ],
)
def test_a_key_that_is_wrong_is_an_error_at_the_field(staff, key, sentence):
    answer = add(staff, key)
    assert answer.status_code == 200
    assert list(errors_of(answer)) == ["content_key"]
    assert sentence in str(errors_of(answer)["content_key"])
    assert not Intention.objects.exists()


def test_a_twin_is_an_error_at_the_field(staff):
    add(staff, DEMO)
    answer = add(staff, DEMO.upper())
    assert "already" in str(errors_of(answer)["content_key"])
    assert Intention.objects.count() == 1


def test_a_deleted_twin_is_an_error_that_says_to_restore_it(staff):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    assert "restore it" in str(errors_of(add(staff, DEMO))["content_key"])


@pytest.mark.parametrize("customer", ["", "abc", GLOBEX])
def test_a_customer_that_is_not_known_is_an_error_at_the_field(staff, customer):
    answer = add(staff, DEMO, customer)
    assert list(errors_of(answer)) == ["customer"]
    assert not Intention.objects.exists()


def test_the_history_says_who_added_and_who_deleted(staff):
    add(staff, DEMO)
    intention = Intention.objects.get()
    act(staff, "delete_softly", intention)
    assert [row.history_user.username for row in intention.history.all()] == ["root", "root"]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_catalog_is_asked(staff, meanwhile, in_transaction):
    seen = []
    meanwhile("/catalog/", before=lambda: seen.append(in_transaction()), times=100)
    add(staff, DEMO)
    assert seen
    assert not any(seen)


# --- Deleting and restoring ----------------------------------------------------------------------------------------


def test_deleting_is_soft_and_can_be_taken_back(staff):
    first, second = intend(DEMO, LINUX)
    act(staff, "delete_softly", first)
    assert list(Intention.objects.living()) == [second]
    answer = act(staff, "restore", first)
    assert f"{DEMO} is restored." in messages_of(answer)
    assert Intention.objects.living().count() == 2


def test_deleting_what_is_deleted_and_restoring_what_lives_does_nothing(staff):
    (intention,) = intend(DEMO)
    act(staff, "restore", intention)
    act(staff, "delete_softly", intention)
    deleted_at = Intention.objects.get().deleted_at
    act(staff, "delete_softly", intention)
    assert Intention.objects.get().deleted_at == deleted_at
    assert intention.history.count() == 2


def test_there_is_no_way_to_delete_for_good(staff):
    (intention,) = intend(DEMO)
    assert staff.post(reverse(f"{BASE}_delete", args=[intention.pk]), {"post": "yes"}).status_code == 403
    act(staff, "delete_selected", intention)
    assert Intention.objects.count() == 1


@pytest.mark.parametrize("action", ["delete_softly", "restore"])
def test_who_may_only_look_can_neither_delete_nor_restore(onlooker, action):
    first, second = intend(DEMO, LINUX)
    delete_intention(second)
    act(onlooker, action, first, second)
    assert {row.content_key: row.is_deleted for row in Intention.objects.all()} == {DEMO: False, LINUX: True}


def test_who_may_only_look_cannot_add(onlooker):
    fetch_customer(customer_uuid=ACME)
    assert add(onlooker, DEMO).status_code == 403


# --- Looking -------------------------------------------------------------------------------------------------------


def test_the_list_shows_living_intentions_unless_asked_otherwise(staff):
    first, _ = intend(DEMO, LINUX)
    delete_intention(first)
    url = reverse(f"{BASE}_changelist")
    pages = {state: staff.get(url, {"state": state} if state else {}) for state in ("", "deleted", "all")}
    shown = {state: [row.content_key for row in page.context["cl"].result_list] for state, page in pages.items()}
    assert shown == {"": [LINUX], "deleted": [DEMO], "all": [DEMO, LINUX]}


@pytest.mark.parametrize("query", ["demo", "DEMOX", "edX+", "%", "'"])
def test_the_list_can_be_searched(staff, query):
    intend(DEMO)
    assert staff.get(reverse(f"{BASE}_changelist"), {"q": query}).status_code == 200


def test_an_intention_can_be_looked_at_and_not_changed(staff):
    (intention,) = intend(DEMO)
    url = reverse(f"{BASE}_change", args=[intention.pk])
    assert DEMO in staff.get(url).content.decode()
    staff.post(url, {"customer": str(GLOBEX), "content_key": LINUX, "deleted_at_0": "2020-01-01"})
    intention.refresh_from_db()
    assert (intention.content_key, intention.customer_id, intention.deleted_at) == (DEMO, ACME, None)


def test_an_earlier_state_can_be_looked_at_and_not_brought_back(staff):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    assert staff.get(reverse(f"{BASE}_history", args=[intention.pk])).status_code == 200
    first = intention.history.earliest()
    url = reverse(f"{BASE}_simple_history", args=[intention.pk, first.pk])
    page = staff.get(url)
    assert page.status_code == 200
    assert "Revert" not in page.content.decode()
    assert staff.post(url, {"content_key": LINUX, "customer": str(ACME)}).status_code == 403
    intention.refresh_from_db()
    assert intention.deleted_at is not None
    assert intention.history.count() == 2
