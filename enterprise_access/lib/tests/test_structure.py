from datetime import UTC, datetime
from uuid import UUID

import pytest

from enterprise_access.lib.structure import (
    Fields,
    ShapeError,
    flag,
    instant,
    integer,
    items,
    mapping,
    number,
    text,
    uuid,
)

A_UUID = "7ae10000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (text, "", ""),
        (text, "Zoë 🎓", "Zoë 🎓"),
        (flag, False, False),
        (integer, 0, 0),
        (integer, -5, -5),
        (number, 3, 3.0),
        (number, 149.5, 149.5),
        (uuid, A_UUID, UUID(A_UUID)),
        (uuid, A_UUID.upper(), UUID(A_UUID)),
        (instant, "2026-11-21T20:04:30Z", datetime(2026, 11, 21, 20, 4, 30, tzinfo=UTC)),
        (instant, "2026-11-21T20:04:30.903216+00:00", datetime(2026, 11, 21, 20, 4, 30, 903216, tzinfo=UTC)),
        (instant, "2026-11-21T22:04:30+02:00", datetime(2026, 11, 21, 20, 4, 30, tzinfo=UTC)),
        (items(integer), [1, 2], (1, 2)),
        (items(integer), [], ()),
        (mapping(text, integer), {"a": 1}, {"a": 1}),
    ],
)
def test_what_is_exactly_as_expected_is_read(read, value, expected):
    assert read(value) == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (text, None),
        (text, 5),
        (text, "with a \x00"),
        (text, "half \ud83d"),
        (flag, "true"),
        (flag, 1),
        (flag, None),
        (integer, "5"),
        (integer, True),
        (integer, 5.0),
        (integer, None),
        (number, "1.0"),
        (number, True),
        (number, 10**400),
        (uuid, "not-a-uuid"),
        (uuid, 5),
        (uuid, None),
        (instant, "2026-11-21"),
        (instant, "2026-11-21T20:04:30"),
        (instant, "yesterday"),
        (instant, "0001-01-01T00:00:00+14:00"),
        (instant, 1795291470),
        (items(integer), {"0": 1}),
        (items(integer), None),
        (items(integer), "12"),
        (mapping(text, integer), [1]),
    ],
)
def test_anything_else_is_a_shape_error(read, value):
    with pytest.raises(ShapeError):
        read(value)


def test_instants_are_aware_utc():
    assert instant("2026-11-21T22:04:30+02:00").tzinfo is UTC


def test_a_shape_error_leads_to_the_place_but_does_not_quote_the_value():
    def read_row(value):
        return Fields(value).part("user").need("email", integer)

    with pytest.raises(ShapeError) as caught:
        Fields({"results": [{"user": {"email": 1}}, {"user": {"email": "ada@acme.example"}}]}).need(
            "results", items(read_row)
        )
    assert str(caught.value) == "results[1].user.email: expected an integer, got text"


def test_need_wants_a_value_nullable_a_key_and_optional_neither():
    fields = Fields({"null": None, "value": "x"})
    assert fields.need("value", text) == "x"
    assert fields.nullable("value", text) == "x"
    assert fields.nullable("null", text) is None
    assert fields.optional("null", text) is None
    assert fields.optional("absent", text) is None
    with pytest.raises(ShapeError, match="null: expected text, got null"):
        fields.need("null", text)
    with pytest.raises(ShapeError, match="absent: is missing"):
        fields.need("absent", text)
    with pytest.raises(ShapeError, match="absent: is missing"):
        fields.nullable("absent", text)
    with pytest.raises(ShapeError, match="value: expected an integer"):
        fields.optional("value", integer)


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_only_an_object_has_fields(value):
    with pytest.raises(ShapeError):
        Fields(value)
