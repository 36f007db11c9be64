"""The claims in the admin: to look at, never to change."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.licenses.services.claims import Claim, end_claim, take_claim
from simulator.seed import ACME

pytestmark = pytest.mark.django_db
PAGES = "admin:licenses_licenseclaim_"


@pytest.fixture
def staff_client(client):
    client.force_login(get_user_model().objects.create_superuser("amy_admin"))
    return client


@pytest.fixture
def claim():
    claim = take_claim(customer_uuid=ACME, lms_user_id=1002, now=timezone.now())
    assert isinstance(claim, Claim)
    end_claim(claim, problem="license_activation_failed")
    return claim


def test_the_list_says_why_a_license_is_not_activated_yet(staff_client, claim):
    page = staff_client.get(reverse(f"{PAGES}changelist"), {"q": "1002"}).content.decode()
    assert "license_activation_failed" in page
    assert str(ACME) in page


@pytest.mark.parametrize(("query", "rows"), [("1003", 0), (str(ACME), 1), ("activation", 1), ("nothing", 0)])
def test_it_is_searched_by_learner_customer_and_problem(staff_client, claim, query, rows):
    page = staff_client.get(reverse(f"{PAGES}changelist"), {"q": query})
    assert page.context["cl"].result_count == rows


def test_nothing_can_be_changed(staff_client, claim):
    assert staff_client.get(reverse(f"{PAGES}add")).status_code == 403
    change = reverse(f"{PAGES}change", args=[claim.pk])
    assert staff_client.get(change).status_code == 200
    assert staff_client.post(change, {"problem": ""}).status_code == 403
    assert staff_client.post(reverse(f"{PAGES}delete", args=[claim.pk]), {"post": "yes"}).status_code == 403
