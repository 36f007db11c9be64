"""Lists of assignments as admins filter, search, sort and count them. Every list is a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen
from django.db.models import Count, Q, QuerySet

from enterprise_access.apps.content_assignments.domain.emails import fold_email
from enterprise_access.apps.content_assignments.errors import AssignmentUnknown
from enterprise_access.apps.content_assignments.models import Assignment, LearnerContentAssignmentAction
from enterprise_access.lib.keys import fold

# What clients may order by, and the columns behind it.
ORDERINGS: Final[Mapping[str, str]] = {
    "recent_action_time": "recent_action_at",
    "learner_state_sort_order": "learner_state_order",
    "content_quantity": "content_quantity",
}


@frozen(kw_only=True)
class Filters:
    """Which assignments. Empty collections and None: whatever they are."""

    states: Collection[str] = ()
    learner_states: Collection[str] = ()
    content_keys: Collection[str] = ()
    emails: Collection[str] = field(default=(), repr=False)
    lms_user_ids: Collection[int] = ()
    search: str = field(default="", repr=False)

    def apply(self, rows: QuerySet[Assignment], *, with_learner_states: bool = True) -> QuerySet[Assignment]:
        """Return the rows that all of the filters leave."""
        if self.states:
            rows = rows.filter(state__in=list(self.states))
        if self.learner_states and with_learner_states:
            rows = rows.filter(learner_state__in=list(self.learner_states))
        if self.content_keys:
            rows = rows.filter(content_key_folded__in=[fold(key) for key in self.content_keys])
        if self.emails:
            rows = rows.filter(learner_email_folded__in=[fold_email(email) for email in self.emails])
        if self.lms_user_ids:
            rows = rows.filter(lms_user_id__in=list(self.lms_user_ids))
        if self.search:
            wanted = Q(content_title__icontains=self.search) | Q(learner_email_folded__contains=fold_email(self.search))
            rows = rows.filter(wanted)
        return rows


def find_assignments(
    *, configuration_uuid: UUID, filters: Filters, ordering: Sequence[str] = ()
) -> QuerySet[Assignment]:
    """Return the assignments of a configuration that the filters leave. Unknown names of an ordering are ignored."""
    rows = filters.apply(Assignment.objects.filter(configuration_uuid=configuration_uuid))
    columns = [
        f"{'-' if name.startswith('-') else ''}{ORDERINGS[name.lstrip('-')]}"
        for name in ordering
        if name.lstrip("-") in ORDERINGS
    ]
    # The last column makes the order complete, so that no row is on two pages.
    return rows.order_by(*(columns or ["-recent_action_at"]), "uuid")


def count_learner_states(*, configuration_uuid: UUID, filters: Filters) -> list[dict[str, Any]]:
    """Count the filtered assignments by learner state, whatever learner state is filtered by: one statement."""
    rows = filters.apply(Assignment.objects.filter(configuration_uuid=configuration_uuid), with_learner_states=False)
    counted = rows.exclude(learner_state="").order_by().values_list("learner_state").annotate(count=Count("pk"))
    by_count = sorted(counted, key=lambda row: (-row[1], row[0]))
    return [{"learner_state": state, "count": count} for state, count in by_count]


def get_assignment(*, configuration_uuid: UUID, assignment_uuid: UUID) -> Assignment:
    """Return one assignment of a configuration. Raises AssignmentUnknown."""
    row = Assignment.objects.filter(configuration_uuid=configuration_uuid, pk=assignment_uuid).first()
    if row is None:
        raise AssignmentUnknown(f"There is no assignment {assignment_uuid}.")
    return row


def list_for_learner(*, configuration_uuid: UUID, lms_user_id: int) -> QuerySet[Assignment]:
    """Return a learner's own assignments of a configuration."""
    rows = Assignment.objects.filter(configuration_uuid=configuration_uuid, lms_user_id=lms_user_id)
    return rows.order_by("-allocated_at", "uuid")


def list_actions(rows: Collection[Assignment]) -> dict[UUID, list[LearnerContentAssignmentAction]]:
    """Return what happened to some assignments, oldest first, by assignment: one statement; none for none."""
    found: dict[UUID, list[LearnerContentAssignmentAction]] = {row.pk: [] for row in rows}
    if not found:
        return found
    for action in LearnerContentAssignmentAction.objects.filter(assignment__in=list(found)).order_by("created", "pk"):
        found[action.assignment_id].append(action)
    return found
