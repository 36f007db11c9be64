"""Taking a person out of the records of money."""

from enterprise_access.apps.subsidy_access_policies.models import LearnerTotals, Reservation, SubsidyTransaction
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Remove a learner from the records of money; return how many rows changed, by table.

    The money stays: a transaction and a promise keep their amounts and lose the person. enterprise-subsidy has records
    of its own, which are not touched.
    """
    return {
        "credit transactions": SubsidyTransaction.objects.filter(lms_user_id=lms_user_id).update(lms_user_id=None),
        "reservations": Reservation.objects.filter(lms_user_id=lms_user_id).update(lms_user_id=None),
        "learner totals": LearnerTotals.objects.filter(lms_user_id=lms_user_id).delete()[0],
    }
