"""What budgets refuse."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from uuid import UUID

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound, UpstreamUnavailable


class BudgetRefused(Conflict):
    """Money is not promised: a limit or the balance does not allow it, or the account could not be asked."""

    code = "budget_refused"

    def __init__(self, reason: StrEnum) -> None:
        super().__init__(f"The budget does not pay: {reason.value}.", extra={"reason": reason.value})
        self.reason = reason


class PolicyUnknown(NotFound):
    """There is no such budget."""

    code = "policy_unknown"


class ReservationEnded(Conflict):
    """The promise is spent or released already."""

    code = "reservation_ended"


class PolicyInvalid(Invalid):
    """A budget cannot be like this. `problems`: what is wrong, by field."""

    code = "invalid"

    def __init__(self, problems: Mapping[str, str]) -> None:
        name, sentence = next(iter(problems.items()))
        super().__init__(f"{name}: {sentence}", extra={"fields": {key: [text] for key, text in problems.items()}})
        self.problems = dict(problems)


class PolicyExists(Conflict):
    """There is an active budget that is the same, with another limit."""

    code = "policy_exists"

    def __init__(self, *, policy_uuid: UUID, limits: Collection[str]) -> None:
        names = ", ".join(sorted(limits))
        super().__init__(
            f"There is an active budget for this catalog with the same name, and its {names} is another one. Change"
            " that budget, or give the new one another display name.",
            extra={"policy_uuid": str(policy_uuid), "fields": sorted(limits)},
        )


class PolicyInUse(Conflict):
    """A budget with spent or promised money is not deactivated by accident."""

    code = "policy_in_use"


class MayNotUseBudgets(Forbidden):
    """The caller has no role that allows this."""

    code = "permission_denied"


class AccountUnknown(NotFound):
    """The ledger knows no such account."""

    code = "account_unknown"


class CannotBeChecked(UpstreamUnavailable):
    """What has to be known of the account or the catalog could not be asked. Nothing was changed."""

    code = "cannot_be_checked"


class DepositInvalid(Invalid):
    """Such a deposit cannot be made."""

    code = "deposit_invalid"
