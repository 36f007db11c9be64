"""Which of several policies pays, and what the learner is told when none does."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from typing import TypeAlias
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason

Rank: TypeAlias = tuple[bool, float, float, str]


@frozen(kw_only=True)
class PolicyAnswer:
    """What one policy answered. `assignment_pays`: an allocated assignment would pay, also when the policy refuses.

    `policy_available_cents` None: no spend limit. `subsidy_available_cents` None: could not be asked.
    """

    uuid: UUID
    assignment_pays: bool
    reason: CreditReason | None
    expiration: datetime | None
    policy_available_cents: int | None
    subsidy_available_cents: int | None

    @property
    def rank(self) -> Rank:
        """The place in the order of choosing; the smallest is the first."""
        amounts = (self.policy_available_cents, self.subsidy_available_cents)
        value = min((amount for amount in amounts if amount is not None), default=inf)
        expires = inf if self.expiration is None else self.expiration.timestamp()
        return not self.assignment_pays, expires, value, str(self.uuid)


@frozen(kw_only=True)
class RefusedBy:
    """One reason, and the policies that gave it, in the order of choosing."""

    reason: CreditReason
    policy_uuids: tuple[UUID, ...]


@frozen(kw_only=True)
class Choice:
    """The policy that pays; or the reason to show, and every reason."""

    policy_uuid: UUID | None = None
    display_reason: CreditReason | None = None
    reasons: tuple[RefusedBy, ...] = ()


def choose_policy(answers: Iterable[PolicyAnswer]) -> Choice:
    """Return the policy that pays: by assignment first, then what expires first, then the smallest rest."""
    return choose_first([(one.uuid, one.reason) for one in sorted(answers, key=lambda answer: answer.rank)])


def choose_first(answers: Sequence[tuple[UUID, CreditReason | None]]) -> Choice:
    """Do the same with policies that are in the order of choosing, each with the reason why it does not pay."""
    for uuid, reason in answers:
        if reason is None:
            return Choice(policy_uuid=uuid)
    refused = _grouped(answers)
    return Choice(display_reason=_display_reason([one.reason for one in refused]), reasons=refused)


def _display_reason(reasons: Sequence[CreditReason]) -> CreditReason | None:
    """Return what the learner is told: an unknown first, and that nothing was assigned only when nothing else is."""
    unknown = [reason for reason in reasons if reason.is_unknown]
    telling = [reason for reason in reasons if reason is not CreditReason.NOT_ASSIGNED]
    return next(iter([*unknown, *telling, *reasons]), None)


def _grouped(answers: Iterable[tuple[UUID, CreditReason | None]]) -> tuple[RefusedBy, ...]:
    groups: dict[CreditReason, list[UUID]] = {}
    for uuid, reason in answers:
        if reason is not None:
            groups.setdefault(reason, []).append(uuid)
    return tuple(RefusedBy(reason=reason, policy_uuids=tuple(uuids)) for reason, uuids in groups.items())
