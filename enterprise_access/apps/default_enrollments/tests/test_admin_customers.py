"""The list of customers: how many active default enrollments each has, and who sees that."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, LINUX, PROJECT, intend
from simulator.seed import GLOBEX

LIST = reverse("admin:customers_enterprisecustomer_changelist")

pytestmark = pytest.mark.django_db


def rows_of(client, **query):
    """Return the names and counts of the list, as they are shown."""
    rows = client.get(LIST, query).context["cl"].result_list
    return [(row.slug, row.intentions_count) for row in rows]


def columns_of(client):
    return client.get(LIST).context["cl"].list_display


def test_deleted_ones_and_those_of_others_are_not_counted(staff):
    deleted, *_ = intend(DEMO, LINUX, PROJECT)
    intend(customer=GLOBEX)
    delete_intention(deleted)
    assert rows_of(staff) == [("acme", 2), ("globex", 0)]
    page = staff.get(LIST).content.decode()
    cells = [int(count) for count in re.findall(r'<td class="field-intentions_count[^"]*">(\d+)</td>', page)]
    assert cells == [2, 0]
    assert "Default enrollments</a>" in page


def test_the_list_can_be_sorted_by_the_count(staff):
    intend(DEMO)
    intend(DEMO, LINUX, customer=GLOBEX)
    number = [getattr(each, "__name__", each) for each in columns_of(staff)].index("intentions_count")
    assert rows_of(staff, o=f"-{number}") == [("globex", 2), ("acme", 1)]
    assert rows_of(staff, o=f"{number}") == [("acme", 1), ("globex", 2)]


def test_it_takes_the_same_number_of_statements_however_many_customers_there_are(staff):
    intend(DEMO)
    few = statements_of(staff)
    intend(DEMO, LINUX, customer=GLOBEX)
    assert statements_of(staff) == few


def statements_of(client):
    client.get(LIST)
    with CaptureQueriesContext(connection) as statements:
        assert client.get(LIST).status_code == 200
    return len(statements)


def test_who_may_not_see_default_enrollments_does_not_see_their_number(world, django_user_model):
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_enterprisecustomer"))
    client = Client()
    client.force_login(user)
    intend(DEMO)
    page = client.get(LIST)
    assert [row.slug for row in page.context["cl"].result_list] == ["acme"]
    assert "Default enrollments</a>" not in page.content.decode()
