"""What staff do in the admin, and what is written down of it: looks, revivals, overrides, pauses, files, checks."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationOverride,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.requests.work_items import give_up
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DAVE,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    PROJECT,
    STATS,
    add_learners,
    intend,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from enterprise_access.jobs.models import Job
from enterprise_access.jobs.services import run_jobs
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX

CUSTOMER_PAGE = "admin:customers_enterprisecustomer_change"

pytestmark = pytest.mark.django_db


def list_of(model):
    return reverse(f"admin:default_enrollments_{model._meta.model_name}_changelist")


def act(client, action, *rows):
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(list_of(type(rows[0])), chosen)


def messages_of(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def logged():
    return [(entry.user.username, entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")]


# --- the customer's page ------------------------------------------------------------------------------------------


def test_the_customers_page_shows_how_its_intentions_stand(staff, world):
    intend(DEMO, "MITx+6.00.1x")
    visit(ADA, HAL)
    check_intentions(customer_uuid=ACME)
    page = staff.get(reverse(CUSTOMER_PAGE, args=[ACME])).content.decode()
    for shown in (DEMO_RUN, "edX Demonstration Course", "verified", "Healthy.", "no advertised run"):
        assert shown in page


def test_the_customers_page_asks_nobody(staff, world):
    intend(DEMO, LINUX)
    before = len(world.journal.calls())
    assert staff.get(reverse(CUSTOMER_PAGE, args=[ACME])).status_code == 200
    assert len(world.journal.calls()) == before


def test_the_customers_page_takes_the_same_number_of_statements_however_much_there_is(staff, world):
    intend(DEMO)
    visit(ADA)
    few = statements_of(staff, reverse(CUSTOMER_PAGE, args=[ACME]))
    intend(LINUX, PROJECT, STATS)
    visit(BEN, DAVE, *add_learners(world, 5, plan_uuid=ACME_ANNUAL))
    check_intentions(customer_uuid=ACME)
    assert statements_of(staff, reverse(CUSTOMER_PAGE, args=[ACME])) == few


def statements_of(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as statements:
        assert client.get(url).status_code == 200
    return len(statements)


def test_a_customer_without_intentions_says_so(staff):
    intend()
    assert "None yet" in staff.get(reverse(CUSTOMER_PAGE, args=[ACME])).content.decode()


def test_check_now_asks_the_neighbours_and_says_what_changed(staff, world):
    intend(DEMO)
    check = reverse("admin:check_intentions", args=[ACME])
    assert messages_of(staff.post(check)) == [f"Checked. Different from before: {DEMO}."]
    assert messages_of(staff.post(check))[-1] == "Checked. Nothing changed."
    assert ("root", "Checked the default enrollments.") in logged()


def test_check_now_says_when_nobody_answers(staff, world, simulator):
    intend(DEMO)
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    (message,) = messages_of(staff.post(reverse("admin:check_intentions", args=[ACME])))
    assert "Not everything could be read again." in message


# --- looks and revivals -------------------------------------------------------------------------------------------


def test_an_attempt_can_be_tried_again_at_once(staff, world):
    intend(DEMO)
    visit(BEN)
    world.activate(license_uuid=world.licenses_of("ben")[0].uuid, username="ben")
    answer = act(staff, "look_now", RealizationAttempt.objects.get())
    assert messages_of(answer) == ["1 learner will be evaluated in a moment."]
    assert logged() == [("root", "Queued for evaluation.")]
    work()
    assert DEMO_RUN in realizations_of(BEN)


def test_a_learner_whom_nobody_has_looked_at_can_be(staff, world):
    intend(DEMO)
    staff.post(reverse("admin:look_at_learner"), {"customer": str(ACME), "lms_user_id": str(ADA)})
    assert logged() == [("root", "Queued for evaluation.")]
    assert work().realized == 1


def test_who_was_given_up_is_revived(staff, world):
    intend(DEMO)
    visit(HAL)
    give_up(customer_uuid=ACME, lms_user_id=HAL, because="outcome_unknown")
    assert "had failed" in messages_of(act(staff, "look_now", request_of(HAL)))[0]
    answer = act(staff, "retry", request_of(HAL))
    assert messages_of(answer)[-1] == "1 row will be retried in a moment."
    assert request_of(HAL).dead_at is None
    assert ("root", "Retried.") in logged()
    assert "nothing was changed" in messages_of(act(staff, "retry", request_of(HAL)))[-1]


@pytest.mark.parametrize("model", [RealizationAttempt, RealizationRequest, DefaultEnterpriseEnrollmentRealization])
def test_who_may_only_look_can_ask_for_nothing(onlooker, world, model):
    intend(DEMO)
    visit(ADA)
    before = RealizationRequest.objects.values().get()
    page = onlooker.get(list_of(model)).content.decode()
    for action in ("look_now", "retry", "override"):
        assert f'value="{action}"' not in page
        act(onlooker, action, model.objects.first())
    assert onlooker.post(reverse("admin:look_at_learner"), {}).status_code == 403
    assert onlooker.get(reverse("admin:default_enrollments_realizationoverride_add")).status_code == 403
    assert RealizationRequest.objects.values().get() == before
    assert logged() == []


# --- overrides ----------------------------------------------------------------------------------------------------


def test_who_left_is_enrolled_once_more_with_a_reason_that_is_kept(staff, world):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    form = act(staff, "override", DefaultEnterpriseEnrollmentRealization.objects.get()).url
    assert f"lms_user_id={ADA}" in form
    assert str(intention.pk) in staff.get(form).content.decode()
    body = {"intention": str(intention.pk), "lms_user_id": str(ADA), "reason": "asked for by mail"}
    assert staff.post(form, body).status_code == 302
    override = RealizationOverride.objects.get()
    assert (override.by, override.reason, override.used_at) == ("root", "asked for by mail", None)
    assert logged() == [("root", "Override given.")]
    work()
    assert realizations_of(ADA)[DEMO_RUN].left_at is None
    page = staff.get(list_of(RealizationOverride)).content.decode()
    assert "asked for by mail" in page
    counts = {
        state: staff.get(list_of(RealizationOverride), {"state": state}).context["cl"].result_count
        for state in RealizationOverride.State.values
    }
    assert counts == {"active": 0, "used": 1, "withdrawn": 0, "expired": 0, "cancelled": 0}


def test_an_active_override_can_be_cancelled_with_a_reason(staff, world):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    form = f"{reverse('admin:default_enrollments_realizationoverride_add')}?intention={intention.pk}&lms_user_id={ADA}"
    page = staff.get(form).content.decode()
    for shown in (f"edX Demonstration Course ({DEMO})", "<dd>Acme Learning</dd>", f"<dd>ada ({ADA})</dd>"):
        assert shown in page
    for name in ("intention", "lms_user_id"):
        assert f'<input type="hidden" name="{name}"' in page
    again = staff.post(form, {"intention": str(intention.pk), "lms_user_id": str(ADA), "reason": " "})
    assert f"<dd>ada ({ADA})</dd>" in again.content.decode()
    answer = staff.post(form, {"intention": str(intention.pk), "lms_user_id": str(ADA), "reason": "asked"})
    assert answer.url.startswith(reverse("why"))
    override = RealizationOverride.objects.get()
    cancel = reverse("admin:default_enrollments_realizationoverride_cancel", args=[override.pk])
    page = reverse("admin:default_enrollments_realizationoverride_change", args=[override.pk])
    assert cancel in staff.get(page).content.decode()
    assert staff.post(cancel, {"reason": " "}).status_code == 200
    assert staff.post(cancel, {"reason": "the wrong learner"}).url == answer.url
    override.refresh_from_db()
    assert (override.cancelled_by, override.cancel_reason) == ("root", "the wrong learner")
    assert cancel not in staff.get(page).content.decode()
    assert "not active any more" in staff.post(cancel, {"reason": "again"}).content.decode()
    work()
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert logged() == [("root", "Override given."), ("root", "Override cancelled.")]


def test_an_override_needs_a_reason_a_living_intention_and_one_row(staff, world):
    first, second = intend(DEMO, LINUX)
    delete_intention(second)
    add = reverse("admin:default_enrollments_realizationoverride_add")
    for intention, reason in ((first, "  "), (second, "because")):
        answer = staff.post(add, {"intention": str(intention.pk), "lms_user_id": str(ADA), "reason": reason})
        assert answer.status_code == 200
        assert answer.context["form"].errors
        assert '<input type="hidden" name="intention"' not in answer.content.decode()
    intend(PROJECT)
    visit(ADA)
    assert "choose one row" in messages_of(act(staff, "override", *RealizationAttempt.objects.all()))[0]
    assert not RealizationOverride.objects.exists()


def test_a_second_override_before_the_first_is_used_is_an_error_on_the_page(staff, world):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    body = {"intention": str(intention.pk), "lms_user_id": str(ADA), "reason": "because"}
    staff.post(reverse("admin:default_enrollments_realizationoverride_add"), body)
    answer = staff.post(reverse("admin:default_enrollments_realizationoverride_add"), body)
    assert "There is an active override" in answer.content.decode()


# --- files --------------------------------------------------------------------------------------------------------

IMPORT = "admin:import_intentions"


def send(client, text, **more):
    file = SimpleUploadedFile("x.csv", text.encode(), content_type="text/csv")
    return client.post(reverse(IMPORT), {"file": file, **more})


def job_of(answer):
    """Run the job to whose page an answer leads; return the job and its page's address."""
    job = Job.objects.get(pk=answer.url.split("/")[-3])
    run_jobs()
    job.refresh_from_db()
    return job, answer.url


def test_a_file_is_checked_row_by_row_and_then_saved_once(staff, world):
    intend()
    calls = len(world.journal.calls())
    answer = send(staff, f"customer,content_key\nacme,{DEMO}\nnobody,{DEMO}\n")
    assert 'http-equiv="refresh"' in staff.get(answer.url).content.decode()
    assert len(world.journal.calls()) == calls
    _, url = job_of(answer)
    page = staff.get(url).content.decode()
    for shown in ("Nothing is saved yet.", "Will be added", "knows no active enterprise customer", DEMO_RUN):
        assert shown in page
    assert 'http-equiv="refresh"' not in page
    assert not DefaultEnterpriseEnrollmentIntention.objects.exists()
    apply = url.replace("/change/", "/apply/")
    first, second = (staff.post(apply) for _ in range(2))
    assert first.url == second.url
    job_of(first)
    assert DefaultEnterpriseEnrollmentIntention.objects.get().content_key == DEMO
    assert logged() == [("root", "Added from a CSV file.")]
    assert "was started from these results" in staff.get(url).content.decode()


def test_the_rows_can_be_saved_without_looking_at_them_first(staff, world):
    job, _ = job_of(staff.post(reverse(IMPORT), {"text": f"customer;content_key\nacme;{DEMO}\n", "save": "1"}))
    assert [row.outcome for row in job.results.all()] == ["added"]


def test_the_list_shows_what_the_check_of_a_file_has_found(staff, world):
    job_of(staff.post(reverse(IMPORT), {"text": "customer,content_key\nacme,MITx+6.00.1x\n", "save": "1"}))
    page = staff.get(list_of(DefaultEnterpriseEnrollmentIntention)).content.decode()
    assert DefaultEnterpriseEnrollmentIntention.objects.get().health.explanation.text in page
    assert "Not checked yet" not in page


def test_what_was_deleted_is_restored_when_the_box_is_ticked(staff, world):
    (gone,) = intend(DEMO)
    delete_intention(gone)
    _, url = job_of(send(staff, f"customer,content_key\nacme,{DEMO}\n"))
    assert "Restore those that were deleted (1)" in staff.get(url).content.decode()
    job_of(staff.post(url.replace("/change/", "/apply/"), {"restore": "on"}))
    assert not DefaultEnterpriseEnrollmentIntention.objects.get().is_deleted


def test_the_results_of_a_job_can_be_downloaded_and_no_cell_is_run(staff, world):
    _, url = job_of(send(staff, "customer,content_key\n=1+1,+x\n"))
    answer = staff.get(url.replace("/change/", "/results/"))
    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode().splitlines()[1].startswith("2,'=1+1,'+x,")


def test_a_job_is_canceled_and_continued_by_buttons(staff, world):
    answer = send(staff, f"customer,content_key\nacme,{DEMO}\n")
    for verb, state in (("cancel", "canceled"), ("cancel", "canceled"), ("retry", "pending"), ("retry", "pending")):
        url = answer.url.replace("/change/", f"/{verb}/")
        assert staff.get(url).status_code == 405
        staff.post(url)
        assert Job.objects.get().state == state
    assert job_of(answer)[0].state == "finished"


def test_who_may_not_start_a_job_neither_sees_nor_changes_it(staff, onlooker, world):
    answer = send(staff, f"customer,content_key\nacme,{DEMO}\n")
    assert onlooker.get(reverse("admin:jobs_job_changelist")).status_code == 403
    assert onlooker.get(answer.url).status_code in (302, 403)
    assert onlooker.get(answer.url.replace("/change/", "/results/")).status_code == 403
    for verb in ("cancel", "retry", "apply"):
        assert onlooker.post(answer.url.replace("/change/", f"/{verb}/")).status_code == 403
    assert Job.objects.get().state == "pending"


def test_a_malformed_file_is_an_error_on_the_page(staff):
    assert "Line 2 has 1 columns" in send(staff, "customer,content_key\nacme\n", save="1").content.decode()
    assert "Choose a file." in staff.post(reverse(IMPORT), {}).content.decode()
    assert not Job.objects.exists()


def test_the_list_is_exported_as_it_is_filtered(staff, world):
    first, _ = intend(DEMO, LINUX)
    intend(DEMO, customer=GLOBEX)
    delete_intention(first)
    answer = staff.get(reverse("admin:export_intentions"), {"customer": "acme"})
    assert answer["Content-Type"].startswith("text/csv")
    _, *lines = answer.content.decode().splitlines()
    assert [line.split(",")[:2] for line in lines] == [["acme", LINUX]]


@pytest.mark.parametrize(
    ("name", "body", "outcomes"),
    [
        ("admin:import_from_lms", {"of_customer": str(ACME)}, {"add", "exists"}),
        ("admin:import_from_lms", {}, {"add", "exists"}),
        ("admin:check_all_intentions", {}, {"checked"}),
        ("admin:backfill", {"learners_per_minute": ""}, {"asked"}),
    ],
)
def test_long_work_is_started_by_a_button_and_done_by_a_job(staff, onlooker, world, name, body, outcomes):
    intend(DEMO)
    url = reverse(name, args=[ACME] if name.endswith("backfill") else [])
    assert onlooker.post(url, body).status_code == 403
    assert staff.get(url).status_code == 200
    assert not Job.objects.exists()
    job, page = job_of(staff.post(url, body))
    assert (job.state, {row.outcome for row in job.results.all()}) == ("finished", outcomes)
    assert staff.get(page).status_code == 200


# --- actions on many rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "action"),
    [
        (RealizationRequest, "look_now"),
        (RealizationRequest, "retry"),
        (RealizationAttempt, "look_now"),
        (DefaultEnterpriseEnrollmentRealization, "look_now"),
        (DefaultEnterpriseEnrollmentIntention, "restore"),
        (DefaultEnterpriseEnrollmentIntention, "delete_selected"),
    ],
)
def test_an_action_touches_no_more_rows_than_it_may_and_loads_none_of_them(staff, world, monkeypatch, model, action):
    intend(DEMO, LINUX)
    visit(ADA, BEN, DAVE)
    RealizationRequest.objects.update(failed_at=timezone.now())
    assert model.objects.count() > 1
    monkeypatch.setattr(type(admin.site.get_model_admin(model)), "most_at_once", 1)
    before = list(model.objects.order_by("pk").values())
    chosen = {"action": action, "select_across": "1", "_selected_action": [str(model.objects.first().pk)]}
    with CaptureQueriesContext(connection) as statements:
        answer = staff.post(list_of(model), chosen)
    assert "at most 1 rows" in messages_of(answer)[0]
    assert list(model.objects.order_by("pk").values()) == before
    assert logged() == []
    table = model._meta.db_table
    assert not [each["sql"] for each in statements if f'FROM "{table}"' in each["sql"] and "LIMIT" not in each["sql"]]


def test_an_action_on_all_rows_of_a_short_list_is_done(staff, world):
    intend(DEMO)
    visit(ADA, BEN)
    chosen = {"action": "look_now", "select_across": "1", "_selected_action": [str(request_of(ADA).pk)]}
    assert messages_of(staff.post(list_of(RealizationRequest), chosen)) == ["2 learners will be evaluated in a moment."]


# --- finding ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer", ["acme", "ACME", "acme learning", str(ACME)])
def test_lists_are_filtered_by_a_customer_that_is_typed_in(staff, world, customer):
    intend(DEMO)
    visit(ADA)
    for model in (RealizationAttempt, RealizationRequest, DefaultEnterpriseEnrollmentRealization):
        for typed, count in ((customer, 1), ("globex", 0), (str(GLOBEX), 0), ("'", 0)):
            assert staff.get(list_of(model), {"customer": typed}).context["cl"].result_count == count


def test_lists_are_searched_by_learner_and_by_uuid(staff, world):
    (intention,) = intend(DEMO)
    visit(ADA)
    for term, count in (
        (str(ADA), 1),
        ("7", 0),
        (str(intention.pk), 1),
        (str(ACME), 1),
        (str(GLOBEX), 0),
        ("demox", 1),
    ):
        assert staff.get(list_of(RealizationAttempt), {"q": term}).context["cl"].result_count == count, term


def test_attempts_are_filtered_by_reason_and_requests_by_state(staff, world):
    intend(DEMO)
    visit(ADA, HAL)
    give_up(customer_uuid=ACME, lms_user_id=HAL, because="outcome_unknown")
    assert staff.get(list_of(RealizationAttempt), {"reason": "no_license"}).context["cl"].result_count == 1
    counts = {
        state: staff.get(list_of(RealizationRequest), {"state": state}).context["cl"].result_count
        for state in ("due", "later", "busy", "settled", "dead", "")
    }
    assert counts == {"due": 0, "later": 0, "busy": 0, "settled": 1, "dead": 1, "": 2}
