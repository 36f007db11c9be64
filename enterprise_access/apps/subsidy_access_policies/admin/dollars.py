"""Dollars on pages: typed with two decimals, and kept as exact cents."""

from decimal import Decimal
from typing import Any

from django import forms

from enterprise_access.apps.subsidy_access_policies.domain.money import CENTS_PER_DOLLAR, dollars_text


def as_dollars(cents: int | None, *, none: str = "unknown") -> str:
    """Return cents as people read them: $1,234.50."""
    return none if cents is None else dollars_text(cents)


class DollarField(forms.DecimalField):
    """An amount in dollars, which becomes cents. Empty is None."""

    def __init__(self, **about: Any) -> None:
        super().__init__(min_value=Decimal("0"), max_digits=15, decimal_places=2, **about)

    def clean(self, value: Any) -> int | None:
        """Return the cents."""
        dollars = super().clean(value)
        return None if dollars is None else int(dollars * CENTS_PER_DOLLAR)

    def prepare_value(self, value: Any) -> Any:
        """Show cents as dollars; what was typed stays as it was typed."""
        return f"{Decimal(value) / CENTS_PER_DOLLAR:.2f}" if isinstance(value, int) else value
