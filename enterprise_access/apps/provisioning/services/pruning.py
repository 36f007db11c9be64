"""Deleting personal data that no workflow needs any longer."""

from datetime import datetime

from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services.workflows.recording import forget_people_without_mails
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order

MAX_ROWS = 1000


@retry_deadlocks
def forget_people(*, before: datetime) -> int:
    """Delete the addresses of workflows that were started before then, and of those that are done; return how many.

    A workflow that is done keeps its addresses only while a mail to one of them waits.
    """
    old = Workflow.objects.filter(created_at__lt=before, has_people=True)
    ids = [row.pk for row in lock_in_order(old)][:MAX_ROWS]
    count = Workflow.objects.filter(pk__in=ids).update(people=[], has_people=False)
    done = Workflow.objects.filter(ended_at__isnull=False, failed_at=None, has_people=True)
    return count + forget_people_without_mails([row.pk for row in lock_in_order(done)][:MAX_ROWS])


@retry_deadlocks
def forget_address(*, email: str) -> int:
    """Delete an address from the workflows that still hold it; return how many did.

    A workflow that still needs it fails at its admins, with a reason that says so.
    """
    wanted, count = email.casefold(), 0
    for row in lock_in_order(Workflow.objects.filter(has_people=True)):
        # The place stays, so that the others keep their positions.
        kept = ["" if address.casefold() == wanted else address for address in row.people]
        if kept != row.people:
            Workflow.objects.filter(pk=row.pk).update(people=kept)
            count += 1
    return count
