"""Cents are whole numbers; what is no whole number of cents is refused, never rounded."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.subsidy_access_policies.domain.money import (
    PriceBounds,
    cents_from_client,
    cents_of_dollars,
    dollars_of_cents,
    dollars_text,
    price_cents,
)


@pytest.mark.parametrize(("cents", "text"), [(-123450, "-$1,234.50"), (-1, "-$0.01"), (0, "$0.00"), (1, "$0.01")])
def test_people_read_dollars_with_two_places(cents, text):
    assert dollars_text(cents) == text


@given(st.integers(0, 10**12))
def test_dollars_and_back_are_the_same_cents(cents):
    assert cents_of_dollars(dollars_of_cents(cents)) == cents
    assert cents_of_dollars(f"{Decimal(cents) / 100:.2f}") == cents


@given(st.integers(0, 10**9))
def test_what_a_browser_makes_of_cents_is_read_back(cents):
    assert cents_from_client(cents / 100 * 100) == cents
    assert cents_from_client(str(float(cents))) == cents


NO_NUMBERS: list[object] = [
    None,
    True,
    False,
    "",
    " ",
    "abc",
    "NaN",
    "Infinity",
    "1_000",
    "0x10",
    float("nan"),
    float("inf"),
    [],
    {},
]


@pytest.mark.parametrize("value", [*NO_NUMBERS, -1, "-1", 0.5, "0.5", 10**19, "1e999", "1e9999999999"])
def test_what_is_no_whole_number_of_cents_is_refused(value):
    assert cents_from_client(value) is None


@pytest.mark.parametrize(("cents", "dollars"), [(0, 0.0), (1, 0.01), (1999, 19.99), (-5, -0.05)])
def test_answers_show_dollars(cents, dollars):
    assert dollars_of_cents(cents) == dollars


def test_what_only_looks_like_a_number_as_text_is_none():
    assert cents_of_dollars(Fraction(5)) is None
    assert cents_from_client(Fraction(5)) is None


def test_nothing_and_the_most_that_a_database_holds_are_amounts():
    assert cents_of_dollars("0.00") == cents_of_dollars(0) == 0
    assert cents_from_client(2**63 - 1) == 2**63 - 1
    assert cents_from_client(2**63) is None


def test_a_ten_thousandth_of_a_cent_is_noise_and_more_is_not():
    assert cents_from_client("100.0001") == cents_from_client("99.9999") == 100
    assert cents_from_client("100.00011") is None


@pytest.mark.parametrize("value", [*NO_NUMBERS, -0.01, "-5", 1e300])
def test_what_is_no_price_is_unknown_and_not_0(value):
    assert cents_of_dollars(value) is None
    assert price_cents(assignment_cents=None, run_dollars=value, course_dollars=None) is None


@pytest.mark.parametrize(
    ("dollars", "cents"), [("0.005", 1), ("0.0049", 0), (2.675, 268), ("1.005", 101), (1e3, 100000)]
)
def test_half_a_cent_is_rounded_up(dollars, cents):
    assert cents_of_dollars(dollars) == cents


def test_a_free_run_is_free_although_its_course_has_a_price():
    assert price_cents(assignment_cents=None, run_dollars=0, course_dollars=149.0) == 0


@given(catalog=st.integers(0, 10**9), price=st.integers(0, 10**9))
def test_bounds_are_exact(catalog, price):
    within = PriceBounds().contain(catalog_cents=catalog, price_cents=price)
    assert within == (95 * catalog <= 100 * price <= 105 * catalog)
