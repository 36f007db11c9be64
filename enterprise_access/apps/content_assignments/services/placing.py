"""Allocating under the locks: new rows, ended rows that begin another life, the money, the mails, the links."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_assignments.domain.expiring import Expiration
from enterprise_access.apps.content_assignments.domain.states import AssignmentAction, AssignmentState
from enterprise_access.apps.content_assignments.models import Assignment
from enterprise_access.apps.content_assignments.services.linking import ask_for_links
from enterprise_access.apps.content_assignments.services.mails import AssignmentMailKind, ask_for_mails
from enterprise_access.apps.content_assignments.services.transitions import tell
from enterprise_access.apps.content_assignments.services.writing import insert, overwrite, shown


@frozen(kw_only=True)
class Placement:
    """What is allocated, by whom, for how much, and until when."""

    policy_uuid: UUID
    customer_uuid: UUID
    configuration_uuid: UUID | None
    content_key: str
    parent_content_key: str
    is_assigned_course_run: bool
    preferred_course_run_key: str
    content_title: str
    price_cents: int
    expiration: Expiration
    batch_id: UUID | None
    admin_lms_user_id: int | None


@frozen(kw_only=True)
class Person:
    """To whom it is allocated. `email`: as it was typed."""

    email: str
    lms_user_id: int | None


def place(
    placement: Placement, people: Mapping[Person, Assignment | None], *, now: datetime
) -> dict[Person, Assignment]:
    """Write the assignments of people, each a new row or the locked, ended row that it has. Money is the caller's."""
    rows = {person: _placed(row, placement, person, now) for person, row in people.items()}
    new = [row for person, row in rows.items() if people[person] is None]
    again = [row for person, row in rows.items() if people[person] is not None]
    if new:
        insert(new, now=now)
    if again:
        overwrite(again, now=now)
    return rows


def announce(rows: Sequence[Assignment], *, now: datetime) -> None:
    """Ask for the mails and the links of rows that were just allocated, and tell the apps above."""
    ask_for_mails(AssignmentMailKind.ALLOCATED, rows, now=now)
    ask_for_links(rows, now=now)
    tell(rows, AssignmentAction.ALLOCATE, now=now)


def _placed(row: Assignment | None, placement: Placement, person: Person, now: datetime) -> Assignment:
    """Return a row as it is allocated: nothing of a former life is left in it."""
    row = row or Assignment(policy_uuid=placement.policy_uuid)
    row.customer_uuid, row.configuration_uuid = placement.customer_uuid, placement.configuration_uuid
    row.learner_email, row.email_cleared_at = person.email, None
    row.lms_user_id, row.account_unclear_at = row.lms_user_id or person.lms_user_id, None
    row.content_key, row.parent_content_key = placement.content_key, placement.parent_content_key
    row.is_assigned_course_run = placement.is_assigned_course_run
    row.preferred_course_run_key = placement.preferred_course_run_key
    row.content_title, row.content_quantity = placement.content_title, -placement.price_cents
    row.state, row.allocated_at = AssignmentState.ALLOCATED.value, now
    row.accepted_at = row.cancelled_at = row.expired_at = row.errored_at = row.reversed_at = None
    row.acknowledged_at = row.transaction_uuid = None
    row.expiration_reason = ""
    row.allocation_batch_id, row.admin_lms_user_id = placement.batch_id, placement.admin_lms_user_id
    row.expires_at, row.expires_because = placement.expiration.date, placement.expiration.reason.value
    for name, value in shown(row, []).items():
        setattr(row, name, value)
    return row
