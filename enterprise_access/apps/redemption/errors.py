"""What redeeming refuses."""

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound


class RedemptionAttemptUnknown(NotFound):
    """There is no such attempt, or the caller may not know of it."""

    code = "redemption_attempt_unknown"


class AttemptNotDead(Conflict):
    """Only an attempt that needs attention is decided by staff."""

    code = "redemption_attempt_not_dead"


class MayNotRedeem(Forbidden):
    """The caller may not redeem, or read, for this learner."""

    code = "may_not_redeem"


class NothingToRedeem(NotFound):
    """The customer has no active budget, and the learner no redemption."""

    code = "no_active_policies"


class MetadataRefused(Invalid):
    """The metadata of a redemption is not what the ledger may be given."""

    code = "metadata_refused"


class EvidenceAgainst(Conflict):
    """What the ledger or the platform says does not allow this decision."""

    code = "evidence_against"
