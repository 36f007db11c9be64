"""People are LMS user ids: a username that changes renames a row, and never hands anything over."""

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.core.domain import Role
from enterprise_access.apps.core.models import AccessRole, AccessRoleAssignment, User
from enterprise_access.apps.core.services.people import get_person
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

URL = f"/api/v1/default-enterprise-enrollment-intentions/?enterprise_customer_uuid={ACME}"
OUTSIDER = 6


def answer_to(simulator, username, **claims):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"JWT {simulator.tokens.token_for(username, **claims)}")
    return client.get(URL).status_code


@pytest.fixture
def operator(simulator):
    """Somebody who has called, and was made an operator here."""
    answer_to(simulator, "outsider")
    user = User.objects.get(lms_user_id=OUTSIDER)
    role = AccessRole.objects.get(name=Role.OPERATOR)
    AccessRoleAssignment.objects.create(user=user, role=role, context="*")
    assert answer_to(simulator, "outsider") == 200
    return user


def test_a_role_does_not_pass_to_the_next_bearer_of_a_username(simulator, operator):
    assert answer_to(simulator, "outsider", user_id=999_999) == 403
    operator.refresh_from_db()
    assert operator.lms_user_id == OUTSIDER
    assert User.objects.get(lms_user_id=999_999).username == "outsider"


def test_a_role_stays_with_the_person_under_another_username(simulator, operator):
    assert answer_to(simulator, "outsider", preferred_username="renamed") == 200
    operator.refresh_from_db()
    assert (operator.username, operator.lms_user_id) == ("renamed", OUTSIDER)
    assert User.objects.count() == 1


def test_a_person_who_lost_the_username_before_calling_again_keeps_the_role(simulator, world, operator):
    world.rename_user(username="outsider", new_username="outsider_now")
    world.add_user(username="outsider", id=9_002)
    assert answer_to(simulator, "outsider") == 403
    operator.refresh_from_db()
    assert operator.username == f"former+{OUTSIDER}"
    assert answer_to(simulator, "outsider_now") == 200
    operator.refresh_from_db()
    assert operator.username == "outsider_now"


def test_two_people_who_swap_usernames_keep_what_is_theirs(simulator, operator):
    assert answer_to(simulator, "outsider", user_id=7_777, preferred_username="other") == 403
    assert answer_to(simulator, "outsider", user_id=7_777, preferred_username="outsider") == 403
    assert answer_to(simulator, "outsider", preferred_username="other") == 200
    assert {user.lms_user_id: user.username for user in User.objects.all()} == {OUTSIDER: "other", 7_777: "outsider"}


def test_a_row_that_an_older_release_gave_to_another_person_hands_over_no_role(simulator, operator):
    User.objects.filter(pk=operator.pk).update(lms_user_id=999_999)
    assert answer_to(simulator, "outsider", user_id=999_999) == 403


def test_a_token_without_a_user_id_gets_no_role_that_was_given_here(simulator, operator):
    assert answer_to(simulator, "outsider", user_id=None) == 403
    operator.refresh_from_db()
    assert operator.lms_user_id == OUTSIDER


@pytest.mark.parametrize("about", [{"password": "a long password"}, {"is_staff": True}, {"is_superuser": True}])
def test_an_account_of_the_admin_pages_is_nobody_of_the_lms(simulator, about):
    account = User.objects.create_user("outsider", **about)
    role = AccessRole.objects.get(name=Role.OPERATOR)
    AccessRoleAssignment.objects.create(user=account, role=role, context="*")
    assert answer_to(simulator, "outsider") == 403
    account.refresh_from_db()
    assert (account.username, account.lms_user_id) == ("outsider", None)
    assert User.objects.get(lms_user_id=OUTSIDER).username == f"outsider+{OUTSIDER}"
    assert answer_to(simulator, "outsider") == 403
    assert User.objects.count() == 2


def test_the_row_that_a_token_without_an_id_made_becomes_the_persons(simulator):
    answer_to(simulator, "outsider", user_id=None)
    answer_to(simulator, "outsider")
    assert [(user.username, user.lms_user_id) for user in User.objects.all()] == [("outsider", OUTSIDER)]


def test_somebody_who_was_made_inactive_stays_so_under_another_username(simulator, operator):
    User.objects.filter(pk=operator.pk).update(is_active=False)
    assert answer_to(simulator, "outsider", preferred_username="renamed") == 403


def test_two_rows_of_one_person_count_as_one_and_the_inactive_one_counts():
    User.objects.create_user("old", lms_user_id=5)
    User.objects.create_user("new", lms_user_id=5)
    assert get_person(lms_user_id=5, username="new").username == "new"
    User.objects.filter(username="old").update(is_active=False)
    assert not get_person(lms_user_id=5, username="new").is_active
    assert User.objects.count() == 2


def test_a_person_who_is_known_costs_one_query(django_assert_num_queries):
    get_person(lms_user_id=5, username="somebody")
    with django_assert_num_queries(1):
        get_person(lms_user_id=5, username="somebody")


def test_the_longest_username_gets_a_stand_in_that_fits():
    User.objects.create_superuser("x" * 150)
    assert get_person(lms_user_id=2**63 - 1, username="x" * 150).username.endswith(f"+{2**63 - 1}")
