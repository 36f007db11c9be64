"""`manage.py import_course_types`, with the simulated course-discovery."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.models import (
    CourseRunType,
    CourseType,
    Mode,
    Source,
    TypedCourse,
    TypedCourseRun,
    TypeOrigin,
)
from enterprise_access.apps.course_types.selectors import get_graph
from enterprise_access.apps.course_types.services.assigning import assign_course_type
from simulator.discovery import types as discovery_types
from simulator.discovery import views as discovery
from simulator.discovery.types import CourseType as TypeThere
from simulator.discovery.types import ModeOfType, RunType
from simulator.faults import FaultKind
from simulator.values import uuid_for

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("import_course_types", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture(autouse=True)
def _neighbours(simulator):
    """All that is imported comes from there."""


def test_without_commit_it_says_what_it_would_do_and_saves_nothing():
    told = run()
    assert "added: course run type professional-no-id" in told
    assert "Dry run, nothing was saved." in told
    assert get_graph() == seeded_graph()
    assert not CourseType.objects.exclude(discovery_uuid=None).exists()


def test_types_are_recognized_and_get_the_uuids_of_course_discovery():
    run("--commit")
    for slug in ("audit", "verified-audit", "masters", "executive-education-2u"):
        assert CourseType.objects.get(slug=slug).discovery_uuid == uuid_for("course type", slug)
    for slug in ("audit", "masters-verified-audit", "unpaid-executive-education"):
        assert CourseRunType.objects.get(slug=slug).discovery_uuid == uuid_for("run type", slug)


def test_a_run_type_that_nobody_had_gets_a_slug_from_its_name_which_may_be_changed():
    told = run("--commit")
    assert "rename them before they are used" in told
    row = CourseRunType.objects.get(discovery_uuid=uuid_for("run type", "no-id-professional"))
    assert (row.slug, row.origin) == ("professional-no-id", TypeOrigin.IMPORTED)
    assert get_graph().run_type(row.slug).modes == {"no-id-professional"}
    assert "professional-no-id" in get_graph().course_type("professional").run_types
    row.slug = "no-id"
    row.save()
    assert "the same" in run("--commit")
    assert CourseRunType.objects.get(slug="no-id").discovery_uuid == uuid_for("run type", "no-id-professional")


def test_the_second_time_nothing_changes():
    run("--commit")
    before = get_graph()
    told = run("--commit")
    assert not [line for line in told.splitlines() if line.startswith(("added", "changed"))]
    assert get_graph() == before


def test_what_is_missing_there_is_reported_and_stays():
    told = run("--commit")
    assert "missing: course type credit-verified-audit: is here, and not in course-discovery" in told
    assert "kept: course type executive-education-2u: allows runs of the type paid-executive-education" in told
    assert "missing: course type empty" not in told
    assert "credit-verified-audit" in get_graph().course_types


def test_which_organizations_may_have_a_type_stays_as_it_is_here():
    CourseType.objects.filter(slug="masters").update(org_allow_list=["GTx"])
    run("--commit")
    assert CourseType.objects.get(slug="masters").org_allow_list == ["GTx"]


def test_what_course_discovery_says_of_a_mode_is_taken_over_and_what_is_ours_stays(monkeypatch):
    other = ModeOfType(slug="verified", name="Verified, anew", certificate_type="verified", payee="organization")
    monkeypatch.setitem(discovery_types.MODES, "verified", other)
    told = run("--commit")
    assert "changed: mode verified: name: Verified becomes Verified, anew" in told
    mode = Mode.objects.get(slug="verified")
    assert (mode.payee, mode.is_id_verified) == ("organization", False)
    assert (mode.enroll_rank, mode.has_upgrade_deadline, mode.origin) == (10, True, TypeOrigin.UPSTREAM)


class TestAllOrNothing:
    """What cannot be taken over keeps the rest from being taken over, too."""

    def _nothing_was_saved(self):
        assert get_graph() == seeded_graph()
        assert not CourseRunType.objects.exclude(discovery_uuid=None).exists()

    def test_a_mode_that_cannot_be_sold(self, monkeypatch):
        broken = ModeOfType(slug="verified", name="Verified")
        monkeypatch.setitem(discovery_types.MODES, "verified", broken)
        with pytest.raises(CommandError, match="ecommerce would sell it as audit"):
            run("--commit")
        self._nothing_was_saved()

    def test_a_run_type_of_which_it_cannot_be_told_what_is_sold(self, monkeypatch):
        twice = RunType("verified-twice", "Verified, Twice", (("verified", "verified"), ("verified", None)))
        monkeypatch.setitem(discovery_types.RUN_TYPES, "verified-twice", twice)
        there = TypeThere(slug="twice", name="Twice", entitlement=None, run_types=("verified-twice",))
        monkeypatch.setattr(discovery, "COURSE_TYPES", (*discovery_types.COURSE_TYPES, there))
        with pytest.raises(CommandError, match="cannot be told what sells it"):
            run("--commit")
        self._nothing_was_saved()

    @pytest.mark.parametrize("kind", [FaultKind.STATUS, FaultKind.HTML, FaultKind.MALFORMED_JSON])
    @pytest.mark.parametrize("endpoint", ["discovery.courses", "discovery.options"])
    def test_a_course_discovery_that_fails_half_way(self, simulator, kind, endpoint):
        simulator.faults.add(kind, endpoint, times=None)
        with pytest.raises(CommandError, match="Nothing was saved"):
            run("--commit")
        self._nothing_was_saved()

    def test_an_answer_without_a_member_that_is_needed(self, simulator):
        simulator.faults.add(FaultKind.MISSING_KEYS, "discovery.options", keys=["tracks"], times=None)
        with pytest.raises(CommandError, match="Nothing was saved"):
            run("--commit")
        self._nothing_was_saved()

    @pytest.mark.parametrize("key", ["no-staff-key"])
    def test_an_account_that_is_not_staff(self, settings, key):
        settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = key, "no-staff-secret"
        with pytest.raises(CommandError, match="may not change the course"):
            run("--commit")
        self._nothing_was_saved()

    def test_an_installation_without_course_discovery(self, settings):
        settings.DISCOVERY_BASE_URL = None
        with pytest.raises(CommandError, match="DISCOVERY_BASE_URL is not set"):
            run("--commit")


def test_a_course_discovery_that_was_set_up_anew_is_recognized_again():
    CourseType.objects.filter(slug="audit").update(discovery_uuid=uuid4())
    CourseRunType.objects.filter(slug="audit").update(discovery_uuid=uuid4())
    run("--commit")
    assert CourseType.objects.get(slug="audit").discovery_uuid == uuid_for("course type", "audit")
    assert CourseRunType.objects.get(slug="audit").discovery_uuid == uuid_for("run type", "audit")


class TestWithCourses:
    """--with-courses."""

    def test_courses_and_runs_are_taken_over_with_whether_they_are_published(self, world):
        told = run("--commit", "--with-courses")
        demo = TypedCourse.objects.get(course_key="edX+DemoX")
        assert (demo.course_type.slug, demo.source) == ("verified-audit", Source.IMPORTED)
        assert demo.published_at is not None
        ran = TypedCourseRun.objects.get(run_key="course-v1:KyotoX+CHEM1+2026")
        assert (ran.run_type.slug, ran.published_at) == ("verified-audit", None)
        assert "Courses: typed: " in told

    def test_the_second_time_nothing_changes(self):
        run("--commit", "--with-courses")
        told = run("--commit", "--with-courses")
        assert f"Courses: same: {TypedCourse.objects.count()}." in told
        assert TypedCourse.history.count() == TypedCourse.objects.count()

    def test_what_staff_have_said_stays(self):
        assign_course_type(course_key="edX+DemoX", course_type="masters-verified-audit")
        told = run("--commit", "--with-courses")
        assert "staff have said something else, which stays" in told
        demo = TypedCourse.objects.get(course_key="edX+DemoX")
        assert (demo.course_type.slug, demo.source) == ("masters-verified-audit", Source.ASSIGNED)

    def test_a_change_that_the_rules_refuse_is_told_and_changes_nothing_of_the_course(self, world):
        run("--commit", "--with-courses")
        world.change_course(course_key="edX+DemoX", course_type="professional")
        with pytest.raises(CommandError, match="1 courses could not be taken over"):
            run("--commit", "--with-courses")
        assert TypedCourse.objects.get(course_key="edX+DemoX").course_type.slug == "verified-audit"

    def test_a_type_that_is_not_known_yet_is_told(self, world):
        world.change_course(course_key="edX+NORUNS", course_type="empty")
        assert "edX+NORUNS: unknown: course-discovery does not know what it is for" in run("--with-courses")

    def test_without_commit_nothing_is_saved(self):
        run("--with-courses")
        assert not TypedCourse.objects.exists()
