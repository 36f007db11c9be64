"""Saying in words how a workflow stands, for support agents and in the admin pages."""

from enterprise_access.apps.provisioning.domain.states import FINISHED_STEPS, WorkflowState
from enterprise_access.apps.provisioning.models import WorkflowStep
from enterprise_access.apps.provisioning.services.provisioning import Progress
from enterprise_access.apps.provisioning.services.workflows.steps import kind_of


def explain(progress: Progress) -> str:
    """Return sentences: where the workflow stands, why, what exists, and what happens next."""
    item, steps = progress.workflow, progress.steps
    done = [step for step in steps if step.state in FINISHED_STEPS]
    if progress.state is WorkflowState.DONE:
        created = [title_of(item.kind, step) for step in steps if step.is_created]
        made = f"It created: {', '.join(created)}." if created else "Everything existed before; nothing was created."
        return f"All {len(steps)} steps are done. {made}"
    current = next(step for step in steps if step.state not in FINISHED_STEPS)
    where = f"step {current.position + 1} of {len(steps)}, {title_of(item.kind, current)}"
    exists = f" Done so far: {', '.join(title_of(item.kind, step) for step in done)}." if done else ""
    if progress.state is WorkflowState.FAILED:
        return (
            f"Failed at {where}: {current.problem}{exists} Retry it when the cause is removed; it goes on from there."
        )
    if progress.state is WorkflowState.RUNNING:
        return f"A worker is at {where}.{exists}"
    if current.error:
        due = "" if item.due_at is None else f" Next attempt: {item.due_at:%Y-%m-%d %H:%M} UTC."
        return f"Waiting at {where}: {current.problem}{exists}{due}"
    return f"Waiting for a worker at {where}.{exists}"


def title_of(kind: str, step: WorkflowStep) -> str:
    """Return the title of a step."""
    return kind_of(kind).steps[step.position].title
