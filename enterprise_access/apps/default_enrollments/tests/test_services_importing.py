"""Imports as background jobs: every row is done once, whatever happens in between, and nothing is saved unasked."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.signals import post_save
from django.utils import timezone

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention, RealizationRequest
from enterprise_access.apps.default_enrollments.services.csv_intentions import read_csv
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.moving_in import importing
from enterprise_access.apps.default_enrollments.services.requests import sweeping
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    LINUX,
    PROJECT,
    add_learners,
    asked,
    intend,
)
from enterprise_access.jobs import services
from enterprise_access.jobs.models import Job, JobState
from enterprise_access.jobs.services import start_job
from simulator.seed import ACME, ACME_ANNUAL, ACME_OPEN, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention
HEADINGS = "customer,content_key\n"

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(django_user_model):
    return django_user_model.objects.create_superuser("root")


@pytest.fixture
def many(world):
    """Return 60 keys in a catalog of Acme's."""
    keys = [f"BulkX+C{number:03}" for number in range(60)]
    for key in keys:
        world.add_open_course(key=key)
    known = world.tables.catalogs.get(ACME_OPEN).course_keys
    world.change_catalog(catalog_uuid=ACME_OPEN, course_keys=(*known, *keys))
    return keys


def import_csv(text, root, **how):
    rows = read_csv((HEADINGS + text).encode())
    parameters = importing.parameters_of_csv(rows, **how)
    return start_job(kind=importing.CSV_IMPORT, title="x", parameters=parameters, by=root, total=len(rows))


def run(job):
    """Work on a job as a worker does when it is due, until nothing is left to do now."""
    services.run_jobs()
    job.refresh_from_db()
    return job


def outcomes(job):
    return [row.outcome for row in job.results.all()]


def keys_in_log():
    return sorted(LogEntry.objects.values_list("object_repr", flat=True))


# --- CSV ------------------------------------------------------------------------------------------------------------


def test_a_check_saves_nothing_and_says_the_outcome_of_every_row(world, root):
    _, gone = intend(DEMO, LINUX)
    delete_intention(gone)
    job = run(import_csv(f"acme,{PROJECT}\nacme,{DEMO}\nacme,{LINUX}\nnobody,{DEMO}\n{ACME},{PROJECT}\n", root))
    assert (job.state, job.done, job.total) == (JobState.FINISHED, 5, 5)
    assert outcomes(job) == ["add", "exists", "restore", "error", "error"]
    assert job.results.last().text == "The same as line 2."
    assert Intention.objects.living().count() == 1


def test_rows_are_repeated_also_when_they_are_checked_in_different_steps(world, root, many):
    text = "".join(f"acme,{key}\n" for key in many) + f"{ACME},{many[0].lower()}\n"
    job = run(import_csv(text, root))
    assert (outcomes(job)[-1], job.results.last().text) == ("error", "The same as line 2.")


@pytest.mark.parametrize("restore", [True, False])
def test_what_is_saved_is_in_the_admin_log_and_a_second_import_changes_nothing(world, root, many, restore):
    (gone,) = intend(LINUX)
    delete_intention(gone)
    text = f"acme,{LINUX}\n" + "".join(f"acme,{key}\n" for key in many)
    first = run(import_csv(text, root, save=True, restore=restore))
    assert outcomes(first) == ["restored" if restore else "restore", *["added"] * 60]
    assert keys_in_log() == sorted([*many, *([LINUX] if restore else [])])
    again = run(import_csv(text, root, save=True, restore=restore))
    assert "added" not in outcomes(again)
    assert len(keys_in_log()) == 60 + restore


@pytest.mark.parametrize(("sender", "times"), [(Intention, 30), (LogEntry, 30), (LogEntry, 1)])
def test_a_worker_that_ends_loses_nothing_and_nothing_is_added_or_logged_twice(world, root, many, sender, times):
    """It ends while a row is saved, or while a step is stored, after some rows of the step were saved."""
    job = import_csv("".join(f"acme,{key}\n" for key in many), root, save=True)
    left = [times]

    def end(**_signal):
        left[0] -= 1
        if left[0] == 0:
            raise SystemExit

    post_save.connect(end, sender=sender, weak=False)
    try:
        with pytest.raises(SystemExit):
            services.run_jobs()
    finally:
        post_save.disconnect(end, sender=sender)
    assert 0 < Intention.objects.count() < len(many)
    assert list(Job.objects.due(timezone.now())) == [job]
    assert (run(job).state, job.done) == (JobState.FINISHED, len(many))
    assert outcomes(job) == ["added"] * len(many)
    assert keys_in_log() == sorted(many)


def test_saving_asks_for_no_modes_and_for_each_customer_once(world, root, many):
    before = asked(world, "platform.course"), asked(world, "lms.customers")
    run(import_csv("".join(f"acme,{key}\n" for key in many), root, save=True))
    assert asked(world, "platform.course") == before[0]
    assert asked(world, "lms.customers") <= before[1] + 1


def test_while_the_lms_is_silent_the_job_waits_and_then_the_row_is_an_error(world, simulator, root, clock):
    fetch_customer(customer_uuid=ACME)
    job = import_csv(f"globex,{DEMO}\n{ACME},{DEMO}\n", root, save=True)
    simulator.faults.add("status", "lms.*", times=None, status=500)
    for tries in range(1, importing.TRIES + 1):
        assert run(job).state == JobState.PENDING
        assert (job.failures, bool(job.problem), outcomes(job)) == (tries, True, [])
        clock.shift(services.QUEUE.back_off.last)
    assert outcomes(run(job)) == ["error", "added"]
    assert job.state == JobState.FINISHED


def test_a_slug_that_moved_adds_to_its_new_owner(world, root):
    fetch_customer(customer_uuid=GLOBEX)
    world.change_customer(customer="globex", slug="globex-old")
    new = world.add_customer(slug="globex", name="Globex Two")
    run(import_csv(f"globex,{DEMO}\n", root, save=True))
    assert [row.customer_id for row in Intention.objects.all()] == [new.uuid]


# --- the LMS, all customers, all learners ---------------------------------------------------------------------------


@pytest.mark.parametrize("save", [False, True])
def test_what_the_lms_intends_is_taken_over_by_a_job(world, root, save):
    parameters = {"customers": [str(ACME), str(GLOBEX), str(uuid4())], "save": save}
    job = run(start_job(kind=importing.LMS_IMPORT, title="x", parameters=parameters, by=root))
    assert (job.state, job.done, job.total) == (JobState.FINISHED, 3, 3)
    assert outcomes(job) == [*["added" if save else "add"] * 5, "error"]
    assert Intention.objects.count() == len(keys_in_log()) == (5 if save else 0)


def test_every_customer_is_checked_and_one_that_cannot_be_is_said(world, simulator, root):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    job = start_job(kind=sweeping.CHECK_JOB, title="x", parameters=sweeping.parameters_of_check(), by=root)
    assert run(job).state == JobState.FINISHED
    assert outcomes(job) == ["checked", "checked"]


@pytest.mark.parametrize("rate", [None, 600])
def test_a_backfill_goes_on_from_its_page_and_asks_for_everybody_once(world, root, clock, rate):
    intend(DEMO)
    add_learners(world, 230, plan_uuid=ACME_ANNUAL)
    linked = asked(world, "lms.learners")
    parameters = sweeping.parameters_of_backfill(customer_uuid=ACME, learners_per_minute=rate)
    job = start_job(kind=sweeping.BACKFILL_JOB, title="x", parameters=parameters, by=root)
    for _ in range(4):
        run(job)
        clock.shift(timedelta(minutes=1))
    assert job.state == JobState.FINISHED
    pages = job.results.count()
    assert asked(world, "lms.learners") - linked <= pages + 1  # the canary
    due = RealizationRequest.objects.filter(customer_id=ACME, due_at__isnull=False)
    assert due.count() == job.done >= 230
    assert due.filter(lms_user_id=ADA).exists()
    assert Job.objects.get().problem == ""
