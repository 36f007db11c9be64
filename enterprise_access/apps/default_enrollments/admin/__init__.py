"""Intentions, what became of them, and what staff may do about it, in the admin. One module per noun."""

from enterprise_access.apps.default_enrollments.admin import (
    attempts,
    customers,
    intentions,
    overrides,
    overview,
    realizations,
    requests,
    why,
)

__all__ = ["attempts", "customers", "intentions", "overrides", "overview", "realizations", "requests", "why"]
