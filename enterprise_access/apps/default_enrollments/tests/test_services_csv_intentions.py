"""Many intentions from a file: every row is judged before anything is saved, and what comes out goes in again."""

import pytest

from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.csv_intentions import (
    RowState,
    check_rows,
    import_rows,
    read_csv,
    write_csv,
)
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, LINUX, PROJECT, STATS, asked, intend
from simulator.seed import ACME, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention

HEADINGS = "customer,content_key\n"


def rows_of(text):
    return read_csv(text.encode())


def judged(text):
    """Return line, state and problem of every row."""
    return [(each.line, each.state.value, each.problem) for each in check_rows(rows_of(text))]


# --- judging --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_row_gets_its_verdict_and_nothing_is_saved(world):
    here, gone = intend(DEMO, LINUX)
    delete_intention(gone)
    found = judged(
        f"{HEADINGS}acme,{PROJECT}\nacme,{DEMO.upper()}\nacme,{LINUX}\nnobody,{DEMO}\nacme,NoX+SUCH\nacme,nonsense\n"
        f"acme,\n,{DEMO}\n{ACME},{PROJECT.lower()}\n"
    )
    assert [(line, state) for line, state, _ in found] == [
        (2, "add"),
        (3, "exists"),
        (4, "restore"),
        *((line, "error") for line in range(5, 11)),
    ]
    problems = [problem for _, state, problem in found if state == "error"]
    said = ["knows no active", "No course or run", "neither a course key", "key is missing", "customer is missing"]
    assert all(part in problem for part, problem in zip(said, problems, strict=False))
    assert problems[-1] == "The same as line 2."
    assert Intention.objects.count() == 2
    assert here.history.count() == 1


@pytest.mark.django_db
def test_the_rows_of_a_customer_are_looked_up_together(world):
    intend()
    before = asked(world, "catalog.catalog_content")
    check_rows(rows_of(HEADINGS + "".join(f"acme,{key}\n" for key in (DEMO, LINUX, PROJECT, STATS))))
    few = asked(world, "catalog.catalog_content") - before
    assert few == len(list(world.tables.catalogs.where(customer=ACME)))


@pytest.mark.django_db
def test_while_the_lms_is_silent_an_unknown_customer_is_an_error_of_its_rows_only(world, simulator):
    intend()
    simulator.faults.add("status", "lms.*", times=None, status=500)
    found = check_rows(rows_of(f"{HEADINGS}globex,{DEMO}\n{ACME},{DEMO}\n"))
    assert [each.state for each in found] == [RowState.ERROR, RowState.ADD]


@pytest.mark.django_db
def test_a_slug_is_looked_up_in_the_lms_and_never_in_an_old_copy(world):
    intend(customer=GLOBEX)
    world.change_customer(customer="globex", slug="globex-old")
    new = world.add_customer(slug="globex", name="Globex Two")
    found = check_rows(rows_of(f"{HEADINGS}globex,{DEMO}\n{GLOBEX},{DEMO}\nglobex-old,{LINUX}\n"))
    assert [each.customer_uuid for each in found] == [new.uuid, GLOBEX, GLOBEX]


@pytest.mark.django_db
def test_while_the_catalog_is_silent_a_row_is_added_unchecked_with_a_warning(world, simulator):
    intend()
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    (each,) = check_rows(rows_of(f"{HEADINGS}acme,{DEMO}\n"))
    assert each.state is RowState.ADD
    assert each.warnings == (Reason.CATALOG_UNAVAILABLE,)


# --- importing and exporting ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_can_be_saved_is_saved_and_a_second_time_changes_nothing(world):
    text = f"{HEADINGS}acme,{DEMO.lower()}\nnobody,{DEMO}\nglobex,{DEMO}\n"
    imported = import_rows(check_rows(rows_of(text)))
    assert [(row.customer.slug, row.content_key) for row in imported.added] == [("acme", DEMO), ("globex", DEMO)]
    again = import_rows(check_rows(rows_of(text)))
    assert (again.added, again.restored, again.problems) == ((), (), ())
    assert Intention.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("restore_deleted", [True, False])
def test_what_was_deleted_is_restored_only_on_request(world, restore_deleted):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    import_rows(check_rows(rows_of(f"{HEADINGS}acme,{DEMO}\n")), restore_deleted=restore_deleted)
    assert Intention.objects.get().is_deleted is not restore_deleted


@pytest.mark.django_db
def test_what_somebody_else_has_added_meanwhile_is_no_problem(world):
    intend()
    checked = check_rows(rows_of(f"{HEADINGS}acme,{DEMO}\n"))
    intend(DEMO)
    assert import_rows(checked).problems == ()


@pytest.mark.django_db
def test_what_is_exported_can_be_imported(world):
    intend(DEMO, LINUX)
    text = write_csv(Intention.objects.select_related("customer", "health"))
    assert [row.content_key for row in read_csv(text.encode())] == [DEMO, LINUX]
    assert [each.state for each in check_rows(read_csv(text.encode()))] == [RowState.EXISTS] * 2


@pytest.mark.django_db
@pytest.mark.parametrize("slug", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_nothing_that_is_exported_is_taken_for_a_formula(world, slug):
    (intention,) = intend(DEMO)
    intention.customer.slug = slug
    intention.customer.save()
    _, line, *_ = write_csv(Intention.objects.select_related("customer", "health")).splitlines()
    assert line.lstrip('"').startswith(f"'{slug}")
