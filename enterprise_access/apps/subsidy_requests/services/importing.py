"""Taking over requests and how customers take them from another installation: no mails, no events, nothing granted."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from attrs import asdict, field, frozen

from enterprise_access.apps.content_assignments.selectors.people import list_known_assignments
from enterprise_access.apps.subsidy_access_policies.services.allocations import list_budgets
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import Configuration, SubsidyRequest, SubsidyRequestAction
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests
from enterprise_access.lib.importing import IMPORTED, RowOutcome, columns_of, judge, past_of, refused
from enterprise_access.lib.transactions import retry_deadlocks, upsert

_CONFIGURATION_COLUMNS: Final = ("subsidy_requests_enabled", "subsidy_type")


@frozen(kw_only=True)
class ArrivingConfiguration:
    """How a customer takes requests, as the source has it."""

    customer_uuid: UUID
    subsidy_requests_enabled: bool
    subsidy_type: SubsidyType | None
    changed_by_lms_user_id: int | None
    created: datetime
    modified: datetime


@frozen(kw_only=True)
class ArrivingRequestAction:
    """What happened to a request, as the source has it."""

    uuid: UUID
    type: ActionType
    error_reason: str
    created: datetime


@frozen(kw_only=True)
class ArrivingRequest:
    """A request as the source has it. `course_price`: in cents."""

    uuid: UUID
    customer_uuid: UUID
    subsidy_type: SubsidyType
    lms_user_id: int
    email: str = field(repr=False)
    course_id: str
    course_title: str
    course_partners: list[dict[str, str | None]] | None
    state: RequestState
    reviewed_at: datetime | None
    reviewer_lms_user_id: int | None
    decline_reason: str
    created: datetime
    modified: datetime
    plan_uuid: UUID | None = None
    license_uuid: UUID | None = None
    coupon_id: int | None = None
    coupon_code: str = ""
    policy_uuid: UUID | None = None
    assignment_uuid: UUID | None = None
    course_price: int | None = None
    actions: tuple[ArrivingRequestAction, ...] = ()


# Titles and partners that the source lacks may have been filled in here, and an admin who was forgotten here is not
# brought back.
_COLUMNS: Final = columns_of(
    ArrivingRequest, without={"email", "course_title", "course_partners", "reviewer_lms_user_id"}
)


@retry_deadlocks
def import_configurations(arriving: Sequence[ArrivingConfiguration]) -> list[RowOutcome]:
    """Take over how customers take requests; return what became of each."""
    stored = Configuration.objects.select_for_update().in_bulk([one.customer_uuid for one in arriving])
    past = past_of(Configuration, [one.customer_uuid for one in arriving])
    outcomes = []
    for one in arriving:
        kind = one.subsidy_type.value if one.subsidy_type else ""
        wanted, row = Configuration(**{**asdict(one), "subsidy_type": kind}), stored.get(one.customer_uuid)
        outcomes.append(judge(one.customer_uuid, row, wanted, columns=_CONFIGURATION_COLUMNS, past=past))
        if outcomes[-1].is_written:
            wanted._change_reason = IMPORTED  # type: ignore[attr-defined]
            wanted.save(force_insert=row is None)
    return outcomes


@retry_deadlocks
def import_requests(arriving: Sequence[ArrivingRequest], *, now: datetime) -> list[RowOutcome]:
    """Take over requests, all those that can be, in one transaction; return what became of each."""
    uuids = [one.uuid for one in arriving]
    stored = {row.pk: row for row in lock_requests(SubsidyRequest.objects.filter(pk__in=uuids))}
    wanted = {one.uuid: _row_of(one) for one in arriving}
    past, news, others = past_of(SubsidyRequest, uuids), _news_of(arriving), _Others(wanted.values())
    outcomes: list[RowOutcome] = []
    written: list[SubsidyRequest] = []
    for one in arriving:
        row, problem = wanted[one.uuid], others.problem_of(wanted[one.uuid])
        here, has_news = stored.get(one.uuid), one.uuid in news
        outcome = judge(one.uuid, here, row, columns=_COLUMNS, past=past, has_news=has_news)
        outcomes.append(refused(one.uuid, problem) if problem else outcome)
        if outcomes[-1].is_written:
            written.append(row)
    _write(written, stored, now=now)
    SubsidyRequestAction.objects.bulk_create([action for row in written for action in news.get(row.pk, ())])
    return outcomes


def _row_of(one: ArrivingRequest) -> SubsidyRequest:
    values = asdict(one, recurse=False, filter=lambda attribute, _: attribute.name != "actions")
    row = SubsidyRequest(**{**values, "subsidy_type": one.subsidy_type.value, "state": one.state.value})
    latest = max(one.actions, key=lambda action: action.created, default=None)
    if latest is not None:
        row.latest_action_type, row.latest_action_at = latest.type.value, latest.created
        row.error_reason = latest.error_reason
    else:
        # The source keeps no actions of licenses and codes: what it was brought to last is its state.
        row.latest_action_type, row.latest_action_at = one.state.value, one.reviewed_at or one.modified
    row.follow()
    return row


class _Others:
    """What requests refer to, and who has already what one may have: another one here, or earlier in the batch."""

    def __init__(self, rows: Iterable[SubsidyRequest]) -> None:
        wanted = list(rows)
        self._by_key: dict[str | None, UUID] = dict(
            SubsidyRequest.objects.filter(open_key__in=[row.open_key for row in wanted if row.open_key]).values_list(
                "open_key", "pk"
            )
        )
        assignments = [row.assignment_uuid for row in wanted if row.assignment_uuid]
        self._by_assignment: dict[UUID | None, UUID] = dict(
            SubsidyRequest.objects.filter(assignment_uuid__in=assignments).values_list("assignment_uuid", "pk")
        )
        self._known = list_known_assignments(assignments)
        self._budgets = list_budgets({row.policy_uuid for row in wanted if row.policy_uuid})
        for row in wanted:
            if row.open_key:
                self._by_key.setdefault(row.open_key, row.pk)
            if row.assignment_uuid:
                self._by_assignment.setdefault(row.assignment_uuid, row.pk)

    def problem_of(self, row: SubsidyRequest) -> str:
        """Return why the request cannot be taken over; nothing where it can."""
        other = self._by_key.get(row.open_key) if row.open_key else None
        if other not in (None, row.pk):
            return f"Request {other} of the same learner is open for the same. Decline one of them."
        if row.policy_uuid is not None and row.policy_uuid not in self._budgets:
            return f"Its budget {row.policy_uuid} is not here."
        if row.assignment_uuid is None:
            return ""
        if row.assignment_uuid not in self._known:
            return f"Its assignment {row.assignment_uuid} is not here."
        other = self._by_assignment[row.assignment_uuid]
        return "" if other == row.pk else f"Request {other} has the same assignment."


def _news_of(arriving: Iterable[ArrivingRequest]) -> Mapping[UUID, list[SubsidyRequestAction]]:
    """Return the actions that are not here yet, by request."""
    uuids = [action.uuid for one in arriving for action in one.actions]
    known = set(SubsidyRequestAction.objects.filter(pk__in=uuids).values_list("pk", flat=True))
    news: dict[UUID, list[SubsidyRequestAction]] = defaultdict(list)
    for one in arriving:
        for action in one.actions:
            if action.uuid not in known:
                values: dict[str, Any] = {**asdict(action), "type": action.type.value}
                news[one.uuid].append(SubsidyRequestAction(request_id=one.uuid, **values))
    return news


def _write(rows: Sequence[SubsidyRequest], stored: Mapping[UUID, SubsidyRequest], *, now: datetime) -> None:
    new = [row for row in rows if row.pk not in stored]
    changed = [row for row in rows if row.pk in stored]
    for row in changed:
        here = stored[row.pk]
        row.course_title, row.course_partners = (
            row.course_title or here.course_title,
            row.course_partners or here.course_partners,
        )
        if here.reviewed_at == row.reviewed_at and here.reviewer_lms_user_id is None:
            # The admin was forgotten here.
            row.reviewer_lms_user_id = None
    SubsidyRequest.objects.bulk_create(new)
    SubsidyRequest.history.bulk_history_create(new, default_date=now, default_change_reason=IMPORTED)
    upsert(SubsidyRequest, changed)
    SubsidyRequest.history.bulk_history_create(changed, update=True, default_date=now, default_change_reason=IMPORTED)
