"""What the roles of a token grant, and to whom."""

from uuid import UUID, uuid4

import pytest

from enterprise_access.apps.core.domain import CUSTOMER_ROLES, Caller, Grant, Role, parse_grants

ACME = UUID("acae0000-0000-4000-8000-000000000001")
OTHER = UUID("910be000-0000-4000-8000-000000000002")


def caller(*roles: object, lms_user_id: int | None = 7) -> Caller:
    return Caller(lms_user_id=lms_user_id, grants=parse_grants(roles))


def test_a_role_with_a_customer_is_a_grant_for_that_customer():
    assert parse_grants([f"enterprise_learner:{ACME}"]) == {Grant(role=Role.LEARNER, customer_uuid=ACME)}


@pytest.mark.parametrize("role", list(Role))
def test_every_role_that_we_know_is_read(role):
    assert parse_grants([f"{role}:{ACME}"]) == {Grant(role=role, customer_uuid=ACME)}


@pytest.mark.parametrize(
    "entry",
    [
        "enterprise_learner",
        "enterprise_learner:",
        "enterprise_openedx_operator",
        "enterprise_openedx_operator:",
        "enterprise_admin: ",
        ":",
        "",
        f":{ACME}",
        f"unknown_role:{ACME}",
        f"ENTERPRISE_ADMIN:{ACME}",
        f" enterprise_admin:{ACME}",
        f"enterprise_admin:{ACME}:more",
        "enterprise_admin:not-a-uuid",
        f"enterprise_admin:{str(ACME)[:-1]}",
        "enterprise_openedx_operator:**",
        "enterprise_openedx_operator: *",
        "enterprise_openedx_operator:all",
    ],
)
def test_what_names_no_customer_or_no_role_grants_nothing(entry):
    assert parse_grants([entry]) == frozenset()


@pytest.mark.parametrize("entry", [None, 42, 1.5, True, b"enterprise_admin:*", ["enterprise_admin", "*"], {"a": 1}, ()])
def test_what_is_no_text_grants_nothing(entry):
    assert parse_grants([entry]) == frozenset()


def test_junk_does_not_spoil_the_good_entries():
    assert parse_grants([None, "junk", f"enterprise_admin:{ACME}", 3]) == parse_grants([f"enterprise_admin:{ACME}"])


def test_a_star_is_every_customer_for_operators():
    assert caller("enterprise_openedx_operator:*").has(Role.OPERATOR, customer_uuid=uuid4())


@pytest.mark.parametrize("role", ["enterprise_learner", "enterprise_admin"])
def test_a_star_for_anybody_else_grants_nothing(role):
    assert parse_grants([f"{role}:*"]) == frozenset()


@pytest.mark.parametrize("spelling", [str(ACME).upper(), ACME.hex, f"{{{ACME}}}", f"urn:uuid:{ACME}"])
def test_a_customer_is_compared_as_a_uuid_whatever_its_spelling(spelling):
    assert caller(f"enterprise_learner:{spelling}").has(Role.LEARNER, customer_uuid=ACME)


def test_an_operator_of_one_customer_is_one_there_only():
    someone = caller(f"enterprise_openedx_operator:{ACME}")
    assert someone.has(*CUSTOMER_ROLES, customer_uuid=ACME)
    assert not someone.has(*CUSTOMER_ROLES, customer_uuid=OTHER)


def test_only_an_operator_of_every_customer_has_the_role_for_every_customer():
    assert caller("enterprise_openedx_operator:*").has(Role.OPERATOR, customer_uuid=None)
    assert not caller(f"enterprise_openedx_operator:{ACME}").has(Role.OPERATOR, customer_uuid=None)
    assert not caller(f"enterprise_admin:{ACME}").has(*CUSTOMER_ROLES, customer_uuid=None)


def test_several_roles_add_up():
    someone = caller(f"enterprise_learner:{ACME}", f"enterprise_admin:{OTHER}")
    assert someone.has(*CUSTOMER_ROLES, customer_uuid=ACME)
    assert someone.has(*CUSTOMER_ROLES, customer_uuid=OTHER, about=1)
    assert not someone.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=1)


# --- Who may do what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(CUSTOMER_ROLES))
def test_any_role_for_the_customer_may_read_what_it_intends(role):
    assert caller(f"{role}:{ACME}").has(*CUSTOMER_ROLES, customer_uuid=ACME)
    assert not caller(f"{role}:{ACME}").has(*CUSTOMER_ROLES, customer_uuid=OTHER)


def test_a_learner_may_read_and_ask_for_oneself_only():
    learner = caller(f"enterprise_learner:{ACME}")
    assert learner.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=7)
    assert learner.has(Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=7)
    assert not learner.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=8)
    assert not learner.has(Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=8)
    assert not learner.has(*CUSTOMER_ROLES, customer_uuid=OTHER, about=7)
    assert not learner.has(Role.OPERATOR, Role.LEARNER, customer_uuid=OTHER, about=7)


def test_an_admin_may_read_everybody_and_ask_for_nobody():
    admin = caller(f"enterprise_admin:{ACME}")
    assert admin.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=8)
    assert not admin.has(Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=8)
    assert not admin.has(Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=7)


def test_an_admin_who_is_a_learner_too_may_ask_for_oneself():
    assert caller(f"enterprise_admin:{ACME}", f"enterprise_learner:{ACME}").has(
        Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=7
    )


def test_an_operator_may_read_and_ask_for_everybody():
    operator = caller("enterprise_openedx_operator:*")
    assert operator.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=8)
    assert operator.has(Role.OPERATOR, Role.LEARNER, customer_uuid=OTHER, about=8)


def test_a_token_that_names_nobody_is_nobodys_own():
    nobody = caller(f"enterprise_learner:{ACME}", lms_user_id=None)
    assert not nobody.has(*CUSTOMER_ROLES, customer_uuid=ACME, about=7)
    assert not nobody.has(Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=7)


def test_without_a_role_nothing_is_allowed():
    assert not caller().has(*CUSTOMER_ROLES, customer_uuid=ACME)
    assert not caller().has(*CUSTOMER_ROLES, customer_uuid=ACME, about=7)
    assert not caller().has(Role.OPERATOR, Role.LEARNER, customer_uuid=ACME, about=7)


def test_an_address_does_not_show_in_logs():
    assert "ada@example.com" not in repr(Caller(lms_user_id=7, email="ada@example.com"))
