"""CSV files: read as every spreadsheet writes them, refused with the line and the way out, written without formulas."""

import csv
import io
import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.lib.csv_files import FileMalformed, read_table, write_table

NEEDED = ("customer", "content_key")
MAX_BYTES, MAX_ROWS = 100_000, 20


def read(content):
    return read_table(content, needed=NEEDED, max_bytes=MAX_BYTES, max_rows=MAX_ROWS)


def written(*, delimiter=",", ends="\n", encoding="utf-8", first="", more="", names="customer{d}content_key"):
    lines = [names.format(d=delimiter) + more, delimiter.join(("acme", "edX+DemoX")) + more, ""]
    return (first + ends.join(lines)).encode(encoding)


WRITTEN = {
    "delimiter": [",", ";", "\t", "|"],
    "ends": ["\n", "\r\n", "\r"],
    "encoding": ["utf-8", "utf-8-sig", "utf-16"],
    "trailing": [0, 1, 3],
    "names": ["customer{d}content_key", "Customer {d} Content Key", '"CUSTOMER"{d}"Content-Key"'],
}


def test_a_file_is_read_as_any_spreadsheet_writes_it():
    for values in itertools.product(*WRITTEN.values()):
        way = dict(zip(WRITTEN, values, strict=True))
        trailing = way.pop("trailing")
        (row,) = read(written(more=way["delimiter"] * trailing, **way))
        assert (row.line, dict(row.cells)) == (2, {"customer": "acme", "content_key": "edX+DemoX"}), values


@pytest.mark.parametrize(
    ("content", "line", "customer"),
    [
        (b"sep=;\r\ncustomer;content_key\r\nacme;edX+DemoX\r\n", 3, "acme"),
        (b'customer,note,content_key\n"acme","two\nlines, and a ""quote""",edX+DemoX', 2, "acme"),
        (b"customer,content_key\n\n , \nacme , edX+DemoX \n", 4, "acme"),
        (b"customer,content_key\nacme,'edX+DemoX\n", 2, "acme"),
        (b'note;customer;content_key\na, b, c, d;"Acme; Inc";edX+DemoX\n', 2, "Acme; Inc"),
        (b"content_key,customer,note\nedX+DemoX,acme\n", 2, "acme"),
    ],
    ids=["separator line", "quotes", "blanks", "guarded", "commas between semicolons", "short row"],
)
def test_what_else_may_stand_in_a_file(content, line, customer):
    (row,) = read(content)
    assert (row.line, row.cells["customer"], row.cells["content_key"]) == (line, customer, "edX+DemoX")


def test_a_row_is_known_by_the_line_where_it_begins():
    rows = read(b'customer,content_key,note\nacme,edX+DemoX,"a\nb"\n\nacme,A+B,\n')
    assert [row.line for row in rows] == [2, 5]


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"", ["Line 1 must name", "It names nothing"]),
        (b"customer,content_key\n", ["no rows"]),
        (b"customer;key\nacme;edX+DemoX\n", ["Line 1 must name", "commas, semicolons or tabs", "“key”"]),
        (b"acme,edX+DemoX\n", ["Line 1 must name"]),
        (b"customer,customer,content_key\n", ["Line 1 must name"]),
        (b"customer,note,Note,content_key\na,b,c,d\n", ["Line 1 names a column twice"]),
        (b"customer,content_key\nacme\n", ["Line 2 has 1 columns"]),
        (b"customer,content_key\nacme,edX+DemoX,x\n", ["Line 2 has 3 columns", "quotes"]),
        (b"customer,content_key,\nacme,edX+DemoX,x\n", ["Line 2", "column 3", "without a name"]),
        (b'customer,content_key\nacme,"edX+DemoX\n', ["cannot be read as CSV"]),
        (b"customer,content_key\nacme,\xe9\n", ["Line 2", "CSV UTF-8"]),
        (b"customer,content_key\nacme,a\x00b\n", ["Line 2", "null characters", "CSV UTF-8"]),
        (b"x" * (MAX_BYTES + 1), ["larger than", "Split it"]),
        (b"customer,content_key\n" + b"acme,edX+DemoX\n" * (MAX_ROWS + 1), ["more than 20 rows", "Split it"]),
    ],
)
def test_a_refusal_names_the_line_and_what_to_do(content, sentences):
    with pytest.raises(FileMalformed) as caught:
        read(content)
    for sentence in sentences:
        assert sentence in caught.value.detail


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_read_or_refused(content):
    with suppress(FileMalformed):
        assert read(content)


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=9)] * 2), max_size=5))
def test_no_cell_that_is_written_is_run_by_a_spreadsheet(rows):
    _, *cells = csv.reader(io.StringIO(write_table(NEEDED, rows), newline=""))
    assert not [cell for row in cells for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert [len(row) for row in cells if row] == [2] * len([row for row in cells if row])
