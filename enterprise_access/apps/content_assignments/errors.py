"""What assignments refuse."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound, Refused


class MayNotAdminister(Forbidden):
    """Only admins of the customer and operators may do this."""

    code = "may_not_administer"


class AssignmentConfigurationUnknown(NotFound):
    """There is no such configuration, or the caller may not know of it."""

    code = "assignment_configuration_unknown"


class NotAssignable(Conflict):
    """Courses cannot be assigned from this budget."""

    code = "policy_not_assignable"


class ConfigurationDiffers(Conflict):
    """The configuration is active, or inactive, as its budget is."""

    code = "assignment_configuration_differs"


class ConfigurationShared(Conflict):
    """The budget of this configuration pays for more than assignments."""

    code = "assignment_configuration_shared"


class AssignmentUnknown(NotFound):
    """There is no such assignment, or the caller may not know of it."""

    code = "assignment_unknown"


class NothingFound(NotFound):
    """No assignment matches."""

    code = "no_assignments_match"


class TooManyAssignments(Refused):
    """More assignments match than one call takes."""

    code = "too_many_assignments"


class AssignmentTransitionRefused(Conflict):
    """The state of an assignment does not allow what was asked; nothing was changed.

    `refused`: reasons by uuid. `state`: that of the assignment, where it is about one.
    """

    code = "assignment_transition_refused"

    def __init__(self, refused: Mapping[UUID, str], *, state: StrEnum | None = None) -> None:
        super().__init__(
            "The state of some assignments does not allow this; nothing was changed.",
            extra={"refused": [{"uuid": str(uuid), "reason": reason} for uuid, reason in refused.items()]},
        )
        self.refused = dict(refused)
        self.state = state


class AllocationInvalid(Invalid):
    """The request to allocate makes no sense as it stands."""

    code = "allocation_invalid"


class AllocationRefused(Conflict):
    """Nothing is allocated; `reason` is the code that clients know."""

    code = "allocation_refused"

    def __init__(self, reason: StrEnum) -> None:
        super().__init__(f"Nothing was allocated: {reason.value}.", extra={"reason": reason.value})
        self.reason = reason


class NothingToNudge(Conflict):
    """None of the assignments is one that begins on the day that was named."""

    code = "nothing_to_nudge"

    def __init__(self, uuids: Sequence[UUID]) -> None:
        super().__init__("None of these assignments begins on that day.", extra={"uuids": [str(one) for one in uuids]})


class NothingOwn(Invalid):
    """None of the named assignments is the caller's."""

    code = "no_assignments_of_yours"
