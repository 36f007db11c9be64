"""Provisioning in the activity of a customer: who asked for what, and of no other customer."""

import pytest
from django.contrib.auth import get_user_model

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.lib.activity import get_activity
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


def make(kind, subject, **about):
    about = {"input": {}, "dedup_key": f"{kind} {subject}", "priority": 0, **about}
    return Workflow.objects.create(kind=kind, subject=subject, **about)


def told_of(customer_uuid, may="provisioning.view_workflow"):
    return [(done.what, done.who) for done in get_activity(customer_uuid=customer_uuid, may=may.__eq__).events]


def test_workflows_of_the_customer_are_told_with_who_asked(world):
    fetch_customer(customer_uuid=ACME)
    kim = get_user_model().objects.create_user("kim")
    make("provision_customer", "acme", requested_by=kim)
    make("create_budget", "Spring", input={"customer_uuid": str(ACME)}, requested_by=kim)
    make("set_line_item", "plan 1")
    make("create_budget", "Autumn", input={"customer_uuid": str(GLOBEX)})
    assert told_of(ACME) == [("Requested the budget Spring", "kim"), ("Requested the customer", "kim")]
    assert told_of(GLOBEX) == [("Requested the budget Autumn", "")]


def test_who_may_not_see_workflows_is_told_of_none(world):
    fetch_customer(customer_uuid=ACME)
    make("provision_customer", "acme")
    assert told_of(ACME, may="customers.view_enterprisecustomer") == []
