"""Finding a learner by LMS user id, username or email address, in the admin pages and by API."""

import logging

import pytest
from django.urls import reverse

from enterprise_access.apps.customers.errors import NotALearner
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.customers.services import find_learners
from enterprise_access.apps.default_enrollments.admin.why import why_url
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, intend, visit
from enterprise_access.lib.errors import UpstreamUnavailable
from simulator.seed import ACME, GLOBEX

API = "/api/v1/learners/find/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client, world, django_user_model):
    intend(DEMO)
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


@pytest.mark.parametrize("text", [str(ADA), "ada", "ada@example.com", " Ada@Example.com "])
def test_every_page_leads_to_the_learner(staff, caplog, text):
    caplog.set_level(logging.DEBUG)
    page = staff.get("/admin/").content.decode()
    assert f'action="{reverse("find_learner")}"' in page
    answer = staff.post(reverse("find_learner"), {"learner": text})
    assert (answer.status_code, answer.url) == (302, why_url(ACME, ADA))
    assert "@" not in "".join(record.getMessage() for record in caplog.records)


def test_a_learner_of_several_customers_is_chosen_from_a_list(staff, world):
    world.link(username="ada", customer=GLOBEX, make_active=False)
    page = staff.post(reverse("find_learner"), {"learner": "ada"}).content.decode()
    assert "2 found" in page
    assert why_url(ACME, ADA).replace("&", "&amp;") in page
    # Where a learner of a customer that was never added here belongs is said, too.
    assert EnterpriseCustomer.objects.filter(pk=GLOBEX).exists() or f"{GLOBEX} (this customer" in page


@pytest.mark.parametrize("text", ["unheard-of", "unheard-of@example.com", "999999999", str(2**70)])
def test_who_is_unknown_is_said(staff, text):
    answer = staff.post(reverse("find_learner"), {"learner": text})
    assert answer.status_code == 200
    assert "knows no learner like this" in answer.content.decode()


@pytest.mark.parametrize("text", ["a@", "x" * 300, "one\ntwo"])
def test_what_can_be_no_learner_is_refused(staff, text):
    assert "Enter an LMS user id" in staff.post(reverse("find_learner"), {"learner": text}).content.decode()
    with pytest.raises(NotALearner):
        find_learners(text=text)


def test_without_the_lms_copies_answer_for_ids_and_nothing_is_made_up(staff, simulator):
    visit(ADA)
    simulator.faults.add("status", "lms.*", status=503, times=None)
    found = find_learners(text=str(ADA))
    assert ([row.customer_uuid for row in found.learners], found.is_from_copies) == ([ACME], True)
    assert find_learners(text=str(ADA), customer_uuid=GLOBEX).learners == ()
    for text in ("ada", "ada@example.com"):
        with pytest.raises(UpstreamUnavailable):
            find_learners(text=text)
        page = staff.post(reverse("find_learner"), {"learner": text})
        assert (page.status_code, "knows no learner" in page.content.decode()) == (200, False)


def test_who_may_not_see_attempts_finds_no_learner(client, world, django_user_model):
    client.force_login(django_user_model.objects.create_user("viewer", is_staff=True))
    assert reverse("find_learner") not in client.get("/admin/").content.decode()
    assert client.post(reverse("find_learner"), {"learner": "ada"}).status_code == 403


def test_the_api_tells_operators_of_everybody_and_admins_of_their_customer(world, api_as):
    intend(DEMO)
    operator, admin, learner = api_as("enterprise_access_worker"), api_as("amy_admin"), api_as("ada")
    row = {
        "lms_user_id": ADA,
        "username": "ada",
        "enterprise_customer_uuid": str(ACME),
        "enterprise_customer_name": "Acme Learning",
    }
    found = {"learners": [row], "is_from_copies": False, "is_incomplete": False}
    mine = {"learner": "ada@example.com", "enterprise_customer_uuid": str(ACME)}
    assert operator.post(API, {"learner": "ada"}, format="json").json() == found
    assert admin.post(API, mine, format="json").json() == found
    assert admin.post(API, {"learner": "ada"}, format="json").status_code == 403
    assert admin.post(API, mine | {"enterprise_customer_uuid": str(GLOBEX)}, format="json").status_code == 403
    assert learner.post(API, mine, format="json").status_code == 403
    assert operator.post(API, {"learner": "a@"}, format="json").json()["code"] == "not_a_learner"
    assert operator.post(API, {"email": "ada"}, format="json").status_code == 400


def test_a_row_that_cannot_be_read_is_not_nobody(staff, simulator):
    simulator.faults.add("odd_row", "lms.learners", times=None, row_of=ADA, keys=("username",), value=7)
    for text in (str(ADA), "ada"):
        found = find_learners(text=text)
        assert (found.learners, found.is_incomplete) == ((), True)
        page = staff.post(reverse("find_learner"), {"learner": text}).content.decode()
        assert "could not be read" in page
        assert "knows no learner" not in page
