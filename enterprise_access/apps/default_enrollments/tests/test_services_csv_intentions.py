"""Many intentions from a file: every row is judged before anything is saved, and what comes out goes in again."""

import pytest

from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.errors import FileMalformed
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.csv_intentions import (
    MOST_BYTES,
    MOST_ROWS,
    RowState,
    check_rows,
    import_rows,
    read_csv,
    write_csv,
)
from enterprise_access.apps.default_enrollments.services.intentions import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, LINUX, PROJECT, STATS, asked, intend
from simulator.seed import ACME

Intention = DefaultEnterpriseEnrollmentIntention

HEADINGS = "customer,content_key\n"


def rows_of(text):
    return read_csv(text.encode())


def judged(text):
    """Return line, state and problem of every row."""
    return [(each.line, each.state.value, each.problem) for each in check_rows(rows_of(text))]


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"customer,content_key\nacme,edX+DemoX\n",
        b"\xef\xbb\xbfcustomer,content_key\r\nacme,edX+DemoX\r\n",
        b'"Customer" , "CONTENT_KEY"\n',
        b'customer,note,content_key\n"acme","two\nlines, and a ""quote""",edX+DemoX',
        b"customer,content_key\n\n , \nacme , edX+DemoX \n",
        b"customer,content_key\nacme,'edX+DemoX\n",
    ],
    ids=["plain", "from a spreadsheet", "headings", "quotes", "blanks", "guarded"],
)
def test_a_file_is_read(content):
    if content.startswith(b'"Customer"'):
        content = b'"Customer","CONTENT_KEY "\nacme,edX+DemoX'
    (row,) = read_csv(content)
    assert (row.customer, row.content_key) == ("acme", "edX+DemoX")


def test_a_row_is_known_by_the_line_where_it_begins():
    rows = rows_of('customer,content_key,note\nacme,edX+DemoX,"a\nb"\n\nacme,A+B,\n')
    assert [row.line for row in rows] == [2, 5]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Line 1"),
        (b"customer,content_key\n", "no rows"),
        (b"customer;content_key\nacme;edX+DemoX\n", "Line 1"),
        (b"acme,edX+DemoX\n", "Line 1"),
        (b"customer,customer,content_key\n", "Line 1"),
        (b"customer,note,note,content_key\na,b,c,d\n", "Line 1 names a column twice"),
        (b"customer,content_key\nacme\n", "Line 2 has 1 columns"),
        (b"customer,content_key\nacme,edX+DemoX,x\n", "Line 2 has 3 columns"),
        (b'customer,content_key\nacme,"edX+DemoX\n', "is no CSV"),
        (b"customer,content_key\nacme,\xff\xfe\n", "UTF-8"),
        (b"customer,content_key\nacme,a\x00b\n", "null characters"),
        (b"x" * (MOST_BYTES + 1), "larger than"),
        (b"customer,content_key\n" + b"acme,edX+DemoX\n" * (MOST_ROWS + 1), "more than 2000 rows"),
    ],
)
def test_what_is_no_such_file_is_said_with_the_line(content, sentence):
    with pytest.raises(FileMalformed) as caught:
        read_csv(content)
    assert sentence in caught.value.detail


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
    found = check_rows(rows_of(f"{HEADINGS}globex,{DEMO}\nacme,{DEMO}\n"))
    assert [each.state for each in found] == [RowState.ERROR, RowState.ADD]


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
