"""Reads of licenses: of any learner as our worker account, and of the learner who is here with their own token."""

from enterprise_access.apps.licenses.selectors.lookup import (
    FEW_LEARNERS,
    LICENSES_PER_PAGE,
    fetch_licenses,
    fetch_licenses_with_revoked,
)
from enterprise_access.apps.licenses.selectors.own import (
    fetch_own_licenses,
    forget_own_licenses,
    read_own_licenses_again,
)

__all__ = [
    "FEW_LEARNERS",
    "LICENSES_PER_PAGE",
    "fetch_licenses",
    "fetch_licenses_with_revoked",
    "fetch_own_licenses",
    "forget_own_licenses",
    "read_own_licenses_again",
]
