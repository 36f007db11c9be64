"""The admin pages of customers: named by staff, fetched from the LMS; only pausing is decided here."""

import pytest
from django.urls import reverse

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.services import fetch_customer
from simulator.seed import ACME, GLOBEX

ADD = "admin:customers_enterprisecustomer_add"

pytestmark = pytest.mark.django_db


def add(client, name):
    return client.post(reverse(ADD), {"name_or_uuid": name})


def errors_of(answer):
    return {} if answer.status_code == 302 else dict(answer.context["adminform"].form.errors)


def test_the_page_to_add_one_asks_for_slug_or_uuid_only(staff):
    form = staff.get(reverse(ADD)).context["adminform"].form
    assert list(form.fields) == ["name_or_uuid"]


@pytest.mark.parametrize("name", ["acme", " acme ", str(ACME), str(ACME).upper(), ACME.hex])
def test_a_customer_is_added_by_slug_or_uuid(staff, name):
    assert errors_of(add(staff, name)) == {}
    customer = EnterpriseCustomer.objects.get()
    assert (customer.pk, customer.slug, customer.name, customer.is_active) == (ACME, "acme", "Acme Learning", True)


def test_adding_a_known_customer_again_refreshes_it(staff, world):
    add(staff, "acme")
    EnterpriseCustomer.objects.update(realization_paused=True)
    world.change_customer(customer="acme", name="Acme Renamed")
    add(staff, "acme")
    customer = EnterpriseCustomer.objects.get()
    assert (customer.name, customer.realization_paused) == ("Acme Renamed", True)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "knows no active enterprise customer"),
        ("dormant", "knows no active enterprise customer"),
        ("00000000-0000-4000-8000-000000000000", "knows no active enterprise customer"),
        ("not a slug", "is not a slug"),
        ("", "required"),
        ("x" * 256, "at most 255"),
    ],
)
def test_who_cannot_be_found_is_an_error_at_the_field(staff, name, sentence):
    answer = add(staff, name)
    assert answer.status_code == 200
    assert sentence in str(errors_of(answer)["name_or_uuid"])
    assert not EnterpriseCustomer.objects.exists()


@pytest.mark.parametrize("kind", ["hang", "unreachable", "malformed_json"])
def test_a_silent_lms_is_an_error_at_the_field(staff, simulator, kind):
    simulator.faults.add(kind, "lms.*", times=None)
    assert list(errors_of(add(staff, "acme"))) == ["name_or_uuid"]
    assert not EnterpriseCustomer.objects.exists()


@pytest.mark.parametrize("is_paused", [True, False])
def test_saving_a_page_of_a_customer_changes_nothing_whatever_it_sends(staff, is_paused):
    fetch_customer(customer_uuid=ACME)
    EnterpriseCustomer.objects.update(realization_paused=is_paused, pause_reason="incident")
    before = EnterpriseCustomer.objects.values().get()
    url = reverse("admin:customers_enterprisecustomer_change", args=[ACME])
    for sent in ({}, {"realization_paused": "on", "name": "Evil", "slug": "evil", "uuid": str(GLOBEX)}):
        staff.post(url, sent)
        assert EnterpriseCustomer.objects.values().get() == before


def test_a_customer_cannot_be_deleted(staff):
    fetch_customer(customer_uuid=ACME)
    url = reverse("admin:customers_enterprisecustomer_delete", args=[ACME])
    assert staff.post(url, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(ACME)], "post": "yes"}
    staff.post(reverse("admin:customers_enterprisecustomer_changelist"), chosen)
    assert EnterpriseCustomer.objects.count() == 1
