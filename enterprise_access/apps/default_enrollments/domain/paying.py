"""Who pays for an enrollment. Comes after deciding, and never changes a bucket.

Nothing here knows what a license is: a payer is anything that answers for one learner and some catalogs. A new kind of
subsidy is a new payer beside license_payer.py and one more entry where the payers are listed.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from attrs import frozen


@frozen(kw_only=True)
class Payment:
    """What pays: the kind of subsidy (`license`) and its uuid."""

    kind: str
    uuid: UUID


@frozen(kw_only=True)
class NoPayer:
    """Nothing pays. `code` is the payer's own reason code, an open string.

    `is_unknown`: the payer could not be asked, which is not a no.
    """

    code: str
    is_unknown: bool = False


class Payer(Protocol):
    """Something that may pay for content of some catalogs."""

    def pay(self, *, lms_user_id: int, catalogs: Sequence[UUID]) -> Payment | NoPayer:
        """Return what would pay for this learner, or why nothing does. Promises nothing, changes nothing."""


def choose_payer(payers: Sequence[Payer], *, lms_user_id: int, catalogs: Sequence[UUID]) -> Payment | NoPayer:
    """Return what pays for content of `catalogs`: the first payer that can, in the order of preference.

    A payer that could not be asked ends the search: a later one must not spend what an earlier one would have given.
    When all refuse, the first refusal is the answer.
    """
    refusals: list[NoPayer] = []
    for payer in payers:
        answer = payer.pay(lms_user_id=lms_user_id, catalogs=catalogs)
        if isinstance(answer, Payment) or answer.is_unknown:
            return answer
        refusals.append(answer)
    if not refusals:
        raise ValueError("There has to be a payer to choose from.")
    return refusals[0]
