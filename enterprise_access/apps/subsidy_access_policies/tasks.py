"""Background work of budgets."""

from uuid import UUID

from celery import shared_task

from enterprise_access.apps.subsidy_access_policies.services import deposits, reconciling, reminders
from enterprise_access.lib import clock
from enterprise_access.lib.jobs import enqueue_on_commit
from enterprise_access.lib.work import asking
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR


@shared_task(name="subsidy_access_policies.reconcile_new")
def reconcile_new(**_sent_by_newer_code: object) -> None:
    """Read the new transactions of every account."""
    reconciling.reconcile_new()


@shared_task(name="subsidy_access_policies.reconcile_all")
def reconcile_all(**_sent_by_newer_code: object) -> None:
    """Read all transactions of every account, and correct totals that have drifted."""
    reconciling.reconcile_all()


# Each deposit is two calls or more.
DEPOSITS_AT_ONCE = 20


@shared_task(name=deposits.DEPOSIT_JOB)
def deposit(**_sent_by_newer_code: object) -> None:
    """Make the deposits that are due, and settle those whose outcome is unknown."""
    deposits.work_on_deposits(limit=DEPOSITS_AT_ONCE)


@shared_task(name="subsidy_access_policies.sweep_deposits")
def sweep_deposits(**_sent_by_newer_code: object) -> None:
    """Find deposits that a lost message left behind, and retry those that failed unexpectedly."""
    asking.retry_failed(deposits.QUEUE, waiting_for=UNEXPECTED_ERROR)
    if deposits.is_due():
        deposits.ask_for_work()


@shared_task(name="subsidy_access_policies.remind_groups")
def remind_groups(**_sent_by_newer_code: object) -> None:
    """Look for reminders that are due, with a task for each group that budgets are restricted to."""
    for group in reminders.list_groups():
        enqueue_on_commit(
            reminders.REMIND_JOB, group_uuid=str(group.group_uuid), customer_uuid=str(group.customer_uuid)
        )


@shared_task(name=reminders.REMIND_JOB)
def remind_group(*, group_uuid: str, customer_uuid: str, **_sent_by_newer_code: object) -> None:
    """Ask for the reminders of one group that are due."""
    group = reminders.RestrictedTo(group_uuid=UUID(group_uuid), customer_uuid=UUID(customer_uuid))
    reminders.remind_group(group, now=clock.now())
