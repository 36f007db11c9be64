"""The states of workflows and steps."""

from enum import StrEnum


class WorkflowState(StrEnum):
    """How a workflow stands. It waits while it is due, scheduled, or not begun."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class StepState(StrEnum):
    """How a step stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


FINISHED_STEPS = frozenset({StepState.DONE, StepState.SKIPPED})
