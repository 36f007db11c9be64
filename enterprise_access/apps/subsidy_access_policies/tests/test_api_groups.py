"""Members of a budget's groups: as the portal asks, for those who may see them, of groups that belong to the budget."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals, PolicyGroupAssociation
from enterprise_access.apps.subsidy_access_policies.tests.ledger import ADA, BEN, make_budget
from simulator.seed import ACME, GLOBEX

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(world):
    uuid = world.add_group(customer="acme", name="Budget group").uuid
    for username in ("ada", "ben"):
        world.set_member(group_uuid=uuid, username=username)
    for number in range(23):
        world.set_member(group_uuid=uuid, email=f"m{number:02}@example.org", status="pending")
    world.set_member(group_uuid=uuid, username="carol", status="removed")
    return uuid


@pytest.fixture
def budget(group):
    budget = make_budget()
    budget.group_associations.create(group_uuid=group)
    for learner, redemptions in ((ADA, 1), (BEN, 3)):
        LearnerTotals.objects.create(policy=budget, lms_user_id=learner, redemptions=redemptions)
    return budget


@pytest.fixture
def admin(simulator):
    client = APIClient()
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_admin:{ACME}"])
    client.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    return client


def members(client, budget, **query):
    return client.get(f"/api/v1/subsidy-access-policies/{budget.pk}/group-members", query)


def emails(answer):
    return [row["member_details"]["user_email"] for row in answer.json()["results"]]


def test_a_page_has_the_envelope_and_the_enrollments_that_the_budget_has_paid_for(admin, budget):
    found = members(admin, budget, page=1, sort_by="member_details", is_reversed="true").json()
    assert (found["count"], found["num_pages"], found["current_page"], found["start"]) == (25, 3, 1, 0)
    assert found["next"].endswith("page=2&sort_by=member_details&is_reversed=true")
    assert found["previous"] is None
    ada = found["results"][0]
    assert ada["member_details"] == {"user_email": "ada@example.com", "user_name": "Ada Lovelace"}
    assert (ada["lms_user_id"], ada["status"], ada["enrollment_count"]) == (ADA, "accepted", 1)
    last = members(admin, budget, page=3).json()
    assert (last["next"], len(last["results"]), last["start"]) == (None, 5, 20)


@pytest.mark.parametrize("sort_by", ["member_details", "enrollment_count"])
def test_reversed_means_ascending_for_every_column(admin, budget, sort_by):
    down = members(admin, budget, page=1, sort_by=sort_by)
    up = members(admin, budget, page=1, sort_by=sort_by, is_reversed="true")
    if sort_by == "member_details":
        assert emails(down) == sorted(emails(down), reverse=True)
        assert emails(up) == sorted(emails(up))
    else:
        assert emails(down)[:2] == ["ben@example.com", "ada@example.com"]
        assert "ben@example.com" not in emails(up)


def test_search_selection_and_removed_members(admin, budget):
    assert emails(members(admin, budget, page=1, user_query="M07")) == ["m07@example.org"]
    chosen = ["ada@example.com", "m01@example.org"]
    assert sorted(emails(members(admin, budget, page=1, learners=chosen))) == chosen
    assert members(admin, budget, page=1, show_removed="true").json()["count"] == 26
    assert len(members(admin, budget, traverse_pagination="true").json()["results"]) == 25


def test_csv_has_the_columns_of_the_recording_and_cells_that_no_spreadsheet_runs(admin, budget, group, world):
    world.set_member(group_uuid=group, email="=cmd@example.org", status="pending")
    for sort_by in ("member_details", "enrollment_count"):
        answer = members(admin, budget, traverse_pagination="true", format_csv="true", sort_by=sort_by)
        assert answer["Content-Type"] == "text/csv"
        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert lines[0] == "email,name,Recent Action,Enrollment Number,Activation Date,status"
        assert len(lines) == 27
        assert any(line.startswith("'=cmd@example.org") for line in lines)


@pytest.mark.parametrize(
    "query", [{}, {"page": 1, "traverse_pagination": "true"}, {"page": 1, "sort_by": "x"}, {"page": 0}, {"pages": 1}]
)
def test_what_makes_no_sense_is_refused(admin, budget, query):
    assert members(admin, budget, **query).status_code == 400


def test_only_groups_of_the_budget_and_pages_that_exist(admin, budget, group, world):
    foreign = world.add_group(customer="globex", name="Foreign").uuid
    assert members(admin, budget, page=1, group_uuid=group).status_code == 200
    for query in ({"group_uuid": foreign, "page": 1}, {"page": 9}, {"page": 9, "sort_by": "enrollment_count"}):
        assert members(admin, budget, **query).status_code == 404
    assert members(admin, make_budget(display_name="Open to all"), page=1).status_code == 404
    budget.group_associations.all().delete()
    budget.group_associations.create(group_uuid=uuid4())
    assert members(admin, budget, page=1).status_code == 404


def test_members_are_for_admins_of_the_customer_and_operators(admin, budget, api_as, simulator):
    assert members(api_as("enterprise_access_worker"), budget, page=1).status_code == 200
    assert members(api_as("ada"), budget, page=1).status_code == 403
    foreign = APIClient()
    token = simulator.tokens.token_for("outsider", roles=[f"enterprise_admin:{GLOBEX}"])
    foreign.credentials(HTTP_AUTHORIZATION=f"JWT {token}")
    assert members(foreign, budget, page=1).status_code == 404


@pytest.mark.parametrize("query", [{"page": 1}, {"traverse_pagination": "true", "format_csv": "true"}])
def test_an_lms_that_is_away_is_a_503(admin, budget, simulator, query):
    simulator.faults.add("status", "lms.group_members", status=503, times=None)
    assert members(admin, budget, **query).status_code == 503


def test_statements_do_not_grow_with_the_members(admin, budget, django_assert_max_num_queries):
    for query in ({"page": 1}, {"traverse_pagination": "true"}):
        with django_assert_max_num_queries(8):
            members(admin, budget, **query)


def test_an_operator_ends_the_restriction_of_the_customers_budgets_to_a_group(admin, budget, group, api_as):
    foreign = make_budget(customer_uuid=GLOBEX, display_name="Foreign")
    foreign.group_associations.create(group_uuid=group)
    url = f"/api/v1/{ACME}/delete-group-association/{group}"
    assert admin.delete(url).status_code == 403
    operator = api_as("enterprise_access_worker")
    assert [operator.delete(url).status_code for _ in range(2)] == [204, 204]
    assert PolicyGroupAssociation.objects.get().policy == foreign


def associations(budget):
    return f"/api/v1/subsidy-access-policies/{budget.pk}/group-associations/"


def test_an_operator_restricts_a_budget_to_a_group_of_its_customer_and_ends_that(admin, api_as, world):
    budget, other = make_budget(), make_budget(display_name="Other")
    group = world.add_group(customer="acme", name="North").uuid
    operator, body = api_as("enterprise_access_worker"), {"group_uuid": str(group)}
    other.group_associations.create(group_uuid=group)
    assert admin.post(associations(budget), body, format="json").status_code == 403
    assert [operator.post(associations(budget), body, format="json").status_code for _ in range(2)] == [201, 200]
    found = admin.get(associations(budget)).json()
    assert ([row["group_uuid"] for row in found["results"]], found["count"]) == ([str(group)], 1)
    one = f"{associations(budget)}{group}/"
    assert admin.delete(one).status_code == 403
    assert [operator.delete(one).status_code for _ in range(2)] == [204, 204]
    assert PolicyGroupAssociation.objects.get().policy == other


@pytest.mark.parametrize("body", [{}, {"group_uuid": "x"}, {"group_uuid": 7}, {"group_uuid": None}])
def test_a_group_that_is_no_uuid_is_an_error_at_its_field(api_as, world, body):
    budget = make_budget()
    answer = api_as("enterprise_access_worker").post(associations(budget), body, format="json")
    assert answer.status_code == 400
    assert "group_uuid" in str(answer.json())


def test_a_group_of_another_customer_or_of_none_is_refused_and_one_that_cannot_be_checked_is_a_503(
    api_as, simulator, world
):
    budget, operator = make_budget(), api_as("enterprise_access_worker")
    foreign = world.add_group(customer="globex", name="Foreign").uuid
    for group in (foreign, uuid4()):
        answer = operator.post(associations(budget), {"group_uuid": str(group)}, format="json")
        assert (answer.status_code, list(answer.json()["extra"]["fields"])) == (400, ["group_uuid"])
    own = world.add_group(customer="acme", name="Own").uuid
    for fault in ({"kind": "status", "status": 503}, {"kind": "html"}, {"kind": "missing_keys", "keys": ["uuid"]}):
        simulator.faults.add(endpoint="lms.group", **fault, times=None)
        assert operator.post(associations(budget), {"group_uuid": str(own)}, format="json").status_code == 503
        simulator.faults.clear()
    assert not PolicyGroupAssociation.objects.exists()


def test_the_csv_of_a_large_group_is_read_page_by_page_while_it_is_sent(admin, budget, group, world):
    for number in range(1_100):
        world.set_member(group_uuid=group, email=f"more{number}@example.org", status="pending")
    calls = lambda: sum(call.endpoint == "lms.group_members" for call in world.journal.calls())  # noqa: E731
    parts = iter(members(admin, budget, traverse_pagination="true", format_csv="true").streaming_content)
    seen, lines = [calls()], 0
    for part in parts:
        seen.append(calls())
        lines += part.count(b"\r\n")
        assert part.count(b"\r\n") <= 501
    assert (seen, lines) == ([1, 1, 2, 3], 1 + 1_125)


def test_a_page_of_a_large_group_takes_the_statements_and_calls_of_a_small_one(admin, budget, group, world):
    def cost():
        before = len(world.journal.calls())
        with CaptureQueriesContext(connection) as statements:
            assert members(admin, budget, page=1, sort_by="member_details").status_code == 200
        return len(statements), len(world.journal.calls()) - before

    cost()
    small = cost()
    for number in range(1_100):
        world.set_member(group_uuid=group, email=f"more{number}@example.org", status="pending")
    assert cost() == small
