"""Taking a person out of the records of redemptions, and keeping the records small."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.queue import QUEUE
from enterprise_access.lib.transactions import retry_deadlocks

PRUNED_AT_ONCE: Final = 1000


def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Remove a learner from attempts; return how many rows changed, by table.

    The rows stay, without the person. One that is open is left to staff, and its money stays held: no call can be made
    for a learner who is not known any more.
    """
    with transaction.atomic():
        rows = RedemptionAttempt.objects.filter(lms_user_id=lms_user_id)
        for pk in list(rows.open().values_list("pk", flat=True)):
            rows.filter(pk=pk).update(
                state=AttemptState.DEAD.value, due_at=None, open_for=f"retired {pk}", **QUEUE.freed
            )
        return {"redemption attempts": rows.update(lms_user_id=None, metadata={})}


def prune_refusals(*, before: datetime) -> int:
    """Delete attempts that the rules refused before then, and that held no money; return how many.

    Attempts that held money stay: they say what the ledger was asked for.
    """
    rows = RedemptionAttempt.objects.filter(
        state=AttemptState.REFUSED.value, reservation_uuid=None, created__lt=before
    ).order_by("pk")
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:PRUNED_AT_ONCE]):
        deleted += _delete(ids)
    return deleted


@retry_deadlocks
def _delete(attempts: Sequence[UUID]) -> int:
    return RedemptionAttempt.objects.filter(pk__in=attempts).delete()[0]
