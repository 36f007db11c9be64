"""Who calls: what is taken from the token, and what is kept of the person."""

from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory

from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller
from enterprise_access.apps.core.models import User
from enterprise_access.apps.core.services import get_caller
from simulator.seed import ACME

pytestmark = pytest.mark.django_db


def caller_with(token: str) -> Caller:
    http = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"JWT {token}")
    classes: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    authenticators = [authenticator() for authenticator in classes]
    request = Request(http, authenticators=authenticators)
    assert request.user.is_authenticated
    return get_caller(request)


def test_the_caller_is_whom_the_token_names(simulator):
    caller = caller_with(simulator.tokens.token_for("ada"))
    assert (caller.lms_user_id, caller.email) == (1001, "ada@example.com")
    assert caller.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=1001)


def test_a_token_without_a_user_id_names_nobody(simulator):
    assert caller_with(simulator.tokens.token_for("outsider", user_id=None)).lms_user_id is None


@pytest.mark.parametrize("email", [True, 5, ["ada@example.com"], {}])
def test_an_address_that_is_no_text_is_none(simulator, email):
    assert caller_with(simulator.tokens.token_for("ada", email=email)).email is None


@pytest.mark.parametrize("claim", [None, "enterprise_openedx_operator:*", {}, 42])
def test_roles_that_are_no_list_grant_nothing(simulator, claim):
    assert caller_with(simulator.tokens.token_for("ada", roles=claim)).grants == frozenset()


def test_an_empty_address_is_none(simulator):
    assert caller_with(simulator.tokens.token_for("ada", email="")).email is None


def test_of_a_person_the_name_and_the_id_are_kept_and_nothing_else(simulator):
    caller_with(simulator.tokens.token_for("ada"))
    kept: dict[str, Any] = User.objects.values().get()
    assert (kept["username"], kept["lms_user_id"]) == ("ada", 1001)
    assert not {"email", "first_name", "last_name"} & set(kept)
    assert "ada@example.com" not in str(kept)


def test_who_comes_by_token_gets_no_rights_in_the_admin(simulator):
    caller_with(simulator.tokens.token_for("enterprise_access_worker"))
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.check_password("")
