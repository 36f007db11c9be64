"""Learner credit as a payer, after licenses. The one place of this domain that knows of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.paying import Carrier, NoPayer, PaymentOffer, Purchase
from enterprise_access.apps.redemption.domain.quotes import CreditQuote
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.lib.keys import fold

CREDIT: Final = "credit"


@frozen(kw_only=True)
class CreditPayer:
    """Pays with budgets that pay for default enrollments. `quotes` are by LMS user id and folded run key."""

    quotes: Mapping[tuple[int, str], CreditQuote]

    def quote(self, purchase: Purchase, *, offered: Sequence[PaymentOffer]) -> PaymentOffer | NoPayer:
        """Return the budget that pays, or why none does. What it has offered in the same plan is gone."""
        quote = self.quotes.get((purchase.lms_user_id, fold(purchase.course_run_key)))
        if quote is None or quote.policy_uuid is None:
            reason = CreditReason.POLICY_EXPIRED if quote is None or quote.reason is None else quote.reason
            return NoPayer(code=reason.value, is_unknown=reason.is_unknown)
        used = sum(offer.cents for offer in offered if (offer.kind, offer.uuid) == (CREDIT, quote.policy_uuid))
        if quote.cents > quote.available_cents - used:
            return NoPayer(code=CreditReason.NOT_ENOUGH_VALUE.value)
        return PaymentOffer(kind=CREDIT, uuid=quote.policy_uuid, carrier=Carrier.REDEMPTION, cents=quote.cents)
