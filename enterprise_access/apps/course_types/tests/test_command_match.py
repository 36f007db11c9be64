"""`manage.py match_course_types`, with the simulated course-discovery."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.course_types.models import Source, TypedCourse, TypedCourseRun
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type

pytestmark = pytest.mark.django_db

CS50_RUN = "course-v1:HarvardX+CS50+2026"


def run(*arguments):
    out = StringIO()
    call_command("match_course_types", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture(autouse=True)
def _neighbours(simulator):
    """All that is matched comes from there."""


def test_without_commit_it_says_what_fits_and_saves_nothing():
    told = run("--course", "edX+DemoX")
    assert "edX+DemoX: typed: verified-audit" in told
    assert "    course-v1:edX+DemoX+2026_T1: verified-audit" in told
    assert told.endswith("Dry run, nothing was saved. Courses: typed: 1.\n")
    assert not TypedCourse.objects.exists()


def test_what_fits_is_saved_as_matched():
    run("--course", "edX+DemoX", "--course", "WhartonX+FIN1", "--commit")
    types = {course.course_key: (course.course_type.slug, course.source) for course in TypedCourse.objects.all()}
    assert types == {
        "edX+DemoX": ("verified-audit", Source.MATCHED),
        "WhartonX+FIN1": ("professional", Source.MATCHED),
    }
    assert TypedCourseRun.objects.filter(course__course_key="edX+DemoX").count() == 3


def test_the_second_time_nothing_changes():
    run("--course", "edX+DemoX", "--commit")
    assert run("--course", "edX+DemoX", "--commit") == "Courses: same: 1.\n"
    assert TypedCourse.history.count() == 1


def test_what_was_said_before_is_never_changed_and_has_to_fit():
    assign_course_type(course_key="edX+DemoX", course_type="masters-verified-audit")
    run("--course", "edX+DemoX", "--commit")
    demo = TypedCourse.objects.get()
    assert (demo.course_type.slug, demo.source) == ("masters-verified-audit", Source.ASSIGNED)
    assert {row.run_type.slug for row in demo.runs.all()} == {"verified-audit"}


def test_one_run_that_does_not_fit_what_was_said_of_it_keeps_the_course_as_it_is():
    assign_course_type(course_key="edX+DemoX", course_type="verified-audit")
    assign_run_type(course_key="edX+DemoX", run_key="course-v1:edX+DemoX+2026_T1", run_type="audit")
    with pytest.raises(CommandError, match="1 courses could not be matched"):
        run("--course", "edX+DemoX", "--commit")
    assert TypedCourseRun.objects.count() == 1


def test_not_known_yet_is_filled_in():
    assign_course_type(course_key="edX+DemoX", course_type="empty")
    run("--course", "edX+DemoX", "--commit")
    assert TypedCourse.objects.get().course_type.slug == "verified-audit"


def test_the_lms_tells_what_no_seat_shows(lms_has):
    lms_has("course-v1:UBCx+HTC1+2026_T1", "audit", "verified", "masters")
    assert "UBCx+HTC1: typed: masters-verified-audit" in run("--course", "UBCx+HTC1")


def test_a_course_that_cannot_be_matched_is_told_with_what_would_fit_and_ends_with_an_error():
    out = StringIO()
    with pytest.raises(CommandError, match="2 courses could not be matched"):
        call_command("match_course_types", "--course", "GTx+CSE6040", "--course", "edX+NORUNS", stdout=out)
    assert "GTx+CSE6040: no_match: unknown_type. Unknown here: no-id-professional." in out.getvalue()
    assert "edX+NORUNS: no_match: no_runs." in out.getvalue()


def test_pairs_that_are_allowed_besides(world):
    world.change_course(course_key="HarvardX+CS50", course_type="professional")
    with pytest.raises(CommandError):
        run("--course", "HarvardX+CS50")
    assert f"    {CS50_RUN}: audit" in run("--course", "HarvardX+CS50", "--allow", "professional:audit")


@pytest.mark.parametrize("allow", ["verified", ":audit", "verified:"])
def test_a_pair_that_is_none_is_refused(allow):
    with pytest.raises(CommandError, match="not like course-type:run-type"):
        run("--allow", allow)


def test_a_type_that_nobody_knows_is_refused():
    with pytest.raises(CommandError, match="There is no run type 'spoc'"):
        run("--allow", "verified:spoc")


def test_a_course_that_is_not_there_is_told():
    with pytest.raises(CommandError, match="has no course edX"):
        run("--course", "edX+NoSuch")
