"""Reminding learners of what is assigned to them, and cancelling many assignments: all of the call, or nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from enterprise_access.apps.content_assignments.domain.bulk import BulkAction
from enterprise_access.apps.content_assignments.domain.showing import REMINDER_REQUESTED, LearnerState
from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.errors import (
    AssignmentTransitionRefused,
    AssignmentUnknown,
    NothingFound,
    TooManyAssignments,
)
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.selectors.lists import Filters
from enterprise_access.apps.content_assignments.services import transitions
from enterprise_access.apps.content_assignments.services.mails import AssignmentMailKind, ask_for_mails
from enterprise_access.apps.content_assignments.services.writing import add_actions
from enterprise_access.apps.notifications.selectors import find_unsettled
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order


@retry_deadlocks
def remind(assignment_uuids: Collection[UUID], *, now: datetime, actor_lms_user_id: int | None = None) -> int:
    """Mail learners again what is assigned to them; return how many. A reminder that is still to be sent is enough.

    `actor_lms_user_id`: who wants that, which is written down; the mails follow later. Raises
    AssignmentTransitionRefused where one is not allocated.
    """
    rows = transitions.lock(assignment_uuids)
    refused = {row.pk: transitions.WRONG_STATE for row in rows if row.state != AssignmentState.ALLOCATED.value}
    if refused:
        raise AssignmentTransitionRefused(refused)
    waiting = find_unsettled([row.pk for row in rows], kinds=[AssignmentMailKind.REMINDED.value])
    wanted = [row for row in rows if row.pk not in waiting]
    if actor_lms_user_id is not None:
        add_actions(wanted, REMINDER_REQUESTED, now=now, actor_lms_user_id=actor_lms_user_id)
    ask_for_mails(AssignmentMailKind.REMINDED, wanted, now=now, which=f"/{now:%Y%m%dT%H%M%S.%f}")
    return len(wanted)


def act_on_uuids(
    action: BulkAction,
    *,
    configuration_uuid: UUID,
    assignment_uuids: Sequence[UUID],
    actor_lms_user_id: int | None,
    now: datetime,
) -> None:
    """Cancel or remind assignments that are named; each counts once.

    Raises AssignmentUnknown where one is not of this configuration, before anything else is looked at.
    """
    wanted = set(assignment_uuids)
    own = set(_of(configuration_uuid).filter(pk__in=wanted).values_list("pk", flat=True))
    if missing := wanted - own:
        raise AssignmentUnknown(f"There is no assignment {min(missing)}.")
    _act(action, wanted, actor_lms_user_id, now)


@retry_deadlocks
def act_on_all(
    action: BulkAction,
    *,
    configuration_uuid: UUID,
    filters: Filters,
    actor_lms_user_id: int | None,
    now: datetime,
) -> int:
    """Cancel or remind every assignment that the filters leave and the portal counts; return how many.

    Raises NothingFound, and TooManyAssignments where one transaction is not enough for all of them.
    """
    limit = settings.ASSIGNMENTS_AT_ONCE
    rows = _counted(action, filters.apply(_of(configuration_uuid)))
    wanted = set(rows.order_by("pk").values_list("pk", flat=True)[: limit + 1])
    if not wanted:
        raise NothingFound("No assignment matches.")
    if len(wanted) > limit:
        raise TooManyAssignments(
            f"{rows.count()} assignments match, and one call takes at most {limit}. Nothing was changed. Narrow"
            " the list with `search` or `content_key`, and repeat the call for each part.",
            extra={"limit": limit},
        )
    # A learner may redeem in between: that row is none of the counted ones any more, and holds up no other.
    counted = {row.pk for row in lock_in_order(rows.filter(pk__in=wanted))}
    _act(action, counted, actor_lms_user_id, now)
    return len(counted)


def _counted(action: BulkAction, rows: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Return the rows that the portal counts on its button."""
    if action is BulkAction.REMIND_ALL:
        return rows.filter(state=AssignmentState.ALLOCATED.value, learner_state=LearnerState.WAITING.value)
    return rows.filter(state__in=[AssignmentState.ALLOCATED.value, AssignmentState.ERRORED.value])


def _act(action: BulkAction, wanted: set[UUID], actor_lms_user_id: int | None, now: datetime) -> None:
    if action in (BulkAction.CANCEL, BulkAction.CANCEL_ALL):
        transitions.cancel(wanted, now=now, actor_lms_user_id=actor_lms_user_id)
    else:
        remind(wanted, now=now, actor_lms_user_id=actor_lms_user_id)


def _of(configuration_uuid: UUID) -> QuerySet[Assignment]:
    return Assignment.objects.filter(configuration_uuid=configuration_uuid)
