"""What the database holds is the same graph as the packaged rows; and which modes follow from types."""

from uuid import uuid4

import pytest

from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.models import CourseRunType, CourseType, Source, TypedCourse, TypedCourseRun
from enterprise_access.apps.course_types.selectors import get_graph, get_typed_course, list_modes_by_type

pytestmark = pytest.mark.django_db

RUN = "course-v1:edX+DemoX+2026_T1"
FOLDED = RUN.lower()


def type_run(run_type, run_key=RUN):
    course, _ = TypedCourse.objects.get_or_create(
        course_key="edX+DemoX",
        defaults={"course_type": CourseType.objects.get(slug="verified-audit"), "source": Source.ASSIGNED},
    )
    return TypedCourseRun.objects.create(
        course=course, run_key=run_key, run_type=CourseRunType.objects.get(slug=run_type), source=Source.ASSIGNED
    )


def test_after_the_migrations_the_graph_is_that_of_the_packaged_rows():
    assert get_graph() == seeded_graph()
    assert list(get_graph().run_types) == list(seeded_graph().run_types)


@pytest.mark.parametrize("more", [0, 20])
def test_the_graph_takes_the_same_statements_however_many_types_there_are(more, django_assert_num_queries):
    for number in range(more):
        CourseRunType.objects.create(slug=f"more-{number}", name="More")
    with django_assert_num_queries(6):
        get_graph()


class TestModesByType:
    """list_modes_by_type."""

    @pytest.mark.parametrize(
        ("run_type", "modes"),
        [
            ("verified-audit", {"verified", "audit"}),
            ("masters", {"masters"}),
            ("credit-verified-audit", {"audit", "verified", "credit"}),
        ],
    )
    def test_what_is_stated_of_a_run_gives_its_modes(self, run_type, modes):
        type_run(run_type)
        found = list_modes_by_type(discovery_uuids={RUN.upper(): None})
        assert (found.stated, found.in_catalog) == ({FOLDED: modes}, {})

    def test_the_catalogs_run_type_gives_the_modes_of_a_run_of_which_nothing_is_stated(self):
        uuid = uuid4()
        CourseRunType.objects.filter(slug="professional").update(discovery_uuid=uuid)
        found = list_modes_by_type(discovery_uuids={RUN: uuid})
        assert (found.stated, found.in_catalog) == ({}, {FOLDED: {"professional"}})

    def test_what_is_stated_wins_over_the_catalog(self):
        uuid = uuid4()
        CourseRunType.objects.filter(slug="professional").update(discovery_uuid=uuid)
        type_run("audit")
        found = list_modes_by_type(discovery_uuids={RUN: uuid})
        assert (found.stated, found.in_catalog) == ({FOLDED: {"audit"}}, {})

    def test_not_known_yet_and_unknown_types_say_nothing(self):
        type_run("empty")
        found = list_modes_by_type(discovery_uuids={RUN: uuid4()})
        assert (found.stated, found.in_catalog) == ({}, {})

    def test_it_takes_one_statement_and_none_for_no_runs(self, django_assert_num_queries):
        type_run("audit")
        with django_assert_num_queries(1):
            list_modes_by_type(discovery_uuids={f"course-v1:edX+Demo{number}+1": uuid4() for number in range(30)})
        with django_assert_num_queries(1):
            list_modes_by_type(discovery_uuids={RUN: None})
        with django_assert_num_queries(0):
            list_modes_by_type(discovery_uuids={})

    def test_both_kinds_come_together(self):
        uuid = uuid4()
        CourseRunType.objects.filter(slug="masters-verified-audit").update(discovery_uuid=uuid)
        type_run("audit")
        found = list_modes_by_type(discovery_uuids={RUN: uuid, "course-v1:edX+DemoX+2027": uuid})
        assert found.stated == {FOLDED: {"audit"}}
        assert found.in_catalog == {"course-v1:edx+demox+2027": {"masters", "verified", "audit"}}


def test_a_typed_course_is_found_in_any_spelling(django_assert_num_queries):
    type_run("audit")
    type_run("verified-audit", "course-v1:edX+DemoX+2027")
    with django_assert_num_queries(3):
        course = get_typed_course(course_key="EDX+demox")
        assert [run.run_type.slug for run in course.runs.all()] == ["audit", "verified-audit"]
