"""Cells and columns of a source, however it writes them."""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import pytest

from enterprise_access.apps.moving_in.domain.cells import Cells
from enterprise_access.apps.moving_in.domain.tables import Table
from enterprise_access.apps.moving_in.errors import RowUnreadable

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
MOST = (1 << 63) - 1


class Color(StrEnum):
    """Words for a test."""

    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        ("text", None, ""),
        ("text", 5, "5"),
        ("number", None, None),
        ("number", "", None),
        ("number", "-5", -5),
        ("number", MOST, MOST),
        ("number", -MOST, -MOST),
        ("positive", None, None),
        ("positive", 0, 0),
        ("positive", "7", 7),
        ("account", None, None),
        ("account", 1, 1),
        ("needed_number", 0, 0),
        ("truth", None, False),
        ("truth", 0, False),
        ("truth", "0", False),
        ("truth", "false", False),
        ("truth", "False", False),
        ("truth", True, True),
        ("truth", "1", True),
        ("truth", "true", True),
        ("truth", "True", True),
        ("uuid", None, None),
        ("uuid", "", None),
        ("uuid", UUID(int=1), UUID(int=1)),
        ("uuid", UUID(int=1).hex, UUID(int=1)),
        ("needed_uuid", str(UUID(int=1)), UUID(int=1)),
        ("instant", None, None),
        ("instant", "", None),
        ("instant", "0002-01-01T00:00:00Z", datetime(2, 1, 1, tzinfo=UTC)),
        ("instant", "2026-11-29T12:00:00Z", NOON),
        ("instant", "2026-11-29 12:00:00", NOON),
        ("instant", "2026-11-29T14:00:00+02:00", NOON),
        ("instant", NOON.replace(tzinfo=None), NOON),
        ("needed_instant", NOON, NOON),
        ("json", None, None),
        ("json", "", None),
        ("json", "[1", None),
        ("json", "[1]", [1]),
        ("json", [1], [1]),
    ],
)
def test_a_cell_is_read_as_any_source_writes_it(read, value, result):
    assert getattr(Cells({"cell": value}), read)("cell") == result
    assert type(getattr(Cells({"cell": value}), read)("cell")) is type(result)


@pytest.mark.parametrize(
    ("read", "value", "why"),
    [
        ("number", "x", "cell: not a whole number."),
        ("number", MOST + 1, "cell: too large."),
        ("number", -MOST - 1, "cell: too large."),
        ("positive", -1, "cell: negative."),
        ("account", 0, "cell: 0 is no account."),
        ("needed_number", "", "cell: empty."),
        ("truth", "x", "cell: neither true nor false."),
        ("truth", 2, "cell: neither true nor false."),
        ("uuid", "x", "cell: not a UUID."),
        ("needed_uuid", None, "cell: empty."),
        ("instant", "x", "cell: not a date and time."),
        ("instant", "0001-01-01T00:00:00Z", "cell: the year 1 cannot be meant."),
        ("instant", "9999-12-31T00:00:00Z", "cell: the year 9999 cannot be meant."),
        ("needed_instant", None, "cell: empty."),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(read, value, why):
    with pytest.raises(RowUnreadable) as caught:
        getattr(Cells({"cell": value}), read)("cell")
    assert str(caught.value) == why


def test_text_has_to_fit_and_where_it_is_needed_to_be_there():
    cells = Cells({"cell": " ab ", "blank": "  "})
    assert (cells.text("cell", most=4), cells.needed_text("cell", most=4)) == (" ab ", "ab")
    for read, name, why in (
        (cells.text, "cell", "cell: longer than 3 characters."),
        (cells.needed_text, "cell", "cell: longer than 3 characters."),
        (cells.needed_text, "blank", "blank: empty."),
        (cells.needed_text, "other", "other: empty."),
    ):
        with pytest.raises(RowUnreadable) as caught:
            read(name, most=3)
        assert str(caught.value) == why


def test_a_word_has_to_be_known_and_what_is_said_of_it_is_short():
    assert Cells({"cell": "red"}).one_of("cell", Color) is Color.RED
    with pytest.raises(RowUnreadable) as caught:
        Cells({"cell": "x" * 50}).one_of("cell", Color)
    assert str(caught.value) == f"cell: “{'x' * 40}” is not known here. Known: red, blue."


def test_a_reference_ends_in_id_in_a_database():
    table = Table(
        model="an_app.thing", kind="thing", columns=("a",), references=("b",), optional=("c",), ignored=("d",)
    )
    assert table.name == "an_app_thing"
    assert table.all_columns == ("uuid", "a", "b_id", "c")
    assert table.needed == ("uuid", "a", "b_id")
    assert (table.column_of("b"), table.column_of("a")) == ("b_id", "a")
