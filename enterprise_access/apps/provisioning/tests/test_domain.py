"""Ids, dates and values of what is provisioned."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from enterprise_access.apps.provisioning.domain.customers import (
    AskedCustomer,
    default_catalog_title,
    is_line_item,
    one_year_after,
)
from enterprise_access.apps.provisioning.domain.states import StepState
from enterprise_access.apps.provisioning.domain.values import from_json, to_json

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("00k" + "a" * 12, True),
        ("00k" + "9" * 15, True),
        ("00k" + "a" * 11, False),
        ("00k" + "a" * 13, False),
        ("00k" + "a" * 16, False),
        ("00x" + "a" * 12, False),
        ("00k" + "-" * 12, False),
    ],
)
def test_a_line_item_has_15_or_18_characters(value, is_one):
    assert is_line_item(value) is is_one


def test_a_year_after_a_leap_day_is_the_28th():
    assert one_year_after(NOON) == datetime(2027, 11, 29, 12, tzinfo=UTC)
    assert one_year_after(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2029, 2, 28, tzinfo=UTC)


def test_a_catalog_without_a_title_is_named_after_its_customer():
    assert default_catalog_title("Acme") == "Acme Subscription Catalog"
    assert default_catalog_title("N" * 300) == f"{'N' * 234} Subscription Catalog"
    assert default_catalog_title(f" {'N' * 232} {'N' * 22}") == f" {'N' * 232} Subscription Catalog"


def test_values_of_steps_are_what_json_can_hold():
    customer = AskedCustomer(name="Acme", slug="acme", country="US")
    written = to_json({"customer": customer, 1: (StepState.DONE, [UUID(int=1)]), "at": NOON, "none": None, "n": 1.5})
    assert written == {
        "customer": {"name": "Acme", "slug": "acme", "country": "US"},
        "1": ["done", ["00000000-0000-0000-0000-000000000001"]],
        "at": "2026-11-29T12:00:00+00:00",
        "none": None,
        "n": 1.5,
    }
    assert from_json(AskedCustomer, written["customer"]) == customer
    assert type(written["1"][0]) is str


def test_a_value_of_another_kind_is_refused():
    with pytest.raises(TypeError, match=r"^A step cannot have a value of type object\.$"):
        to_json([object()])
