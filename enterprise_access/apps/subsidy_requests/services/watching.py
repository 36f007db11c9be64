"""What operators want to know about requests."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count

from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.lib.state import State, by_label


def read_failed(now: datetime) -> Iterable[State]:  # noqa: ARG001 - every source takes it
    """Tell how many requests have failed and need a decision. (How many wait is told with the other queues.)"""
    rows = SubsidyRequest.objects.filter(state=RequestState.ERROR.value).order_by()
    counts = dict(rows.values_list("subsidy_type").annotate(rows=Count("pk")))
    values = {kind.value: float(counts.get(kind.value, 0)) for kind in SubsidyType}
    text = "Subsidy requests that were approved and not granted, by type."
    return [by_label("subsidy_requests_failed", text, "subsidy_type", values)]
