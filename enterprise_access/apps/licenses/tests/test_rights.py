"""Licenses that our account may not see are unknown, and never "none"."""

import pytest

from enterprise_access.apps.licenses.services import fetch_licenses
from enterprise_access.apps.licenses.services.lookup import FEW_LEARNERS
from simulator.seed import ACME, NO_STAFF_KEY, NO_STAFF_SECRET

pytestmark = pytest.mark.django_db

ADA = 1001
FEW = {ADA: "ada@example.com"}
MANY = FEW | {number: f"learner{number}@example.com" for number in range(1, 3 * FEW_LEARNERS)}


@pytest.fixture
def account(simulator, settings):
    """Return a function that makes us work under an account with these properties."""

    def work_as(*, is_staff: bool, roles: list[str]) -> None:
        simulator.world.add_user(id=900, username="worker", is_staff=is_staff, extra_roles=roles)
        simulator.world.add_client(client_id="key", client_secret="secret", username="worker")
        settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = "key", "secret"

    return work_as


def test_without_staff_rights_nobody_can_be_looked_up(simulator, settings):
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = NO_STAFF_KEY, NO_STAFF_SECRET
    assert fetch_licenses(customer_uuid=ACME, emails=FEW) == {ADA: None}


@pytest.mark.parametrize("role", ["enterprise_admin:910be000-0000-4000-8000-000000000002", "enterprise_learner:*"])
def test_without_the_operators_role_an_empty_list_of_plans_is_not_believed(account, role):
    account(is_staff=True, roles=[role])
    licenses = fetch_licenses(customer_uuid=ACME, emails=MANY)[ADA]
    # Who is staff may look everybody up one by one.
    assert licenses is not None
    assert len(licenses) == 1


def test_without_any_right_many_are_unknown_too(account):
    account(is_staff=False, roles=["enterprise_admin:910be000-0000-4000-8000-000000000002"])
    assert set(fetch_licenses(customer_uuid=ACME, emails=MANY).values()) == {None}
