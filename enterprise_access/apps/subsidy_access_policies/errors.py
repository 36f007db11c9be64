"""What budgets refuse."""

from enum import StrEnum

from enterprise_access.lib.errors import Conflict, NotFound


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
