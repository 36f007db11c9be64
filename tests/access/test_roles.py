"""Roles come from the token and from rows that staff write here; a caller whose token says enough costs no query."""

from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory, force_authenticate

from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller, Role
from enterprise_access.apps.core.models import AccessRole, AccessRoleAssignment, User
from enterprise_access.apps.core.services import get_caller
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


def request_with(token: str) -> Request:
    classes: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    http = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"JWT {token}")
    request = Request(http, authenticators=[authenticator() for authenticator in classes])
    assert request.user.is_authenticated
    return request


def caller_by_session(user: User) -> Caller:
    http = APIRequestFactory().get("/")
    force_authenticate(http, user=user)
    return get_caller(Request(http))


def give(user: User, role: Role, context: str) -> AccessRoleAssignment:
    """Give a role as staff do: through the form, which cleans it."""
    kind, _ = AccessRole.objects.get_or_create(name=role)
    assignment = AccessRoleAssignment(user=user, role=kind, context=context)
    assignment.full_clean()
    assignment.save()
    return assignment


@pytest.fixture
def somebody():
    return User.objects.create_user("outsider", lms_user_id=6)


def test_the_roles_that_can_be_given_are_those_that_mean_something():
    assert {role.name for role in AccessRole.objects.all()} == CUSTOMER_ROLES


def test_a_role_that_was_given_here_counts_beside_the_token(simulator, somebody):
    give(somebody, Role.ADMIN, str(ACME))
    caller = get_caller(request_with(simulator.tokens.token_for("outsider", roles=[f"enterprise_learner:{GLOBEX}"])))
    assert caller.has(*Role, customer_uuid=ACME, about=1001)
    assert caller.readable_customers() == {ACME, GLOBEX}
    assert caller.administered_customers() == {ACME}
    assert not caller.has(Role.OPERATOR, customer_uuid=ACME)


def test_a_caller_whose_token_says_enough_costs_no_query(simulator, django_assert_num_queries):
    ada = request_with(simulator.tokens.token_for("ada"))
    operator = request_with(simulator.tokens.token_for("enterprise_access_worker"))
    with django_assert_num_queries(0):
        assert get_caller(ada).has(*Role, customer_uuid=ACME, about=1001)
        assert get_caller(ada).has_any_role()
        caller = get_caller(operator)
        assert caller.has(Role.OPERATOR, customer_uuid=ACME)
        assert caller.readable_customers() is None
        assert caller.administered_customers() is None


def test_the_rows_are_read_once(simulator, somebody, django_assert_num_queries):
    request = request_with(simulator.tokens.token_for("outsider"))
    with django_assert_num_queries(1):
        caller = get_caller(request)
        assert not caller.has(*Role, customer_uuid=ACME)
        assert not caller.has_any_role()
        assert caller.readable_customers() == frozenset()


def test_staff_in_the_admin_pages_hold_the_roles_that_were_given_here(somebody):
    somebody.is_staff = True
    assert not caller_by_session(somebody).has_any_role()
    give(somebody, Role.OPERATOR, "*")
    caller = caller_by_session(somebody)
    assert caller.has(Role.OPERATOR, customer_uuid=GLOBEX)
    assert caller.lms_user_id == 6


def test_a_superuser_in_the_admin_pages_is_an_operator():
    assert caller_by_session(User.objects.create_superuser("root")).has(Role.OPERATOR, customer_uuid=ACME)


def test_a_superuser_with_a_token_is_what_the_token_says(simulator):
    User.objects.create_superuser("ada")
    assert not get_caller(request_with(simulator.tokens.token_for("ada"))).has(Role.OPERATOR, customer_uuid=ACME)


def test_who_was_made_inactive_here_holds_no_role(simulator):
    ada = User.objects.create_user("ada", is_active=False)
    give(ada, Role.OPERATOR, "*")
    assert not get_caller(request_with(simulator.tokens.token_for("ada"))).has_any_role()
    assert not caller_by_session(ada).has_any_role()


def test_an_application_with_scopes_holds_no_role(simulator, somebody):
    give(somebody, Role.OPERATOR, "*")
    token = simulator.tokens.token_for("outsider", is_restricted=True, roles=["enterprise_openedx_operator:*"])
    assert not get_caller(request_with(token)).has_any_role()


@pytest.mark.parametrize("context", ["", " ", "acme", "**", str(ACME)[:-1]])
@pytest.mark.parametrize("role", list(Role))
def test_a_context_that_would_grant_nothing_cannot_be_given(somebody, role, context):
    with pytest.raises(ValidationError) as refused:
        give(somebody, role, context)
    assert "context" in refused.value.message_dict


@pytest.mark.parametrize("role", [Role.LEARNER, Role.ADMIN])
def test_every_customer_is_for_operators_only(somebody, role):
    with pytest.raises(ValidationError):
        give(somebody, role, "*")


def test_a_row_without_a_context_grants_nothing(simulator, somebody):
    kind = AccessRole.objects.get_or_create(name=Role.OPERATOR)[0]
    AccessRoleAssignment.objects.create(user=somebody, role=kind, context="")
    assert not get_caller(request_with(simulator.tokens.token_for("outsider"))).has_any_role()


@pytest.mark.parametrize("spelling", [str(ACME).upper(), ACME.hex, f"{{{ACME}}}"])
def test_a_customer_is_written_in_one_way(somebody, spelling):
    assert UUID(give(somebody, Role.ADMIN, spelling).context) == ACME
    with pytest.raises((ValidationError, IntegrityError)), transaction.atomic():
        give(somebody, Role.ADMIN, str(ACME))


def test_staff_give_a_role_in_the_admin_pages(admin_client, somebody):
    kind = AccessRole.objects.get_or_create(name=Role.ADMIN)[0]
    form = {"user": somebody.pk, "role": kind.pk, "context": ACME.hex}
    answer = admin_client.post("/admin/core/accessroleassignment/add/", form)
    assert answer.status_code == 302, answer.content
    assert caller_by_session(somebody).administered_customers() == {ACME}
    assert str(ACME) in admin_client.get("/admin/core/accessroleassignment/").content.decode()
