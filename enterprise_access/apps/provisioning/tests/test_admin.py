"""Workflows in the admin, by command and in words."""

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command

from enterprise_access.apps.provisioning.domain.states import WorkflowState
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services.explaining import explain
from enterprise_access.apps.provisioning.services.provisioning import get_progress
from enterprise_access.apps.provisioning.services.workflows import engine
from enterprise_access.apps.provisioning.services.workflows.starting import get_or_start
from enterprise_access.apps.provisioning.tests import newsletter
from enterprise_access.apps.provisioning.tests.newsletter import NEWSLETTER, Asked
from enterprise_access.lib import clock

LIST = "/admin/provisioning/workflow/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def press():
    newsletter.press.__init__()
    return newsletter.press


def run(title="News", reader="reader-7"):
    asked = Asked(title=title, reader=reader)
    item = get_or_start(kind=NEWSLETTER, asked=asked, subject=title, people=["reader@example.com"])
    engine.run_workflow(workflow_uuid=item.pk)
    return item


def words(item):
    return explain(get_progress(workflow_uuid=item.pk))


def test_it_is_said_in_words_where_a_workflow_stands(press):
    press.titles.append("Old")
    assert words(run()) == "All 2 steps are done. It created: Newsletter, Subscription."
    assert words(run("Old", None)) == "All 2 steps are done. Everything existed before; nothing was created."
    assert words(run("forbidden")) == (
        "Failed at step 1 of 2, Newsletter: There is no newsletter of that title. Choose another one. "
        "Retry it when the cause is removed; it goes on from there."
    )
    press.away = 1
    waiting = words(run("Late"))
    assert waiting.startswith("Waiting at step 1 of 2, Newsletter: The press is away (timeout). Next attempt: 20")
    unbegun = get_or_start(kind=NEWSLETTER, asked=Asked(title="New"), subject="New")
    assert words(unbegun) == "Waiting for a worker at step 1 of 2, Newsletter."


def test_the_list_shows_where_workflows_stopped_in_few_statements(staff, django_assert_max_num_queries):
    for number in range(5):
        run(f"News {number}")
    run("forbidden")
    with django_assert_max_num_queries(12):
        page = staff.get(LIST).content.decode()
    assert page.count("Done") >= 5
    assert "Failed" in page
    assert "Newsletter" in page
    assert "forbidden" in staff.get(LIST + "?state=failed").content.decode()
    assert "News 1" not in staff.get(LIST + "?state=failed").content.decode()


def test_a_page_shows_every_step_and_names_no_person(staff):
    item = run("forbidden")
    page = staff.get(f"{LIST}{item.pk}/change/").content.decode()
    assert "title_refused" in page
    assert "Subscription" in page
    assert "reader@example.com" not in page


def test_retry_goes_on_with_what_has_failed(staff, press):
    failed, done = run("forbidden"), run()
    data = {"action": "retry", "_selected_action": [str(failed.pk), str(done.pk)]}
    page = staff.post(LIST, data, follow=True).content.decode()
    assert "1 row will be retried in a moment." in page
    failed.refresh_from_db()
    assert failed.state_at(clock.now()) is WorkflowState.WAITING


def test_the_commands_explain_and_retry(press):
    item, out = run("forbidden"), StringIO()
    call_command("explain_workflow", str(item.pk), stdout=out)
    call_command("retry_workflow", str(item.pk), "--set", "title=Fresh", stdout=out)
    assert out.getvalue().splitlines()[1] == "All 2 steps are done. It created: Newsletter, Subscription."
    assert press.titles == ["Fresh"]
    for arguments in (["retry_workflow", str(item.pk)], ["retry_workflow", str(item.pk), "--set", "title"]):
        with pytest.raises(CommandError):
            call_command(*arguments)
    unknown = "acae0000-0000-4000-8000-000000000001"
    for command in ("retry_workflow", "explain_workflow"):
        with pytest.raises(CommandError, match="no workflow"):
            call_command(command, unknown)
    assert Workflow.objects.count() == 1


def test_a_workflow_that_failed_or_waits_is_removed_for_a_reason(staff, press, django_user_model):
    failed, done = run("forbidden"), run()
    press.away = 1
    late = run("Late")
    running = get_or_start(kind=NEWSLETTER, asked=Asked(title="Now"), subject="Now")
    leased_until = clock.now() + timedelta(minutes=1)
    Workflow.objects.filter(pk=running.pk).update(lease_token=uuid4(), leased_until=leased_until)
    address = f"{LIST}{failed.pk}/remove/"
    assert address in staff.get(f"{LIST}{failed.pk}/change/").content.decode()
    staff.post(address, {"reason": ""})
    for row in (failed, done, late, running):
        staff.post(f"{LIST}{row.pk}/remove/", {"reason": "No longer wanted"})
        staff.post(f"{LIST}{row.pk}/remove/", {"reason": ""})
    assert set(Workflow.objects.all()) == {done, running}
    told = LogEntry.objects.filter(object_id__in=[str(failed.pk), str(late.pk)])
    assert set(told.values_list("change_message", flat=True)) == {"Removed: No longer wanted"}
    staff.force_login(django_user_model.objects.create_user("viewer", is_staff=True))
    assert staff.post(f"{LIST}{done.pk}/remove/", {"reason": "x"}).status_code == 403
