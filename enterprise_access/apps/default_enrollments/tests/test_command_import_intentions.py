"""`import_default_enrollment_intentions`: what the LMS intended itself becomes ours, once, and only when asked to."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DEMO,
    DEMO_RUN,
    STATS_RUN,
    intend,
    times_sent,
    visit,
)
from simulator.seed import GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention
ACMES = {DEMO, STATS_RUN, "HarvardX+CS50", "MITx+6.00.1x"}

pytestmark = pytest.mark.django_db


def run(*arguments):
    out, err = StringIO(), StringIO()
    try:
        call_command("import_default_enrollment_intentions", *arguments, stdout=out, stderr=err)
    except CommandError as error:
        return f"{out.getvalue()}{err.getvalue()}{error}", 1
    return out.getvalue(), 0


def keys(slug="acme"):
    return set(Intention.objects.living().filter(customer__slug=slug).values_list("content_key", flat=True))


def test_without_commit_it_only_says_what_it_would_do(world):
    said, code = run("--customer", "acme")
    assert code == 0
    assert f"acme: {DEMO} ({DEMO_RUN}): will be added" in said
    assert "Dry run, nothing was saved. to add: 4" in said
    assert keys() == set()


def test_with_commit_all_of_them_are_ours_and_again_changes_nothing(world):
    assert run("--customer", "acme", "--commit")[1] == 0
    assert keys() == ACMES
    said, code = run("--customer", "acme", "--commit")
    assert code == 0
    assert "added: 0, there already: 4" in said


def test_several_customers_are_taken_or_all_that_are_known(world):
    run("--customer", "acme", "--customer", str(GLOBEX), "--commit")
    assert (keys(), keys("globex")) == (ACMES, {DEMO})
    Intention.objects.all().delete()
    run("--commit")
    assert (keys(), keys("globex")) == (ACMES, {DEMO})


def test_all_pages_are_read(world):
    for number in range(23):
        run_ = world.add_open_course(key=f"ManyX+M{number}")
        world.add_default_intention(customer="acme", content_key=run_.course_key)
    run("--customer", "acme", "--commit")
    assert len(keys()) == 4 + 23


def test_what_staff_have_deleted_here_stays_deleted(world):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    said, code = run("--customer", "acme", "--commit")
    assert code == 0
    assert "deleted here: 1" in said
    assert keys() == ACMES - {DEMO}


def test_what_the_lms_has_deleted_is_not_taken_over(world):
    world.drop_default_intention(customer="acme", content_key=DEMO)
    run("--customer", "acme", "--commit")
    assert keys() == ACMES - {DEMO}


def test_what_no_catalog_knows_is_refused_and_the_rest_is_taken(world):
    world.add_default_intention(customer="acme", content_key="GoneX+GONE1")
    said, code = run("--customer", "acme", "--commit")
    assert code == 1
    assert "GoneX+GONE1: cannot be added" in said
    assert keys() == ACMES


def test_what_has_no_paid_mode_is_pointed_out(world):
    said, _ = run("--customer", "acme")
    lines = said.splitlines()
    after_audit = lines[next(n for n, line in enumerate(lines) if "HarvardX+CS50" in line) + 1]
    assert "would be enrolled again" in after_audit
    assert "without a paid mode: 2" in said


@pytest.mark.parametrize("name", ["nobody", "dormant"])
def test_a_customer_whom_the_lms_does_not_know_is_an_error(world, name):
    said, code = run("--customer", name, "--customer", "acme", "--commit")
    assert code == 1
    assert "1 of 2 customers could not be read" in said
    assert keys() == ACMES


@pytest.mark.parametrize("kind", ["hang", "unreachable", "malformed_json"])
def test_a_silent_lms_is_an_error_and_nothing_is_added(world, simulator, kind):
    intend()
    simulator.faults.add(kind, "lms.default_intentions", times=None)
    assert run("--customer", "acme", "--commit")[1] == 1
    assert keys() == set()


def test_without_any_customer_it_says_so(world):
    assert run() == ("No customer is known here. Name one with --customer.", 1)


def test_who_has_the_course_from_the_lms_already_is_not_enrolled_again(world):
    world.enroll(username="ada", run_key=DEMO_RUN, customer="acme", mode="verified")
    world.enroll(username="ada", run_key=STATS_RUN, customer="acme", mode="verified")
    world.leave(username="ada", run_key=STATS_RUN)
    run("--customer", "acme", "--commit")
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 0
    assert times_sent(world, ADA, STATS_RUN) == 0
