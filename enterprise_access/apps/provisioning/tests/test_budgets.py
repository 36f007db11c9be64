"""Creating a learner-credit budget: form, workflow, and what can go wrong on the way."""

from datetime import timedelta

import pytest
from django.test import Client

from enterprise_access.apps.provisioning.domain.states import WorkflowState
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.workflows import engine
from enterprise_access.apps.provisioning.services.workflows.starting import retry_workflow
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.lib import clock
from simulator.seed import ACME, ACME_OPEN, GLOBEX

URL = "/admin/provisioning/workflow/create-budget/"
REFERENCE = "00k000000000042AAA"

pytestmark = pytest.mark.django_db


def given(**changes):
    now = clock.now()
    return {
        "customer_uuid": str(ACME),
        "title": "North 2027",
        "reference_id": REFERENCE,
        "starts_at_0": f"{now - timedelta(days=1):%Y-%m-%d}",
        "starts_at_1": "00:00:00",
        "expires_at_0": f"{now + timedelta(days=300):%Y-%m-%d}",
        "expires_at_1": "00:00:00",
        "starting_balance": "5000.10",
        "revenue_category": "bulk-enrollment-prepay",
        "catalog_uuid": str(ACME_OPEN),
        "policy_type": "PerLearnerSpendCreditAccessPolicy",
        "display_name": "North 2027 --- Open Courses",
        "description": "",
        "spend_limit": "5000.10",
        "learner_spend_limit": "100",
        **changes,
    }


def accounts(world):
    return [row for row in world.tables.subsidies if row.reference_id == REFERENCE]


def test_every_box_of_a_date_has_a_name_and_the_calendar_finds_its_scripts(staff):
    page = staff.get(URL).content.decode()
    for name in ("Active from: date", "Active from: time", "Expires at: date", "Expires at: time"):
        assert f'aria-label="{name} (UTC)"' in page
    # The calendar is built with what core.js defines.
    assert 0 < page.index("admin/js/core.js") < page.index("admin/js/calendar.js")


def test_a_budget_is_created_with_its_account_and_once(staff, world):
    for _ in range(2):
        answer = staff.post(URL, given())
        item = Workflow.objects.get()
        assert answer["Location"] == f"/admin/provisioning/workflow/{item.pk}/change/"
        engine.run_due()
    item.refresh_from_db()
    assert item.state_at(clock.now()) is WorkflowState.DONE
    (account,) = accounts(world)
    policy = SubsidyAccessPolicy.objects.get()
    assert (policy.subsidy_id, policy.spend_limit, policy.per_learner_spend_limit) == (account.uuid, 500_010, 10_000)
    assert (policy.customer_uuid, policy.catalog_uuid, policy.access_method) == (ACME, ACME_OPEN, "direct")
    assert list(WorkflowStep.objects.values_list("is_created", flat=True)) == [True, True]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"reference_id": "None"}, "not a line item"),
        ({"expires_at_0": "2020-01-01"}, "expires before it is active"),
        ({"spend_limit": "5000.11"}, "above the first deposit"),
        ({"starting_balance": "0"}, "greater than or equal to 0.01"),
        ({"starting_balance": "1.001"}, "2 decimal places"),
        ({"policy_type": "AssignedLearnerCreditAccessPolicy"}, "no limit for each learner"),
        ({"catalog_uuid": "x"}, "valid UUID"),
    ],
)
def test_what_no_budget_can_be_is_refused(staff, change, complaint):
    page = staff.post(URL, given(**change)).content.decode()
    assert complaint in page
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("kind", ["hang", "drop", "html"])
def test_an_account_whose_answer_was_lost_is_not_created_again(staff, simulator, world, let_time_pass, kind):
    simulator.faults.add(kind, "subsidy.create_subsidy")
    staff.post(URL, given())
    engine.run_due()
    assert not SubsidyAccessPolicy.objects.exists()
    let_time_pass()
    engine.run_due()
    assert (len(accounts(world)), SubsidyAccessPolicy.objects.count()) == (1, 1)


def test_a_reference_of_another_customer_is_refused(staff, world):
    staff.post(URL, given())
    engine.run_due()
    staff.post(URL, given(customer_uuid=str(GLOBEX)))
    engine.run_due()
    step = WorkflowStep.objects.get(state="failed")
    assert (step.name, step.error) == ("subsidy", "reference_of_other_customer")
    assert len(accounts(world)) == 1


def test_another_first_deposit_for_the_same_reference_is_refused(staff):
    staff.post(URL, given())
    engine.run_due()
    staff.post(URL, given(starting_balance="6000"))
    engine.run_due()
    assert WorkflowStep.objects.get(state="failed").error == "balance_differs"


def test_a_catalog_of_nobody_is_refused_and_corrected(staff, world):
    staff.post(URL, given(catalog_uuid=str(GLOBEX)))
    engine.run_due()
    item = Workflow.objects.get()
    assert WorkflowStep.objects.get(state="failed").error == "policy_invalid"
    retry_workflow(workflow_uuid=item.pk, correction={"catalog_uuid": str(ACME_OPEN)})
    engine.run_due()
    assert SubsidyAccessPolicy.objects.get().catalog_uuid == ACME_OPEN
    assert len(accounts(world)) == 1


def test_the_form_is_for_those_who_may_add_workflows(staff, django_user_model):
    assert "Create the budget" in staff.get(URL).content.decode()
    assert URL in staff.get("/admin/provisioning/workflow/").content.decode()
    client = Client()
    client.force_login(django_user_model.objects.create_user("reader", is_staff=True))
    assert client.get(URL).status_code == 403
