"""Every admin page renders; what is only to be looked at cannot be changed; lists do not ask once per row."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.core.models import User
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationOverride,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DAVE,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    PROJECT,
    add_learners,
    intend,
    realizations_of,
    visit,
)
from simulator.seed import ACME_ANNUAL
from tests.sampling import some

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
OURS = [model for model in MODELS if model.__module__.startswith("enterprise_access")]
LISTS_THAT_GROW = [
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    EnterpriseLearner,
    RunModes,
]
READ_ONLY = [
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    EnterpriseLearner,
    RunModes,
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(staff):
    """Let there be a row in every list."""
    intend(DEMO, LINUX)
    visit(ADA, HAL, DAVE)


def url_of(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def name_of(model):
    return model._meta.model_name


def test_every_list_renders_and_can_be_searched_for_anything(staff, story):
    asked = [(model, {}) for model in MODELS]
    queries = {query: {"q": query} for query in ["1001", "demo", "é", "%_'\"", "9" * 30]}
    asked += [(model, query) for model in OURS for query in some(queries, name_of(model), count=2).values()]
    found = {(name_of(model), *query.values()): staff.get(url_of(model, "changelist"), query) for model, query in asked}
    assert {what: answer.status_code for what, answer in found.items() if answer.status_code != 200} == {}


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_every_page_to_add_something_renders_or_is_not_there(staff, model):
    may_add = model not in READ_ONLY
    answer = staff.get(url_of(model, "add"))
    if model in OURS and not admin.site._registry[model].has_add_permission(answer.wsgi_request):
        assert answer.status_code == 403
    else:
        assert answer.status_code == 200
        assert may_add


def test_every_row_can_be_looked_at(staff, story):
    for model in [User, EnterpriseCustomer, *LISTS_THAT_GROW]:
        row = model._default_manager.first()
        for page in ("change", "history"):
            assert staff.get(url_of(model, page, row.pk)).status_code == 200, (name_of(model), page)


def test_the_start_page_renders(staff):
    assert staff.get(reverse("admin:index")).status_code == 200


def test_who_is_not_signed_in_is_asked_to(world):
    assert Client().get(reverse("admin:index")).status_code == 302


def test_who_is_no_staff_gets_nowhere(world, django_user_model):
    client = Client()
    client.force_login(django_user_model.objects.create_user("ada"))
    assert client.get(url_of(RealizationAttempt, "changelist")).status_code == 302


# --- What became of the learners -----------------------------------------------------------------------------------


def test_the_list_of_realizations_shows_who_got_what(staff, story):
    page = staff.get(url_of(DefaultEnterpriseEnrollmentRealization, "changelist")).content.decode()
    assert DEMO_RUN in page
    assert str(ADA) in page
    assert "Acme Learning" in page


def test_the_list_of_attempts_says_in_words_why_not(staff, story):
    page = staff.get(url_of(RealizationAttempt, "changelist"), {"q": str(HAL)}).content.decode()
    assert "no_license" in page
    assert "The learner has no license of this customer." in page


def test_the_list_of_requests_shows_what_is_waited_for(staff, story):
    page = staff.get(url_of(RealizationRequest, "changelist"), {"q": str(HAL)}).content.decode()
    assert "no_license" in page


def test_no_page_shows_an_address(staff, story):
    for model in OURS:
        assert "ada@example.com" not in staff.get(url_of(model, "changelist")).content.decode()


# --- Nothing can be changed ----------------------------------------------------------------------------------------


def test_what_is_only_to_be_looked_at_cannot_be_changed(staff, story):
    for model in READ_ONLY:
        row = model._default_manager.first()
        before = model._default_manager.values().get(pk=row.pk)
        assert staff.post(url_of(model, "change", row.pk), {"lms_user_id": 7}).status_code == 403, model
        assert staff.post(url_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
        assert staff.post(url_of(model, "add"), {"lms_user_id": 7}).status_code == 403, model
        chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        staff.post(url_of(model, "changelist"), chosen)
        assert model._default_manager.values().get(pk=row.pk) == before, model


@pytest.mark.parametrize("is_superuser", [True, False])
def test_a_realization_cannot_be_brought_back_to_an_earlier_state(world, django_user_model, is_superuser):
    intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    row = realizations_of(ADA)[DEMO_RUN]
    user = django_user_model.objects.create_user("somebody", is_staff=True, is_superuser=is_superuser)
    user.user_permissions.add(Permission.objects.get(codename="view_defaultenterpriseenrollmentrealization"))
    client = Client()
    client.force_login(user)
    first = row.history.earliest()
    url = url_of(DefaultEnterpriseEnrollmentRealization, "simple_history", row.pk, first.pk)
    assert client.get(url).status_code == 200
    body = {
        "intention": str(row.intention_id),
        "lms_user_id": ADA,
        "enterprise_customer_user_id": 1,
        "course_key": LINUX,
        "course_run_key": "course-v1:LinuxFoundationX+LFS101x+2026_T1",
        "predicted_mode": "verified",
        "realized_at_0": "2020-01-01",
        "realized_at_1": "00:00:00",
        "compared_at_0": "2020-01-01",
        "compared_at_1": "00:00:00",
    }
    assert client.post(url, body).status_code == 403
    row.refresh_from_db()
    assert row.course_run_key == DEMO_RUN
    assert row.left_at is not None


# --- Lists do not ask once per row ---------------------------------------------------------------------------------


def test_a_list_takes_the_same_number_of_statements_however_long_it_is(staff, world):
    intend(DEMO)
    visit(ADA)
    few = {name_of(model): statements_of(staff, model) for model in LISTS_THAT_GROW}
    intend(LINUX, PROJECT, "TUMx+AUTO1", "KIx+STATS1")
    visit(*add_learners(world, 5, plan_uuid=ACME_ANNUAL))
    assert min(model._default_manager.count() for model in LISTS_THAT_GROW) >= 5
    assert {name_of(model): statements_of(staff, model) for model in LISTS_THAT_GROW} == few


@pytest.mark.parametrize(
    "model",
    [
        DefaultEnterpriseEnrollmentIntention,
        DefaultEnterpriseEnrollmentRealization,
        RealizationAttempt,
        RealizationRequest,
        RealizationOverride,
    ],
    ids=name_of,
)
def test_a_list_takes_few_statements_and_counts_no_further_than_it_shows(staff, story, model):
    """Session, user, what is paused (two), what the filter by customer offers, the rows, and how many."""
    staff.get(url_of(model, "changelist"))
    with CaptureQueriesContext(connection) as statements:
        staff.get(url_of(model, "changelist"))
    said = [statement["sql"] for statement in statements]
    assert len(said) <= 8
    assert [sql for sql in said if "COUNT(" in sql and "LIMIT" not in sql] == []


def statements_of(client, model):
    with CaptureQueriesContext(connection) as statements:
        assert client.get(url_of(model, "changelist")).status_code == 200
    return len(statements)


def test_customers_are_listed_in_a_fixed_number_of_statements(staff, world):
    intend(DEMO)
    few = statements_of(staff, EnterpriseCustomer)
    for slug in ("globex", "hooli", "initech"):
        intend(customer=world.customer(slug).uuid)
    assert statements_of(staff, EnterpriseCustomer) == few
