"""Which license of a learner can be used for some content, and why none can."""

import math
from collections.abc import Collection, Iterable
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen


class LicenseStatus(StrEnum):
    """Where a license stands with license-manager. A status that we do not know is UNKNOWN, and never usable."""

    ACTIVATED = "activated"
    ASSIGNED = "assigned"
    REVOKED = "revoked"
    UNASSIGNED = "unassigned"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, _value: object) -> "LicenseStatus":
        return cls.UNKNOWN


@frozen(kw_only=True)
class Plan:
    """A subscription plan. `is_current` (it has started and not expired) and `is_active` are license-manager's word.

    `catalog_uuid` None: the plan has no catalog, hence no content.
    """

    uuid: UUID
    catalog_uuid: UUID | None
    is_current: bool
    is_active: bool
    expires_at: datetime | None


@frozen(kw_only=True)
class License:
    """One license of one learner. `revoked_at` None: not revoked, or not told."""

    uuid: UUID
    status: LicenseStatus
    plan: Plan
    revoked_at: datetime | None = None

    @property
    def is_activated(self) -> bool:
        """Whether the learner has accepted it."""
        return self.status is LicenseStatus.ACTIVATED

    @property
    def is_assigned(self) -> bool:
        """Whether it waits for the learner to accept it."""
        return self.status is LicenseStatus.ASSIGNED


class SomeLicenses(tuple[License, ...]):
    """Some of a learner's licenses; the others could not be read. What is here counts; an absence says nothing."""


class LicenseRefusal(StrEnum):
    """Why no license of a learner can be used."""

    LICENSE_NOT_IN_CATALOG = "license_not_in_catalog"
    LICENSE_PLAN_NOT_CURRENT = "license_plan_not_current"
    LICENSE_NOT_ACTIVATED = "license_not_activated"
    NO_LICENSE = "no_license"
    LICENSE_MANAGER_UNAVAILABLE = "license_manager_unavailable"


def is_usable(license_: License) -> bool:
    """Say whether the license opens the content of its plan's catalog: activated, in a current and active plan."""
    return license_.is_activated and license_.plan.is_current and license_.plan.is_active


def choose_license(licenses: Collection[License] | None, *, catalogs: Collection[UUID]) -> License | LicenseRefusal:
    """Return the license to use for content that is in `catalogs`, or why there is none.

    `licenses` None: they could not be read. Of several, the one whose plan expires last, then the smallest uuid.
    Of SomeLicenses none is refused: the one that is missing may be the one to use.
    """
    if licenses is None:
        return LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE
    fitting = [license_ for license_ in licenses if is_usable(license_) and license_.plan.catalog_uuid in catalogs]
    if not fitting and isinstance(licenses, SomeLicenses):
        return LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE
    if not fitting:
        return _refusal(licenses)
    return _longest_lasting(fitting)


def _longest_lasting(licenses: Iterable[License]) -> License:
    by_uuid = sorted(licenses, key=lambda license_: license_.uuid)
    # A plan without an end outlasts every other; max returns the first of equals, hence the smallest uuid.
    return max(by_uuid, key=lambda license_: _instant(license_.plan.expires_at))


def _instant(expires_at: datetime | None) -> float:
    return math.inf if expires_at is None else expires_at.timestamp()


def _refusal(licenses: Collection[License]) -> LicenseRefusal:
    if any(is_usable(license_) for license_ in licenses):
        return LicenseRefusal.LICENSE_NOT_IN_CATALOG
    if any(license_.is_activated for license_ in licenses):
        return LicenseRefusal.LICENSE_PLAN_NOT_CURRENT
    if any(license_.is_assigned for license_ in licenses):
        return LicenseRefusal.LICENSE_NOT_ACTIVATED
    return LicenseRefusal.NO_LICENSE
