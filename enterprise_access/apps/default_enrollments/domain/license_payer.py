"""Licenses as a payer. The one place of this domain that knows of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.paying import NoPayer, Payment
from enterprise_access.apps.licenses.domain import License, LicenseRefusal, choose_license

LICENSE: Final = "license"


@frozen(kw_only=True)
class LicensePayer:
    """Pays with the licenses of learners, by LMS user id. None, or a learner who is absent: could not be asked."""

    licenses: Mapping[int, Collection[License] | None]

    def pay(self, *, lms_user_id: int, catalogs: Sequence[UUID]) -> Payment | NoPayer:
        """Return the license that pays, or why none does."""
        chosen = choose_license(self.licenses.get(lms_user_id), catalogs=catalogs)
        if isinstance(chosen, License):
            return Payment(kind=LICENSE, uuid=chosen.uuid)
        return NoPayer(code=chosen.value, is_unknown=chosen is LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE)
