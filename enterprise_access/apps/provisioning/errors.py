"""The refusals of this app."""

from collections.abc import Mapping
from typing import Any

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound


class MayNotProvision(Forbidden):
    """The caller is neither a provisioning admin nor an operator."""

    code = "may_not_provision"


class WorkflowUnknown(NotFound):
    """There is no such workflow, or no workflow made that plan."""

    code = "workflow_unknown"


class NothingToRetry(Conflict):
    """The workflow has not failed."""

    code = "nothing_to_retry"


class NotRemovable(Conflict):
    """The workflow is done, or a worker is at it."""

    code = "workflow_not_removable"


class CorrectionRefused(Invalid):
    """The failed step does not take this correction."""

    code = "correction_refused"


class StepRefused(Conflict):
    """What exists contradicts what is requested. `reason` is stable."""

    code = "step_refused"

    def __init__(self, detail: str, *, reason: str, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, extra=extra)
        self.reason = reason
