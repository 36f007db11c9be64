"""The assignments of one person."""

from collections.abc import Collection, Iterable
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db import models
from django.db.models import QuerySet

from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.lib.prepared import Prepared, Read

# The rows that selectors return, for annotations of the apps above.
AssignmentRow: TypeAlias = Assignment


def list_assignments_of(
    lms_user_ids: Collection[int], *, policy_uuids: Collection[UUID]
) -> dict[int, list[Assignment]]:
    """Return learners' assignments of some budgets, in every state, the oldest allocated first: one statement.

    Assignments that were made to an address are a learner's after `services.people.see_learner`.
    """
    ids, wanted = list(lms_user_ids), set(policy_uuids)
    rows: Iterable[Assignment]
    if len(ids) == 1:
        rows = (Assignment.from_db("default", _COLUMNS, row) for row in _OF_LEARNER.rows(lms_user_id=ids[0]))
    else:
        rows = Assignment.objects.filter(lms_user_id__in=ids, policy_uuid__in=wanted).order_by(*_ORDER)
    found: dict[int, list[Assignment]] = {lms_user_id: [] for lms_user_id in ids}
    for row in rows:
        if row.lms_user_id is not None and row.policy_uuid in wanted:
            found[row.lms_user_id].append(row)
    return found


def list_known_assignments(assignment_uuids: Collection[UUID]) -> frozenset[UUID]:
    """Return which of these assignments exist."""
    rows = Assignment.objects.filter(pk__in=list(assignment_uuids))
    return frozenset(rows.values_list("pk", flat=True))


def list_waiting(folded: Collection[str]) -> frozenset[str]:
    """Return those of some folded addresses that have assignments which are no account's yet."""
    wanted = list(folded)
    if len(wanted) == 1:
        return frozenset(email for (email,) in _WITHOUT_ACCOUNT.rows(email=wanted[0]))
    return frozenset(email for (email,) in _without_account(wanted))


def read_of_assignments(lms_user_id: int) -> Read:
    """Return the statement of `list_assignments_of`, for `read_together`."""
    return _OF_LEARNER.read_of(lms_user_id=lms_user_id)


def read_of_waiting(folded: str) -> Read:
    """Return the statement of `list_waiting` for one address, for `read_together`."""
    return _WITHOUT_ACCOUNT.read_of(email=folded)


_COLUMNS: Final = [field.attname for field in Assignment._meta.concrete_fields]
_ORDER: Final = ("allocated_at", "uuid")


def _of_learner(lms_user_id: int) -> QuerySet[Assignment, Any]:
    return Assignment.objects.filter(lms_user_id=lms_user_id).order_by(*_ORDER).values_list(*_COLUMNS)


def _without_account(folded: Collection[str]) -> QuerySet[Assignment, Any]:
    rows = Assignment.objects.filter(learner_email_folded__in=folded, lms_user_id=None, email_cleared_at=None)
    return rows.order_by().values_list("learner_email_folded")


_OF_LEARNER: Final = Prepared(_of_learner, lms_user_id=models.BigIntegerField())
_WITHOUT_ACCOUNT: Final = Prepared(lambda email: _without_account([email]), email=models.CharField())
