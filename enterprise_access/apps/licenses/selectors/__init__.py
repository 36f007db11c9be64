"""Reads of the licenses of the learner who is here, with their own token."""

from enterprise_access.apps.licenses.selectors.own import (
    fetch_own_licenses,
    forget_own_licenses,
    read_own_licenses_again,
)

__all__ = [
    "fetch_own_licenses",
    "forget_own_licenses",
    "read_own_licenses_again",
]
