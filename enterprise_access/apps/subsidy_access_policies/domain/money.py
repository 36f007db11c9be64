"""Money: integer US cents. Dollars appear only at the edges, and become cents by Decimal, half up."""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final

from attrs import frozen

CENTS_PER_DOLLAR: Final = 100

# A client multiplies dollars by 100 in binary floating point, which misses whole cents by less than this.
_FLOAT_NOISE: Final = Decimal("0.0001")
_MAX_CENTS: Final = 2**63 - 1
_NUMERIC: Final = re.compile(r"[+-]?(\d{1,40}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,3})?", re.ASCII)


@frozen(kw_only=True)
class PriceBounds:
    """How far a price that an admin agreed to may be from the catalog's, as ratios of the catalog's price."""

    lower: Decimal = Decimal("0.95")
    upper: Decimal = Decimal("1.05")

    def contain(self, *, catalog_cents: int, price_cents: int) -> bool:
        """Say whether a price is within the bounds; the bounds themselves are inside."""
        return catalog_cents * self.lower <= price_cents <= catalog_cents * self.upper


def cents_of_dollars(dollars: object) -> int | None:
    """Return the cents of a price in dollars (a number or text), half up; None when it is no price."""
    # The catalog's prices come as numbers, and the same few of them again and again.
    return _cents_of_number(dollars) if type(dollars) in (int, float) else _cents_of_dollars(dollars)


def _cents_of_dollars(dollars: object) -> int | None:
    number = _decimal(dollars)
    if number is None or number < 0:
        return None
    return _storable(int((number * CENTS_PER_DOLLAR).to_integral_value(rounding=ROUND_HALF_UP)))


@lru_cache(maxsize=4096, typed=True)
def _cents_of_number(dollars: object) -> int | None:
    return _cents_of_dollars(dollars)


def dollars_of_cents(cents: int) -> float:
    """Return dollars as answers show them. Never computed with."""
    return float(Decimal(cents) / CENTS_PER_DOLLAR)


def dollars_text(cents: int) -> str:
    """Return cents as people read them: $1,234.50."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), CENTS_PER_DOLLAR)
    return f"{sign}${whole:,}.{rest:02}"


def cents_from_client(value: object) -> int | None:
    """Return the cents that a client sent; None when the value is not a whole number of cents, or is negative."""
    number = _decimal(value)
    if number is None:
        return None
    cents = number.to_integral_value()
    if cents < 0 or abs(number - cents) > _FLOAT_NOISE:
        return None
    return _storable(int(cents))


def price_cents(*, assignment_cents: int | None, run_dollars: object, course_dollars: object) -> int | None:
    """Return the price of a run: the paying assignment's, else the run's, else the course's. None = unknown, not 0."""
    if assignment_cents is not None:
        return assignment_cents
    of_the_run = cents_of_dollars(run_dollars)
    return cents_of_dollars(course_dollars) if of_the_run is None else of_the_run


def _decimal(value: object) -> Decimal | None:
    """Return a number exactly as it was written. A float counts as its shortest text: 4.35, not 4.3499999..."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    text = str(value).strip()
    return Decimal(text) if _NUMERIC.fullmatch(text) else None


def _storable(cents: int) -> int | None:
    return cents if cents <= _MAX_CENTS else None
