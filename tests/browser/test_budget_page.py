"""The page of a budget on a phone: long names, and amounts with many digits, stay inside the window."""

import os
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals, PolicyGroupAssociation, PolicyTotals
from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_all
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget, redeemed

from .looking import NARROW, look

LONG = "ANameWithoutAnyPlaceToBreakIt" * 6
RICH = 10**11

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module", autouse=True)
def _beside_a_loop():
    """Let Django work in this thread: the browser's own loop runs here, so it is taken for asynchronous code.

    To the end of the process, because the test's database is deleted later than the last fixture here ends.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"


@pytest.fixture
def page(live_server, browser):
    """Open a narrow browser in which somebody who may do everything has signed in."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))
    context = browser.new_context(viewport=NARROW, base_url=live_server.url)
    context.add_cookies(
        [{"name": name, "value": one.value, "url": live_server.url} for name, one in client.cookies.items()]
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", ["Team North", LONG])
def test_a_budget_is_not_wider_than_a_phone(world, page, name):
    policy = make_budget(display_name=name, spend_limit=RICH, per_learner_spend_limit=RICH)
    PolicyGroupAssociation.objects.create(policy=policy, group_uuid=uuid4())
    redeemed(world, policy.pk)
    reconcile_all()
    PolicyTotals.objects.update(spent=RICH)
    LearnerTotals.objects.update(spent=RICH)
    page.goto(reverse("admin:subsidy_access_policies_subsidyaccesspolicy_change", args=[policy.pk]))
    page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert "$1,000,000,000.00" in page.inner_text("details table")
    assert page.evaluate("() => document.documentElement.scrollWidth") == NARROW["width"]
    look(page)
