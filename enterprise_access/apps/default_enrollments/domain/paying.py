"""Who pays for an enrollment. Comes after deciding, and never changes a bucket.

Nothing here knows what a license or a budget is. A payer quotes: it says, from facts that were fetched before, whether
it would pay for one purchase, given what it has already offered in the same plan. A new kind of subsidy is a new payer
beside license_payer.py and one more entry where the payers are listed.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from attrs import frozen


class Carrier(StrEnum):
    """Who carries an enrollment out."""

    LMS = "lms"
    """The LMS's bulk enrollment."""
    REDEMPTION = "redemption"
    """A redemption: the ledger takes the money and enrolls by itself."""


@frozen(kw_only=True)
class Purchase:
    """What is to be paid: one learner in one run, in the mode that the LMS will pick.

    `catalogs` are the customer's catalogs that contain the run.
    """

    lms_user_id: int
    course_key: str
    course_run_key: str
    mode: str
    catalogs: Sequence[UUID]


@frozen(kw_only=True)
class PaymentOffer:
    """A payer would pay. `uuid` names what pays (a license, a policy), `cents` how much of it is used up."""

    kind: str
    uuid: UUID
    carrier: Carrier
    cents: int = 0


@frozen(kw_only=True)
class NoPayer:
    """Nothing pays. `code` is the payer's own reason code, an open string.

    `is_unknown`: the payer could not be asked, which is not a no.
    """

    code: str
    is_unknown: bool = False


class Payer(Protocol):
    """Something that may pay for purchases."""

    def quote(self, purchase: Purchase, *, offered: Sequence[PaymentOffer]) -> PaymentOffer | NoPayer:
        """Return what would pay, or why nothing does. Promises nothing and changes nothing.

        `offered` are the offers made earlier in the same plan, by any payer: what they use up is gone.
        """


def choose_payers(payers: Sequence[Payer], purchases: Iterable[Purchase]) -> list[PaymentOffer | NoPayer]:
    """Return for each purchase what pays for it. No two purchases are promised the same remaining value."""
    answers: list[PaymentOffer | NoPayer] = []
    offered: list[PaymentOffer] = []
    for purchase in purchases:
        answer = _choose(payers, purchase, offered)
        if isinstance(answer, PaymentOffer):
            offered.append(answer)
        answers.append(answer)
    return answers


def _choose(payers: Sequence[Payer], purchase: Purchase, offered: Sequence[PaymentOffer]) -> PaymentOffer | NoPayer:
    """Return the offer of the first payer that can pay, in the order of preference.

    A payer that could not be asked ends the search: a later one must not spend what an earlier one would have given.
    When all refuse, the first refusal is the answer.
    """
    refusals: list[NoPayer] = []
    for payer in payers:
        answer = payer.quote(purchase, offered=offered)
        if isinstance(answer, PaymentOffer) or answer.is_unknown:
            return answer
        refusals.append(answer)
    if not refusals:
        raise ValueError("There has to be a payer to choose from.")
    return refusals[0]
