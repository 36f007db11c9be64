"""Licenses as a payer. The one place of this domain that knows of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.paying import Carrier, NoPayer, PaymentOffer, Purchase
from enterprise_access.apps.licenses.domain import License, LicenseRefusal, choose_license

LICENSE: Final = "license"
LEARNER_WITHOUT_EMAIL: Final = "learner_without_email"


@frozen(kw_only=True)
class LicensePayer:
    """Pays with the licenses of learners, by LMS user id. None, or a learner who is absent: could not be asked.

    license-manager knows learners by their email address: those `without_email` cannot have a license there.
    """

    licenses: Mapping[int, Collection[License] | None]
    without_email: frozenset[int] = frozenset()

    def quote(self, purchase: Purchase, *, offered: Sequence[PaymentOffer]) -> PaymentOffer | NoPayer:
        """Return the license that pays, or why none does. One license pays for any number of runs."""
        if purchase.lms_user_id in self.without_email:
            return NoPayer(code=LEARNER_WITHOUT_EMAIL)
        chosen = choose_license(self.licenses.get(purchase.lms_user_id), catalogs=purchase.catalogs)
        if isinstance(chosen, License):
            return PaymentOffer(kind=LICENSE, uuid=chosen.uuid, carrier=Carrier.LMS)
        return NoPayer(code=chosen.value, is_unknown=chosen is LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE)
