"""`manage.py reconcile_course_types`, with the simulated course-discovery."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.course_types.models import CourseType
from enterprise_access.apps.course_types.selectors import get_graph
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from simulator.faults import FaultKind

pytestmark = pytest.mark.django_db

DEMO_RUN = "course-v1:edX+DemoX+2026_T1"


@pytest.fixture(autouse=True)
def _neighbours(simulator):
    """All that is compared comes from there."""


def differences(exit_code=1):
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("reconcile_course_types", stdout=out, stderr=StringIO())
    assert ended.value.code == exit_code
    return out.getvalue()


def imported():
    call_command("import_course_types", "--commit", "--with-courses", stdout=StringIO(), stderr=StringIO())


def test_types_that_differ_end_it_with_1_and_nothing_is_saved():
    told = differences()
    assert "types: course run type professional-no-id: course-discovery has it, and it is not here" in told
    assert "types: course type credit-verified-audit: is here, and not in course-discovery" in told
    assert "professional-no-id" not in get_graph().run_types


def test_when_nothing_differs_it_ends_well(monkeypatch):
    imported()
    for slug in ("credit-verified-audit", "verified-honor", "credit-verified-honor"):
        CourseType.objects.filter(slug=slug).update(is_retired=True)
    told = differences()
    # What is here besides is all that is left of the types; courses are as they are there.
    assert {line.split(":")[0] for line in told.splitlines()[:-1]} == {"types"}


def test_a_course_that_is_for_something_else_there_is_told_with_who_said_so(world):
    imported()
    world.change_course(course_key="edX+DemoX", course_type="masters-verified-audit")
    assert "course: edX+DemoX: is verified-audit here (imported), and masters-verified-audit in course-discovery" in (
        differences()
    )


def test_what_is_sold_and_what_the_lms_has_is_compared_with_what_should_be(lms_has):
    imported()
    lms_has(DEMO_RUN, "verified")
    told = differences()
    assert f"products: {DEMO_RUN}: the lms mode audit is missing. A license that is revoked un-enrolls" in told


def test_a_seat_type_and_a_course_type_that_nobody_knows_are_listed(world):
    world.change_course(course_key="edX+DemoX", course_type="spoc-verified-audit")
    told = differences()
    assert "unknown: edX+DemoX: has the course type spoc-verified-audit, which nobody knows here" in told
    assert "unknown: GTx+CSE6040: sells no-id-professional, which is no seat type here" in told


def test_a_course_discovery_that_cannot_be_asked_ends_it_with_2(simulator):
    simulator.faults.add(FaultKind.STATUS, "discovery.*", times=None)
    with pytest.raises(CommandError) as failed:
        call_command("reconcile_course_types", stdout=StringIO())
    assert failed.value.returncode == 2


def test_the_types_of_runs_are_compared_too():
    imported()
    assign_course_type(course_key="edX+Other", course_type="verified-audit")
    assign_run_type(course_key="edX+DemoX", run_key="course-v1:edX+DemoX+2036_T1", run_type="verified-audit")
    call_command("import_course_types", stdout=StringIO())
    assign_course_type(course_key="HarvardX+CS50", course_type="verified-audit")
    assign_run_type(course_key="HarvardX+CS50", run_key="course-v1:HarvardX+CS50+2026", run_type="verified-audit")
    told = differences()
    assert "course: HarvardX+CS50: is verified-audit here (assigned), and audit in course-discovery" in told
    assert (
        "course: course-v1:HarvardX+CS50+2026: is verified-audit here (assigned), and audit in course-discovery" in told
    )
    assert "the seat verified is missing" in told
