"""Reads of requests: lists, counts, one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db import models
from django.db.models import Count, Q, QuerySet

from enterprise_access.apps.core.domain import Caller
from enterprise_access.apps.subsidy_access_policies.selectors import list_request_configurations
from enterprise_access.apps.subsidy_requests.domain.requests import open_key
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import RequestUnknown
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestAction, SubsidyRequestQuerySet
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import Prepared, Read

# The names that clients order by, and the columns behind them. Others change nothing: the portals send some that mean
# nothing here, and show nothing at all after an error.
ORDERINGS: Final[Mapping[str, str]] = {
    "created": "created",
    "modified": "modified",
    "state": "state",
    "course_id": "course_id_folded",
    "course_title": "course_title",
    "user__email": "email_folded",
    "reviewed_at": "reviewed_at",
    "course_price": "course_price",
    "learner_request_state": "learner_request_state",
    "state_sort_order": "learner_request_state",
    "latest_action_status": "latest_action_type",
    "latest_action_time": "latest_action_at",
}


@frozen(kw_only=True)
class RequestFilters:
    """Which requests are requested; None, and empty, do not matter. States that no request can have match nothing."""

    customer_uuid: UUID | None = None
    uuid: UUID | None = None
    policy_uuid: UUID | None = None
    email: str = ""
    course_id: str = ""
    search: str = ""
    states: Collection[str] | None = None
    learner_states: Collection[str] | None = None
    action_states: Collection[str] | None = None
    ordering: Sequence[str] = ()

    @property
    def conditions(self) -> Q:
        """The filters as one condition."""
        chosen = {
            "customer_uuid": self.customer_uuid,
            "pk": self.uuid,
            "policy_uuid": self.policy_uuid,
            "email_folded": fold(self.email) or None,
            "course_id_folded": fold(self.course_id) or None,
            "state__in": self.states,
            "learner_request_state__in": self.learner_states,
            "latest_action_type__in": self.action_states,
        }
        found = Q(**{name: value for name, value in chosen.items() if value is not None})
        if text := fold(self.search):
            found &= (
                Q(email_folded__contains=text) | Q(course_title__icontains=text) | Q(course_id_folded__contains=text)
            )
        return found


def visible_requests(*, caller: Caller, subsidy_type: SubsidyType) -> SubsidyRequestQuerySet:
    """Return the requests that the caller may see: those of customers they are an admin of, and their own.

    Their own are those of customers for which they hold a role still.
    """
    rows = SubsidyRequest.objects.of_kind(subsidy_type)
    administered = caller.administered_customers()
    if administered is None:
        return rows
    readable = caller.readable_customers() or frozenset()
    own = Q(lms_user_id=caller.lms_user_id, customer_uuid__in=readable)
    return rows.filter(Q(customer_uuid__in=administered) | (own if caller.lms_user_id is not None else Q(pk=None)))


def find_requests(*, caller: Caller, subsidy_type: SubsidyType, wanted: RequestFilters) -> SubsidyRequestQuerySet:
    """Return the wanted requests that the caller may see, newest first unless `ordering` says otherwise."""
    rows = visible_requests(caller=caller, subsidy_type=subsidy_type).filter(wanted.conditions)
    return rows.order_by(*_order(wanted.ordering))


def _order(names: Iterable[str]) -> list[str]:
    order = []
    for name in names:
        column = ORDERINGS.get(name.removeprefix("-"))
        if column is not None:
            order.append(f"-{column}" if name.startswith("-") else column)
    return [*order, "-created", "uuid"]


def get_request(*, caller: Caller, subsidy_type: SubsidyType, request_uuid: UUID) -> SubsidyRequest:
    """Return one request that the caller may see. Raises RequestUnknown."""
    row = visible_requests(caller=caller, subsidy_type=subsidy_type).filter(pk=request_uuid).first()
    if row is None:
        raise RequestUnknown(f"There is no request {request_uuid}.")
    return row


def count_by_state(*, subsidy_type: SubsidyType, wanted: RequestFilters) -> list[tuple[str, int]]:
    """Return how many of the wanted requests are in which state, most first; a state without any is absent."""
    rows = SubsidyRequest.objects.of_kind(subsidy_type).filter(wanted.conditions).order_by()
    counts = rows.values("state").annotate(requests=Count("pk")).values_list("state", "requests")
    return sorted(counts, key=lambda row: (-row[1], row[0]))


def latest_actions(requests: Collection[SubsidyRequest]) -> dict[UUID, SubsidyRequestAction]:
    """Return the latest action of each request, in one statement; none where there is no request."""
    if not requests:
        return {}
    rows = SubsidyRequestAction.objects.filter(request__in=[row.pk for row in requests]).order_by("created", "uuid")
    return {row.request_id: row for row in rows}


def configurations_of(requests: Collection[SubsidyRequest]) -> dict[UUID, UUID | None]:
    """Return, by budget, the uuid under which it takes requests, in one statement."""
    budgets = {row.policy_uuid for row in requests if row.policy_uuid}
    return list_request_configurations(budgets) if budgets else {}


def list_credit_requests(
    *, customer_uuid: UUID, lms_user_id: int, states: Collection[RequestState]
) -> list[SubsidyRequest]:
    """Return the learner's requests for learner credit of a customer in these states, newest first."""
    found = _CREDIT_OF_LEARNER.rows(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    rows = [SubsidyRequest.from_db("default", _COLUMNS, values) for values in found]
    return [row for row in rows if row.state in states]


def read_of_credit_requests(*, customer_uuid: UUID, lms_user_id: int) -> Read:
    """Return the statement of `list_credit_requests`, for `read_together`."""
    return _CREDIT_OF_LEARNER.read_of(customer_uuid=customer_uuid, lms_user_id=lms_user_id)


_COLUMNS: Final = [field.attname for field in SubsidyRequest._meta.concrete_fields]


def _credit_of_learner(customer_uuid: UUID, lms_user_id: int) -> QuerySet[SubsidyRequest, Any]:
    rows = SubsidyRequest.objects.of_kind(SubsidyType.LEARNER_CREDIT)
    return rows.filter(customer_uuid=customer_uuid, lms_user_id=lms_user_id).values_list(*_COLUMNS)


# A page of the portal asks for it each time, and most learners have none.
_CREDIT_OF_LEARNER: Final = Prepared(
    _credit_of_learner, customer_uuid=models.UUIDField(), lms_user_id=models.BigIntegerField()
)


def find_open_credit_request(
    *, customer_uuid: UUID, lms_user_id: int, course_keys: Collection[str]
) -> SubsidyRequest | None:
    """Return the learner's request for learner credit of one of these courses that is open; approved is open, too."""
    rows = SubsidyRequest.objects.of_kind(SubsidyType.LEARNER_CREDIT).filter(
        open_key__in=[
            open_key(
                subsidy_type=SubsidyType.LEARNER_CREDIT,
                customer_uuid=customer_uuid,
                lms_user_id=lms_user_id,
                course_id_folded=fold(key),
            )
            for key in sorted(course_keys)
        ]
    )
    return rows.first()
