"""The packaged rows get into the tables, out of them, and back; what staff have added or use stays."""

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from enterprise_access.apps.course_types.domain.seeds import Origin, seed_rows, seeded_graph
from enterprise_access.apps.course_types.models import CourseType, Mode, SeatType, Source, Track, TypedCourse
from enterprise_access.apps.course_types.selectors import get_graph

APP = "course_types"
SECTIONS = {"modes": Mode, "seat_types": SeatType, "course_types": CourseType}


@pytest.mark.django_db
@pytest.mark.parametrize("origin", list(Origin))
@pytest.mark.parametrize("section", SECTIONS)
def test_the_rows_of_both_origins_are_told_apart(origin, section):
    rows = SECTIONS[section].objects.filter(origin=origin.value)
    assert {row.slug for row in rows} == {row["slug"] for row in seed_rows(origin)[section]}


def migrate(name):
    call_command("migrate", APP, name, verbosity=0)


@pytest.fixture
def seeded(transactional_db):
    """The rows as they are after the migrations: a test with transactions of its own leaves empty tables behind."""
    migrate("0001")
    migrate("0003")
    yield
    migrate("0003")


def test_there_and_back_again_with_what_staff_have_added(seeded):
    mine = SeatType.objects.create(slug="mine", name="Mine")
    migrate("0001")
    assert not CourseType.objects.exists()
    assert not Track.objects.exists()
    assert list(SeatType.objects.all()) == [mine]
    migrate("0003")
    assert SeatType.objects.filter(slug="mine").exists()
    mine.delete()
    assert get_graph() == seeded_graph()


def test_what_is_used_stays_when_the_rows_are_taken_out(seeded):
    masters = CourseType.objects.get(slug="masters")
    TypedCourse.objects.create(course_key="GTx+CSE1", course_type=masters, source=Source.ASSIGNED)
    migrate("0002")
    assert set(CourseType.objects.filter(origin="operator").values_list("slug", flat=True)) == {"masters"}
    migrate("0003")
    assert get_graph().course_types.keys() == seeded_graph().course_types.keys()
    assert TypedCourse.objects.get().course_type == masters


def test_the_tables_go_and_come(seeded):
    try:
        migrate("zero")
        assert "course_types_mode" not in connection.introspection.table_names()
    finally:
        migrate("0003")
    assert get_graph() == seeded_graph()


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", APP, "--check", "--dry-run", verbosity=0)
    assert (APP, "0003_operator_types") in MigrationExecutor(connection).loader.graph.leaf_nodes()
