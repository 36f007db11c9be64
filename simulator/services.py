"""What a simulated service is: its routes and its rate limits. A new service is one package with one such value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen
from flask import Blueprint

from .throttles import Rate


@frozen(kw_only=True)
class Limit:
    """Rates that calls count against. `scope` groups the calls; they are counted for each address, or each user."""

    scope: str
    rates: tuple[Rate, ...]
    is_per_address: bool = False


def unlimited(endpoint: str, claims: Mapping[str, Any]) -> Limit | None:  # noqa: ARG001
    """Return that no rate is limited."""
    return None


@frozen(kw_only=True)
class Service:
    """One upstream service. `limit_of` names the limit of an endpoint for the claims of the caller's token."""

    name: str
    blueprints: tuple[Blueprint, ...]
    limit_of: Callable[[str, Mapping[str, Any]], Limit | None] = unlimited
